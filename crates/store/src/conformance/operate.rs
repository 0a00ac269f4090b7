//! What operators watch and limit: the depth of the queue, and rates that all workers share.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sheaf_domain::{Failure, FailureCode, Stage};

use super::{batch_of, claim, parsed, record};
use crate::{QueueDepth, RateLimit, Store, Taken};

pub async fn the_queue_is_measured<S: Store>(store: &S) {
    let of = async |stage: Stage| {
        let depths = store.queue_depths().await.expect("measured");
        assert_eq!(depths.len(), Stage::ALL.len(), "every stage, empty ones included");
        depths.into_iter().find(|depth| depth.stage == stage).expect("it is there")
    };
    let empty = |stage| QueueDepth { stage, ready: 0, delayed: 0, processing: 0, dead: 0, oldest_ready_ms: 0 };
    assert_eq!(of(Stage::Parse).await, empty(Stage::Parse));

    batch_of(store, &["a.txt", "b.txt", "c.txt", "d.txt"]).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let found = of(Stage::Parse).await;
    assert_eq!(found.ready, 4);
    assert!((1..60_000).contains(&found.oldest_ready_ms), "{} ms", found.oldest_ready_ms);
    let claims = claim(store, Stage::Parse, 3).await;
    assert!(parsed(store, &claims[0], record("a")).await);
    let slow = Failure::new(FailureCode::TimedOut, "slow");
    assert!(store.fail(&claims[1], &slow, Some(60_000)).await.expect("answered"));
    let found = of(Stage::Parse).await;
    assert_eq!((found.ready, found.delayed, found.processing, found.dead), (1, 1, 1, 0));
    assert_eq!(of(Stage::Embed).await.ready, 1);

    assert_eq!(store.expire_leases(1, true).await.expect("expired"), 1);
    let found = of(Stage::Parse).await;
    assert_eq!((found.processing, found.dead), (0, 1), "its worker vanished once too often");
}

fn limit(per_minute: u32, burst: u32) -> RateLimit {
    let of = |number| NonZeroU32::new(number).expect("not zero");
    RateLimit { per_minute: of(per_minute), burst: of(burst) }
}

pub async fn a_bucket_gives_what_it_has<S: Store>(store: &S) {
    let slow = limit(1, 5);
    let take = async |bucket: &str, want| store.take_tokens(bucket, slow, want).await.expect("answered");
    let granted = |number| Taken::Granted(NonZeroU32::new(number).expect("not zero"));
    assert_eq!(take("a", 3).await, granted(3));
    assert_eq!(take("a", 3).await, granted(2), "the rest");
    let Taken::Wait { ms } = take("a", 3).await else { panic!("nothing is left") };
    assert!((50_000..=60_000).contains(&ms), "{ms} ms for the next of one a minute");
    assert_eq!(take("b", 1).await, granted(1), "another bucket");
    assert_eq!(take("b", 0).await, granted(1), "one at least");
}

pub async fn concurrent_takers_hold_the_rate<S: Store>(store: &S) {
    const BURST: u32 = 20;
    const PER_MINUTE: u32 = 6_000;
    let begun = Instant::now();
    let taken = AtomicU32::new(0);
    let taker = async || {
        while taken.load(Ordering::Relaxed) < 3 * BURST {
            match store.take_tokens("model", limit(PER_MINUTE, BURST), 3).await.expect("answered") {
                Taken::Granted(granted) => drop(taken.fetch_add(granted.get(), Ordering::Relaxed)),
                Taken::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            }
            // Measured after it was given, so a slow machine only gives the bucket more time than it is held to.
            let most = f64::from(BURST) + begun.elapsed().as_secs_f64() * f64::from(PER_MINUTE) / 60.0 + 1.0;
            let taken = taken.load(Ordering::Relaxed);
            assert!(f64::from(taken) <= most, "{taken} tokens, {most} at most");
        }
    };
    tokio::join!(taker(), taker(), taker(), taker());
}
