//! The settings that allow flows to ask a language model.

use std::num::NonZeroU32;
use std::time::Duration;

use sheaf_engine::{EngineConfig, ModelConfig, ModelPrices};

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
    /// What a million tokens cost that are sent to the model. With both prices estimates and budgets are in money, too.
    #[arg(long, env = "SHEAF_MODEL_PRICE_IN", value_name = "MONEY", value_parser = price)]
    model_price_in: Option<f64>,
    /// What a million tokens of its answers cost.
    #[arg(long, env = "SHEAF_MODEL_PRICE_OUT", value_name = "MONEY", value_parser = price)]
    model_price_out: Option<f64>,
    /// What that money is called.
    #[arg(long, env = "SHEAF_MODEL_CURRENCY", default_value = "USD", value_name = "NAME")]
    model_currency: String,
}

/// A price: a number above 0.
fn price(text: &str) -> Result<f64, String> {
    let price = text.parse::<f64>().ok().filter(|price| price.is_finite() && *price > 0.0);
    price.ok_or_else(|| "use a number above 0, such as 0.15".to_owned())
}

impl LanguageModel {
    /// Puts the settings where they belong.
    pub fn apply(&self, config: &mut EngineConfig) -> anyhow::Result<()> {
        let Self {
            model_endpoint,
            model_name,
            model_rate,
            model_seconds,
            model_price_in,
            model_price_out,
            model_currency,
        } = self;
        let Some(endpoint) = model_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else { return Ok(()) };
        config.model = Some(ModelConfig {
            key: std::env::var("SHEAF_MODEL_KEY").ok().filter(|key| !key.is_empty()),
            per_minute: *model_rate,
            patience: Duration::from_secs(*model_seconds),
            prices: model_price_in.zip(*model_price_out).map(|(input, output)| ModelPrices {
                input,
                output,
                currency: model_currency.clone(),
            }),
            ..ModelConfig::new(endpoint, model_name.clone())?
        });
        Ok(())
    }
}
