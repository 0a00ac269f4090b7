//! Makes the fast model from the accurate one: `distil [MODELS]`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use sheaf_analysis::embedding::{MiniLm, distil, model_folder};
use sheaf_analysis::find_models;
use sheaf_domain::ModelName;

fn main() -> Result<()> {
    let models = std::env::args().nth(1).map(PathBuf::from).or_else(find_models).context("no models found")?;
    let accurate = models.join(model_folder(ModelName::Accurate));
    let started = Instant::now();
    distil(&MiniLm::open(&accurate)?, &accurate, &models.join(model_folder(ModelName::Fast)))?;
    println!("distilled in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
