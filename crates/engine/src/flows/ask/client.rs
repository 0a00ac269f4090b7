//! One request to the model's server: at the rate that all workers keep together, tried again when that may help, within the
//! budget of its run. No redirects, no proxies, no address but the one the operator gave.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;
use sheaf_domain::{Failure, FailureCode, RunId};
use sheaf_store::RateLimit;
use tokio::sync::Mutex as AsyncMutex;

use super::endpoint::ModelConfig;
use super::prompt;
use super::waits::{LatestWaits, Waits};
use crate::rate::RateLimiter;
use crate::{Engine, internal};

/// How long the server may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const ANSWER: usize = 8 << 20;
/// Tries of one request before its document waits.
const TRIES: u32 = 4;
/// The wait after the first try; doubled with each further one.
const WAIT: Duration = Duration::from_millis(500);
/// The longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Answers that are timed.
const LATELY: usize = 64;

/// The model that the operator allowed.
pub struct Model {
    config: ModelConfig,
    /// Made when it is first needed. The addresses of the host are looked up then, and anew after a server was not reached.
    client: AsyncMutex<Option<Client>>,
    limiter: AsyncMutex<Option<Arc<RateLimiter>>>,
    /// Cleared for a server that does not know JSON schemas.
    takes_schema: AtomicBool,
    /// Tokens that requests under way may use at most, by run.
    reserved: Arc<Mutex<HashMap<RunId, u64>>>,
    /// Seconds of the latest answers.
    lately: Mutex<VecDeque<f64>>,
    /// Whether each of the latest answers had to be sent back.
    sent_back: Mutex<VecDeque<bool>>,
    /// How long the latest questions were put off.
    waits: Mutex<LatestWaits>,
}

/// Tokens that are kept for a request until it is done.
pub struct Reserved {
    run: RunId,
    tokens: u64,
    all: Arc<Mutex<HashMap<RunId, u64>>>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = all.get_mut(&self.run) {
            *left = left.saturating_sub(self.tokens);
            if *left == 0 {
                all.remove(&self.run);
            }
        }
    }
}

/// How one try went wrong.
enum Trouble {
    /// It may go better after this time; without one, after a while.
    Passing { why: String, after: Option<Duration> },
    /// It will go the same way again.
    Lasting(String),
}

impl Model {
    pub fn new(config: ModelConfig) -> Self {
        Self {
            config,
            client: AsyncMutex::default(),
            limiter: AsyncMutex::default(),
            takes_schema: AtomicBool::new(true),
            reserved: Arc::default(),
            lately: Mutex::default(),
            sent_back: Mutex::default(),
            waits: Mutex::default(),
        }
    }

    /// The model's name, as the server calls it.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Where it is asked.
    pub fn address(&self) -> &str {
        self.config.endpoint.as_str()
    }

    /// Whether the form of an answer is sent as a schema that the server enforces.
    pub fn takes_schema(&self) -> bool {
        self.takes_schema.load(Ordering::Relaxed)
    }

    /// Keeps tokens of a run's budget for a request.
    ///
    /// # Errors
    /// `budget_spent` when they are not left; `storage`.
    pub async fn reserve(&self, engine: &Engine, run: RunId, tokens: u64) -> Result<Reserved, Failure> {
        let spending = engine.store().spending(run).await?;
        let mut all = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = all.entry(run).or_default();
        if let Some((spent, budget)) = spending.and_then(|spending| Some((spending.tokens, spending.budget?)))
            && spent + *under_way + tokens > budget
        {
            let message =
                format!("the run may use {budget} tokens; {spent} are used, and the next question may take {tokens}");
            return Err(Failure::new(FailureCode::BudgetSpent, message));
        }
        *under_way += tokens;
        Ok(Reserved { run, tokens, all: Arc::clone(&self.reserved) })
    }

    /// Sends a request; gives the body of the answer and the tokens that it cost.
    ///
    /// # Errors
    /// `model_server` when there is no answer after several tries; `storage`.
    pub async fn ask(&self, engine: &Engine, request: &str) -> Result<(String, u64), Failure> {
        let limiter = self.limiter(engine).await;
        let (mut wait, mut waited) = (WAIT, Duration::ZERO);
        for tried in 1.. {
            limiter.acquire().await?;
            let since = Instant::now();
            let trouble = match self.send(request).await {
                Ok(body) => {
                    self.note(since.elapsed());
                    self.note_wait(waited, tried - 1);
                    let tokens = used(&body).unwrap_or_else(|| prompt::tokens(request) + prompt::tokens(&body));
                    return Ok((body, tokens));
                }
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Passing { why, after } if tried < TRIES => {
                    tracing::info!(tried, why, "a model did not answer; it is asked again");
                    let pause = after.unwrap_or(wait).min(LONGEST_WAIT);
                    tokio::time::sleep(pause).await;
                    waited += pause;
                    wait *= 2;
                }
                Trouble::Passing { why, .. } | Trouble::Lasting(why) => {
                    self.note_wait(waited, tried - 1);
                    return Err(Failure::new(FailureCode::ModelServer, format!("the model's server: {why}")));
                }
            }
        }
        Err(internal("the tries of a request have no end"))
    }

    fn note(&self, took: Duration) {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.truncate(LATELY - 1);
        lately.push_front(took.as_secs_f64());
    }

    fn note_wait(&self, waited: Duration, further: u32) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.note(waited.as_secs_f64(), further);
    }

    /// How long questions were put off lately.
    pub fn waits_lately(&self) -> Waits {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).seen()
    }

    /// How many answers were timed lately, and what one may take from and to: half of the fastest, twice the slowest.
    pub fn lately(&self) -> Option<(u32, (f64, f64))> {
        let lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let least = lately.iter().copied().reduce(f64::min)?;
        let most = lately.iter().copied().reduce(f64::max)?;
        Some((u32::try_from(lately.len()).unwrap_or(u32::MAX), (least / 2.0, most * 2.0)))
    }

    /// Notes whether an answer had to be sent back to be mended.
    pub fn judged(&self, was_sent_back: bool) {
        let mut judged = self.sent_back.lock().unwrap_or_else(PoisonError::into_inner);
        judged.truncate(LATELY - 1);
        judged.push_front(was_sent_back);
    }

    /// How many answers were judged lately, and the share of all that are sent back, from and to: within 2.5 standard errors
    /// (Wilson 1927), and from none to all where none was judged.
    pub fn sent_back_lately(&self) -> (u32, (f64, f64)) {
        let judged = self.sent_back.lock().unwrap_or_else(PoisonError::into_inner);
        let (n, back) = (judged.len() as f64, judged.iter().filter(|back| **back).count() as f64);
        if judged.is_empty() {
            return (0, (0.0, 1.0));
        }
        let (z, share) = (2.5_f64, back / n);
        let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let margin = z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        let range = ((middle - margin).max(0.0), (middle + margin).min(1.0));
        (u32::try_from(judged.len()).unwrap_or(u32::MAX), range)
    }

    async fn limiter(&self, engine: &Engine) -> Arc<RateLimiter> {
        let mut limiter = self.limiter.lock().await;
        let made = limiter.get_or_insert_with(|| {
            let per_minute = self.config.per_minute;
            // A second's worth at once, so that the rate holds over short times too.
            let burst = NonZeroU32::new(per_minute.get() / 60).unwrap_or(NonZeroU32::MIN);
            Arc::new(engine.rate_limiter("model", RateLimit { per_minute, burst }))
        });
        Arc::clone(made)
    }

    async fn send(&self, request: &str) -> Result<String, Trouble> {
        let client = self.client().await?;
        let body = if self.takes_schema() { request.to_owned() } else { without_schema(request) };
        let mut sent = client.post(self.config.completions()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(key) = &self.config.key {
            sent = sent.bearer_auth(key);
        }
        let answer = match sent.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.unreached(&error).await),
        };
        let status = answer.status();
        let after = retry_after(&answer);
        let body = read(answer).await;
        if status.is_success() {
            return body.map_err(|why| Trouble::Passing { why, after: None });
        }
        let body = body.unwrap_or_default();
        if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY)
            && self.takes_schema()
            && body.contains("response_format")
        {
            self.takes_schema.store(false, Ordering::Relaxed);
            return Err(Trouble::Passing { why: "it knows no JSON schemas".to_owned(), after: Some(Duration::ZERO) });
        }
        let passing = status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT
            || status.is_server_error();
        Err(match (passing, status.is_redirection()) {
            (true, _) => Trouble::Passing { why: format!("it answered {status}"), after },
            (false, true) => Trouble::Lasting(format!("it answered {status}, and redirects are not followed")),
            (false, false) => Trouble::Lasting(format!("it answered {status}")),
        })
    }

    /// The next try looks the address up anew.
    async fn unreached(&self, error: &reqwest::Error) -> Trouble {
        *self.client.lock().await = None;
        let why = match (error.is_timeout(), error.is_connect()) {
            (true, _) => format!("no answer within {} seconds", self.config.patience.as_secs()),
            (false, true) => "it cannot be reached".to_owned(),
            (false, false) => "the connection broke".to_owned(),
        };
        Trouble::Passing { why, after: None }
    }

    async fn client(&self) -> Result<Client, Trouble> {
        let mut kept = self.client.lock().await;
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        // Whoever comes second finds the same one installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("Sheaf/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(self.config.patience);
        if let Some(host) = self.config.endpoint.host_str() {
            let plain = host.trim_start_matches('[').trim_end_matches(']');
            let found = tokio::net::lookup_host((plain, 0)).await;
            let addresses: Vec<_> = found.map(Iterator::collect).unwrap_or_default();
            if addresses.is_empty() {
                return Err(Trouble::Passing { why: format!("`{plain}` has no address"), after: None });
            }
            builder = builder.resolve_to_addrs(host, &addresses);
        }
        let client = builder.build().map_err(|error| Trouble::Lasting(error.to_string()))?;
        *kept = Some(client.clone());
        Ok(client)
    }
}

fn without_schema(request: &str) -> String {
    let mut body: Value = serde_json::from_str(request).unwrap_or_default();
    if let Some(body) = body.as_object_mut() {
        body.remove("response_format");
    }
    body.to_string()
}

/// How long the server asks to wait, in seconds as all such servers give it.
fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds: f64 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The body, if it is whole, not too long, and an answer of a model.
async fn read(mut answer: Response) -> Result<String, String> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(format!("its answer is longer than {} MiB", ANSWER >> 20)),
            Ok(None) => break,
            Err(_) => return Err("the connection broke in the middle of the answer".to_owned()),
        }
    }
    let text = String::from_utf8(body).map_err(|_| "its answer is no text".to_owned())?;
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if value["choices"][0]["message"].is_object() => Ok(text),
        Ok(_) | Err(_) => Err("its answer is not that of an OpenAI-compatible server".to_owned()),
    }
}

/// The tokens by the server's own count.
fn used(body: &str) -> Option<u64> {
    serde_json::from_str::<Value>(body).ok()?["usage"]["total_tokens"].as_u64()
}
