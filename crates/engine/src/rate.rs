//! A rate that all workers of an installation keep together, such as that of calls to a model. Tokens are taken from the store
//! in blocks: asking for each one would cost more than many a call, and a bucket for each worker would multiply the rate.

use std::time::Duration;

use sheaf_domain::Failure;
use sheaf_store::Taken;
use tokio::sync::Mutex;

use crate::Engine;

pub use sheaf_store::RateLimit;

/// A block is used up within about this time, so that what a worker takes with it when it ends is little.
const BLOCK: Duration = Duration::from_secs(1);

/// The longest wait before the store is asked again: others may have given back nothing, but the limit may have changed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gives permission to do something once.
pub struct RateLimiter {
    engine: Engine,
    /// What is limited; limiters of one name share the rate, in whatever process.
    bucket: String,
    limit: RateLimit,
    /// Tokens of the present block. Who waits holds the lock, so that whoever asked first is served first.
    left: Mutex<u32>,
}

impl Engine {
    /// A limiter for everything that is called `bucket`.
    pub fn rate_limiter(&self, bucket: &str, limit: RateLimit) -> RateLimiter {
        RateLimiter { engine: self.clone(), bucket: bucket.to_owned(), limit, left: Mutex::new(0) }
    }
}

impl RateLimiter {
    /// Waits until it may be done once more. It can be dropped at any time without losing more than it took.
    ///
    /// # Errors
    /// `storage`.
    pub async fn acquire(&self) -> Result<(), Failure> {
        let mut left = self.left.lock().await;
        while *left == 0 {
            match self.engine.store().take_tokens(&self.bucket, self.limit, block(self.limit)).await? {
                Taken::Granted(granted) => *left = granted.get(),
                Taken::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms).min(PATIENCE)).await,
            }
        }
        *left -= 1;
        Ok(())
    }
}

/// What a worker takes at a time: a second's worth, and never so much that others find an empty bucket.
fn block(limit: RateLimit) -> u32 {
    let second = limit.per_minute.get() / 60 * u32::try_from(BLOCK.as_secs()).unwrap_or(1);
    second.min(limit.burst.get() / 4).max(1)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn blocks_are_small() {
        let check = |per_minute: u32, burst: u32, expect: u32| {
            let of = |number| NonZeroU32::new(number).expect("not zero");
            assert_eq!(block(RateLimit { per_minute: of(per_minute), burst: of(burst) }), expect);
        };
        check(6_000, 1_000, 100);
        check(6_000, 40, 10);
        check(60, 1, 1);
        check(1, 1_000, 1);
    }
}
