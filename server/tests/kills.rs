//! kill -9 at any moment, a hundred times on each store: nothing is lost, nothing is done twice, and the work goes on. The
//! number can be set: `SHEAF_KILLS=1000 cargo nextest run -p server --test kills`.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use sheaf_test_postgres::TestPostgres;
use support::Server;

/// Kills unless something else is said.
const KILLS: usize = 100;
/// Documents that arrive after each kill, so that there is always something in work.
const PER_ROUND: usize = 12;

/// Small texts, no two the same.
fn texts(round: usize) -> Vec<(String, Vec<u8>)> {
    const WORDS: [&str; 8] = ["harbour", "winter", "bread", "orchard", "violin", "granite", "ledger", "comet"];
    (0..PER_ROUND)
        .map(|i| {
            let word = |n: usize| WORDS[(round + i * 3 + n) % WORDS.len()];
            let text = format!("Letter {i} of round {round}: the {} and the {} of the {}.", word(0), word(1), word(2));
            (format!("{round:04}/{i:02}.txt"), text.into_bytes())
        })
        .collect()
}

#[tokio::test]
async fn a_hundred_kills_lose_nothing_and_double_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    kill_again_and_again(|| Server::start(data.path(), &[])).await;
}

#[tokio::test]
async fn a_hundred_kills_beside_postgres_lose_nothing_and_double_nothing() {
    let (postgres, data) = (TestPostgres::start(), tempfile::tempdir().expect("a folder"));
    let url = postgres.database();
    // Nobody but time says here that a lease is lost: others could be at work.
    kill_again_and_again(|| Server::start(data.path(), &["--database", &url, "--lease-seconds", "2"])).await;
    assert_eq!(postgres.psql("test_0", "SELECT count(*) FROM jobs WHERE state <> 'completed'"), "0");
}

async fn kill_again_and_again(start: impl Fn() -> Server) {
    let kills = std::env::var("SHEAF_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut server = start();
    let mut batches = Vec::new();
    let mut in_work = 0;
    for round in 0..kills {
        let (status, batch) = server.upload(&[("model", "fast")], &texts(round)).await;
        assert_eq!(status, 201, "{batch}");
        let id = batch["id"].as_str().expect("an id").to_owned();
        // At another moment each time, from the first claim to the grouping and after it.
        tokio::time::sleep(Duration::from_millis((round * 37 % 400) as u64)).await;
        in_work += usize::from(server.get(&format!("/api/batches/{id}")).await.1["finished_at"].is_null());
        batches.push(id);
        server.kill();
        server = start();
    }
    assert!(in_work * 4 > kills, "many kills have to hit a running batch, and {in_work} of {kills} did");

    for (round, id) in batches.iter().enumerate() {
        let batch = server.finished(id).await;
        assert_eq!(batch["status"], "completed", "{batch}");
        assert_eq!(batch["counts"]["completed"], PER_ROUND, "{}", batch["counts"]);
        let (_, lines) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=jsonl")).await;
        let paths: Vec<String> = lines
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).expect("JSON")["path"].as_str().expect("a path").into()
            })
            .collect();
        let expected: BTreeSet<String> = texts(round).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), PER_ROUND, "round {round}");
        assert_eq!(paths.into_iter().collect::<BTreeSet<_>>(), expected, "every document once");
    }
    println!("{kills} kills, {in_work} of them in the middle of a batch: every document once");
}
