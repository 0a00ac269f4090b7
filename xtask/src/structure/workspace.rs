//! The workspace as cargo sees it, cut down to what the checks and tests ask for.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::paths::Paths;
use crate::run;

pub struct Workspace {
    pub packages: Vec<Package>,
}

pub struct Package {
    pub name: String,
    /// Names of what it depends on when it is built, without what only its tests need.
    pub dependencies: Vec<String>,
}

impl Workspace {
    pub fn read(paths: &Paths) -> Result<Self> {
        let json = run::output(run::cargo(paths).args(["metadata", "--no-deps", "--format-version", "1"]))?;
        Self::parse(&serde_json::from_str(&json)?).context("cargo metadata has another shape than is known")
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let packages = metadata["packages"].as_array()?.iter().map(Package::parse).collect::<Option<_>>()?;
        Some(Self { packages })
    }
}

impl Package {
    fn parse(package: &Value) -> Option<Self> {
        let dependencies = package["dependencies"]
            .as_array()?
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .map(|dependency| dependency["name"].as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        Some(Self { name: package["name"].as_str()?.to_owned(), dependencies })
    }
}
