//! What pages may take from the work. While documents are worked on, the rendering of pages gets a share of the cores, so
//! that a crowd of readers slows them down by little; it then waits in a line, first come, first served. A few pages cost
//! less than that share, and never wait; with nothing to work on nobody does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use sheaf_engine::Engine;
use tokio::sync::Semaphore;

/// Seconds of rendering for each second and core.
const SHARE: f64 = 0.25;

/// Seconds of rendering that are saved up while nobody asks.
const SAVED: f64 = 1.0;

/// How often somebody who waits looks whether the work is over.
const LOOK: Duration = Duration::from_millis(200);

/// These are no pages: they are cheap, or bounded elsewhere, or what operators need to see in a crowd.
const NO_PAGES: [&str; 5] = ["/api/", "/pkg/", "/healthz", "/readyz", "/metrics"];

/// The share of pages in one process.
#[derive(Clone)]
pub struct Share {
    engine: Engine,
    /// One for each page that is rendered at the same time.
    turns: Arc<Semaphore>,
    budget: Arc<Mutex<Budget>>,
}

/// A token bucket of seconds: it fills by `rate` and is taken from afterwards, so it can be in debt.
struct Budget {
    /// Seconds that may be spent.
    left: f64,
    /// Seconds that come in each second.
    rate: f64,
    since: Instant,
}

impl Budget {
    fn new(rate: f64, now: Instant) -> Self {
        Self { left: SAVED, rate, since: now }
    }

    /// How long until something may be spent; zero when it may be now.
    fn wait(&mut self, now: Instant) -> Duration {
        self.left = (self.left + now.duration_since(self.since).as_secs_f64() * self.rate).min(SAVED);
        self.since = now;
        Duration::from_secs_f64((-self.left).max(0.0) / self.rate)
    }

    fn spend(&mut self, time: Duration) {
        self.left -= time.as_secs_f64();
    }
}

/// The rendering of one page, charged at its end, however it ends.
struct Rendering<'a> {
    share: &'a Share,
    since: Instant,
}

impl Drop for Rendering<'_> {
    fn drop(&mut self) {
        self.share.budget().spend(self.since.elapsed());
    }
}

impl Share {
    pub fn new(engine: Engine) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let budget = Budget::new(SHARE * cores as f64, Instant::now());
        Self { engine, turns: Arc::new(Semaphore::new(cores)), budget: Arc::new(Mutex::new(budget)) }
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        // Arithmetic does not panic, so the budget is whole.
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when something may be spent, or there is no work that it would be taken from.
    async fn affordable(&self) {
        while self.engine.is_at_work() {
            let wait = self.budget().wait(Instant::now());
            if wait.is_zero() {
                return;
            }
            tokio::time::sleep(wait.min(LOOK)).await;
        }
    }
}

/// Lets pages wait for their turn while there is work.
pub async fn page(State(share): State<Share>, request: Request<Body>, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = *request.method() == Method::GET && !NO_PAGES.iter().any(|prefix| path.starts_with(prefix));
    if !is_page || !share.engine.is_at_work() {
        return next.run(request).await;
    }
    // It is never closed; were it, pages would be served at once.
    let _turn = share.turns.acquire().await.ok();
    share.affordable().await;
    let _rendering = Rendering { share: &share, since: Instant::now() };
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_at_the_rate() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut budget = Budget::new(0.25, start);
        assert_eq!(budget.wait(at(0.0)), Duration::ZERO);
        budget.spend(Duration::from_secs_f64(SAVED + 0.5));
        assert_eq!(budget.wait(at(0.0)), Duration::from_secs(2));
        assert_eq!(budget.wait(at(1.0)), Duration::from_secs(1));
        assert_eq!(budget.wait(at(2.0)), Duration::ZERO);
    }

    #[test]
    fn no_more_is_saved_than_a_second() {
        let start = Instant::now();
        let mut budget = Budget::new(0.25, start);
        let later = start + Duration::from_secs(1000);
        assert_eq!(budget.wait(later), Duration::ZERO);
        budget.spend(Duration::from_secs_f64(SAVED + 0.25));
        assert_eq!(budget.wait(later), Duration::from_secs(1));
    }
}
