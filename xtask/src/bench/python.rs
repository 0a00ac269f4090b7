//! The other side's Python: an environment in the cache with pinned packages, and commands that run in it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::Paths;
use crate::{run, setup};

/// Makes the environment once for each state of `bench/requirements.txt`.
pub struct Python {
    program: PathBuf,
    folder: PathBuf,
}

impl Python {
    pub fn ready(paths: &Paths) -> Result<Self> {
        let venv = paths.cache.join("bench/venv");
        let requirements = paths.root.join("bench/requirements.txt");
        let stamp = venv.join("requirements.txt");
        let program = venv.join("bin/python");
        let wanted = fs::read_to_string(&requirements)?;
        if fs::read_to_string(&stamp).ok().as_deref() != Some(&wanted) {
            run::step("install the Python packages to compare with (6 GB, once)", || {
                if !program.is_file() {
                    run::checked(Command::new(setup::python()?).args(["-m", "venv"]).arg(&venv))
                        .context("Python's venv is missing (Debian: `apt-get install python3-venv`)")?;
                }
                run::checked(
                    Command::new(&program)
                        .args(["-m", "pip", "install", "--quiet", "--requirement"])
                        .arg(&requirements),
                )?;
                fs::write(&stamp, &wanted)?;
                Ok(())
            })?;
        }
        Ok(Self { program, folder: paths.root.join("bench") })
    }

    /// One that somebody has already, with what a script wants.
    pub fn given(paths: &Paths, program: PathBuf) -> Self {
        Self { program, folder: paths.root.join("bench") }
    }

    /// One of the scripts in `bench`, with this many threads for every library that counts its own.
    pub fn script(&self, name: &str, threads: usize) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.folder.join(name)).env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
        for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"] {
            command.env(variable, threads.to_string());
        }
        command.env("HF_HUB_OFFLINE", "1").env("TOKENIZERS_PARALLELISM", if threads > 1 { "true" } else { "false" });
        command.env("RAYON_NUM_THREADS", threads.to_string()).env("PYTHONWARNINGS", "ignore").env("TQDM_DISABLE", "1");
        command
    }
}
