//! `sheaf distil`: makes the fast model from the accurate one, without a second download.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sheaf_analysis::embedding::{MiniLm, distil, model_folder};
use sheaf_domain::ModelName;

/// Make the fast model from the accurate one.
#[derive(clap::Args)]
pub struct Args {
    /// The folder of models; found by itself when left out.
    #[arg(long, env = "SHEAF_MODEL_DIR")]
    models: Option<PathBuf>,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Some(models) = args.models.or_else(sheaf_analysis::find_models) else {
        bail!("there is no folder of models: run `cargo xtask setup`, or set SHEAF_MODEL_DIR");
    };
    let source = models.join(model_folder(ModelName::Accurate));
    let target = models.join(model_folder(ModelName::Fast));
    let model = MiniLm::open(&source).with_context(|| format!("`{}` cannot be loaded", source.display()))?;
    distil(&model, &source, &target).with_context(|| format!("`{}` cannot be made", target.display()))?;
    println!("{}", target.display());
    Ok(ExitCode::SUCCESS)
}
