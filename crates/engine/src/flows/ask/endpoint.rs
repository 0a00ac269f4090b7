//! The server of language models that the operator allowed. Nothing in a flow or a document can name another.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

/// Where models are asked, and how often.
#[derive(Clone)]
pub struct ModelConfig {
    /// Its base, below which `chat/completions` is.
    pub endpoint: Url,
    /// The model's name, as the server calls it.
    pub name: String,
    /// Sent as `Authorization: Bearer`.
    pub key: Option<String>,
    /// Requests of all workers together in a minute.
    pub per_minute: NonZeroU32,
    /// How long one answer may take.
    pub patience: Duration,
    /// What it costs, if the operator said so.
    pub prices: Option<ModelPrices>,
}

/// What a model costs.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelPrices {
    /// For a million tokens that are sent.
    pub input: f64,
    /// For a million tokens of answers.
    pub output: f64,
    /// What the money is called, such as `USD`.
    pub currency: String,
}

/// Tokens for which a price stands.
const PRICED: f64 = 1e6;

impl ModelPrices {
    /// What so many tokens in and out cost.
    pub fn of(&self, (input, output): (u64, u64)) -> f64 {
        (input as f64 * self.input + output as f64 * self.output) / PRICED
    }

    /// What tokens cost of which nobody knows which way they went, from and to.
    pub fn between(&self, tokens: u64) -> (f64, f64) {
        let of = |price: f64| tokens as f64 * price / PRICED;
        (of(self.input.min(self.output)), of(self.input.max(self.output)))
    }

    /// As many tokens as surely cost no more than this.
    pub fn tokens_for(&self, money: f64) -> u64 {
        (money / self.input.max(self.output) * PRICED).floor() as u64
    }
}

impl std::fmt::Debug for ModelConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, name, key, per_minute, patience, prices } = self;
        let key = key.as_ref().map(|_| "…");
        f.debug_struct("ModelConfig")
            .field("endpoint", &endpoint.as_str())
            .field("name", name)
            .field("key", &key)
            .field("per_minute", per_minute)
            .field("patience", patience)
            .field("prices", prices)
            .finish()
    }
}

/// It is no address of a server.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address such as http://127.0.0.1:8080/v1")]
pub struct WrongEndpoint(String);

/// The base of an endpoint, read from what an operator writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(pub Url);

impl FromStr for Endpoint {
    type Err = WrongEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || WrongEndpoint(text.to_owned());
        let url: Url = text.trim().parse().map_err(|_| wrong())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url)) } else { Err(wrong()) }
    }
}

impl ModelConfig {
    /// The defaults for a server at this address.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(endpoint: &str, name: String) -> Result<Self, WrongEndpoint> {
        let Endpoint(endpoint) = endpoint.parse()?;
        let per_minute = const { NonZeroU32::new(600).expect("not zero") };
        Ok(Self { endpoint, name, key: None, per_minute, patience: Duration::from_secs(120), prices: None })
    }

    /// Where questions are sent to. Whether the base ends in `/` makes no difference.
    pub fn completions(&self) -> Url {
        let mut url = self.endpoint.clone();
        let path = format!("{}/chat/completions", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_never_exceeded() {
        let prices = ModelPrices { input: 0.5, output: 2.0, currency: "USD".to_owned() };
        assert!((prices.of((1_000_000, 500_000)) - 1.5).abs() < 1e-9);
        assert_eq!(prices.between(2_000_000), (1.0, 4.0));
        assert_eq!(prices.tokens_for(1.0), 500_000);
        assert!(prices.of((0, prices.tokens_for(0.3))) <= 0.3);
    }

    #[test]
    fn addresses_are_those_of_servers_only() {
        let check = |text: &str, expect: Option<&str>| {
            let config = ModelConfig::new(text, "m".into());
            assert_eq!(config.ok().map(|config| config.completions().to_string()).as_deref(), expect, "{text}");
        };
        check("http://127.0.0.1:8080/v1", Some("http://127.0.0.1:8080/v1/chat/completions"));
        check("https://models.example/v1/", Some("https://models.example/v1/chat/completions"));
        check("https://models.example", Some("https://models.example/chat/completions"));
        for wrong in ["", "models.example/v1", "ftp://a/", "http://me:word@a/", "http://a/v1?key=1", "file:///etc"] {
            check(wrong, None);
        }
        let secret =
            ModelConfig { key: Some("sk-1".into()), ..ModelConfig::new("http://a/", "m".into()).expect("valid") };
        assert!(!format!("{secret:?}").contains("sk-1"));
    }
}
