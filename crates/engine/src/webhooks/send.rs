//! One message to one address: bounded in time, without redirects or proxies, and only to addresses that were looked at.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::FutureExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use sheaf_store::ClaimedDelivery;

use super::address::{AllowedAddress, check_url, may_reach};
use super::sign::signature;

/// How long a receiver may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take for everything.
const WHOLE: Duration = Duration::from_secs(15);
/// Bytes of the answer's body that are read, and forgotten, so that the connection ends in order.
const BODY: usize = 64 << 10;
/// Characters of an error that are kept.
const ERROR_CHARS: usize = 300;

/// Why a message did not arrive.
#[derive(Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// The HTTP status, if there was an answer.
    pub answer: Option<u16>,
    pub error: String,
}

/// Sends messages.
pub struct Sender {
    allowed: Arc<[AllowedAddress]>,
    client: OnceLock<Client>,
}

impl Sender {
    pub fn new(allowed: Arc<[AllowedAddress]>) -> Self {
        Self { allowed, client: OnceLock::new() }
    }

    /// Sends it; gives the HTTP status of an answer that takes it (200 to 299).
    ///
    /// # Errors
    /// Why it did not arrive, in words for the log of deliveries.
    pub async fn send(&self, claim: &ClaimedDelivery) -> Result<u16, NotTaken> {
        let failed = |error: String| NotTaken { answer: None, error: error.chars().take(ERROR_CHARS).collect() };
        // An address in place of a name is never resolved, so it is looked at here.
        let url = check_url(&self.allowed, &claim.url).map_err(|failure| failed(failure.message))?;
        let client = self.client().map_err(|error| failed(described(&error)))?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("Sheaf-Event", claim.event.to_string())
            .header("Sheaf-Signature", signature(&claim.secret, seconds, &claim.body))
            .body(claim.body.clone());
        let mut answer = request.send().await.map_err(|error| failed(described(&error)))?;
        let status = answer.status();
        let mut read = 0;
        while let Ok(Some(chunk)) = answer.chunk().await {
            read += chunk.len();
            if read > BODY {
                break;
            }
        }
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let error = match status.is_redirection() {
            true => format!("it answered {status}, and redirects are not followed"),
            false => format!("it answered {status}"),
        };
        Err(NotTaken { answer: Some(status.as_u16()), error })
    }

    fn client(&self) -> Result<&Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever comes second finds the same one installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("Sheaf/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Vetted(Arc::clone(&self.allowed))))
            // A connection that is kept would be one to an address that was looked at long ago.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// What went wrong without the URL, which may hold a key.
fn described(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} seconds", WHOLE.as_secs());
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match error.is_connect() {
        true => format!("it cannot be reached: {cause}"),
        false => format!("the message was not taken: {cause}"),
    }
}

/// Finds the addresses of a name and gives on those that may be reached. The connection goes to exactly these: a name that
/// is asked for a second time could have other ones (DNS rebinding).
struct Vetted(Arc<[AllowedAddress]>);

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.0);
        async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(vetted(&allowed, name.as_str(), found)?.into_iter()) as Addrs)
        }
        .boxed()
    }
}

fn vetted(
    allowed: &[AllowedAddress],
    host: &str,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    let reachable: Vec<_> = found.filter(|address| may_reach(allowed, host, address.ip())).collect();
    if reachable.is_empty() {
        return Err(format!("`{host}` has no public address").into());
    }
    Ok(reachable)
}

#[cfg(test)]
mod tests;
