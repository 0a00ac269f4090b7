//! The settings that allow flows to ask a language model.

use std::num::NonZeroU32;
use std::time::Duration;

use sheaf_engine::{EngineConfig, ModelConfig};

/// Flattened into the arguments of `serve` and `work`. A key is taken from the variable SHEAF_MODEL_KEY alone, for a command
/// line is seen by others.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Language model")]
pub struct LanguageModel {
    /// The address of an OpenAI-compatible server that flows may ask, such as http://127.0.0.1:8080/v1; without one they ask
    /// nobody. Its key is taken from SHEAF_MODEL_KEY.
    #[arg(long, env = "SHEAF_MODEL_ENDPOINT", value_name = "URL")]
    model_endpoint: Option<String>,
    /// The model's name, as that server calls it.
    #[arg(long, env = "SHEAF_MODEL_NAME", default_value = "default", value_name = "NAME")]
    model_name: String,
    /// The most questions in a minute, of all processes together.
    #[arg(long, env = "SHEAF_MODEL_RATE", default_value = "600", value_name = "N")]
    model_rate: NonZeroU32,
    /// Seconds that one answer may take.
    #[arg(long, env = "SHEAF_MODEL_SECONDS", default_value_t = 120, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    model_seconds: u64,
}

impl LanguageModel {
    /// Puts the settings where they belong.
    pub fn apply(&self, config: &mut EngineConfig) -> anyhow::Result<()> {
        let Self { model_endpoint, model_name, model_rate, model_seconds } = self;
        let Some(endpoint) = model_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else { return Ok(()) };
        config.model = Some(ModelConfig {
            key: std::env::var("SHEAF_MODEL_KEY").ok().filter(|key| !key.is_empty()),
            per_minute: *model_rate,
            patience: Duration::from_secs(*model_seconds),
            ..ModelConfig::new(endpoint, model_name.clone())?
        });
        Ok(())
    }
}
