//! Machines that share a database and a bucket over a network that fails: three workers in network namespaces, one whose link
//! is cut, one that is killed, a database that restarts and a disk that is full. It wants root and `ip` of iproute2, and says
//! so where it has not.

#[expect(dead_code, reason = "the bucket stays")]
#[path = "../../crates/engine/tests/support/s3.rs"]
mod s3;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use s3::S3;
use sheaf_test_postgres::TestPostgres;
use support::{SHEAF, Server, files, pile};
use tokio::net::{TcpListener, TcpStream};

fn ip(args: &str) -> bool {
    let output = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// A machine of its own, as far as its network goes, on a cable to this one. Removed when dropped.
struct Machine {
    name: String,
    /// This end of its cable.
    cable: String,
    /// Where it finds this machine.
    host: String,
}

impl Machine {
    /// None, with a word about it, where that is not allowed.
    fn start(number: u8) -> Option<Self> {
        let process = std::process::id();
        let (name, cable) = (format!("sheaf-{process}-{number}"), format!("sh{process}-{number}"));
        if !ip(&format!("netns add {name}")) {
            eprintln!("SKIPPED: network namespaces want root and `ip` of iproute2");
            return None;
        }
        let net = format!("10.{}.{number}", 100 + process % 100);
        let machine = Self { host: format!("{net}.1"), name, cable };
        let Self { name, cable, host } = &machine;
        for step in [
            format!("link add {cable} type veth peer name eth0 netns {name}"),
            format!("addr add {host}/30 dev {cable}"),
            format!("link set {cable} up"),
            format!("-n {name} addr add {net}.2/30 dev eth0"),
            format!("-n {name} link set eth0 up"),
            format!("-n {name} link set lo up"),
        ] {
            assert!(ip(&step), "ip {step}");
        }
        Some(machine)
    }

    fn set_link(&self, state: &str) {
        assert!(ip(&format!("link set {} {state}", self.cable)));
    }

    /// Takes what comes for `address` on this end of the cable to this machine's own.
    async fn forward(&self, address: SocketAddr) {
        let listener = TcpListener::bind((self.host.as_str(), address.port())).await.expect("free on this cable");
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(address).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await; // A cut line is the ends' to notice.
                });
            }
        });
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        ip(&format!("link del {}", self.cable));
        ip(&format!("netns del {}", self.name));
    }
}

/// `sheaf work` on a machine; killed when dropped.
struct Worker(Child);

impl Worker {
    fn start(machine: &Machine, data: &Path, database: &str, variables: &[(&str, String)]) -> Self {
        let local = |text: &str| text.replace("127.0.0.1", &machine.host);
        let child = Command::new("ip")
            .args(["netns", "exec", &machine.name, SHEAF, "work", "--threads", "1", "--lease-seconds", "3"])
            .args(["--blobs", "s3://sheaf/letters", "--data"])
            .arg(data)
            .env("SHEAF_DATABASE", local(database))
            .envs(variables.iter().map(|(name, value)| (*name, local(value))))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.expect("ip starts"))
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("ours");
    }

    /// Whether it has leases. `ip` becomes the program that it starts, so that both have one number.
    fn holds_something(&self, postgres: &TestPostgres) -> bool {
        let mine =
            format!("SELECT count(*) FROM jobs WHERE state = 'processing' AND worker LIKE '%-{}-%'", self.0.id());
        postgres.psql("test_0", &mine) != "0"
    }
}

/// Interrupts a worker so that it keeps leases which it cannot give back; between two jobs it is let go on and interrupted again.
/// When there is nothing left to do for it, it is fed.
async fn interrupt(
    worker: &Worker,
    postgres: &TestPostgres,
    (cut, mend): (impl Fn(), impl Fn()),
    feed: &mut impl AsyncFnMut(),
) {
    let start = Instant::now();
    let mut idle = 0;
    loop {
        if start.elapsed() > Duration::from_secs(60) {
            let jobs = "SELECT stage, state, worker, count(*) FROM jobs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
            panic!("worker {} never holds anything:\n{}", worker.0.id(), postgres.psql("test_0", jobs));
        }
        if worker.holds_something(postgres) {
            cut();
            // For what is under way already.
            tokio::time::sleep(Duration::from_millis(30)).await;
            if worker.holds_something(postgres) {
                return;
            }
            mend();
        } else {
            idle += 1;
        }
        if idle == 20 {
            feed().await;
            idle = 0;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A disk of that many bytes; gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(bytes: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "sheaf"]).arg(folder.path());
        assert!(mount.status().expect("mount starts").success());
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

type Files = Vec<(String, Vec<u8>)>;

/// Copies of a pile, each document a little different from the same of another copy.
fn copies(pile: &[(String, Vec<u8>)], numbers: Range<usize>) -> Files {
    let copy = |copy: usize, (path, bytes): &(String, Vec<u8>)| {
        (format!("{copy}/{path}"), [bytes, format!("\n\nCopy number {copy}.\n").as_bytes()].concat())
    };
    numbers.flat_map(|number| pile.iter().map(move |file| copy(number, file))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_link_a_killed_worker_a_restarted_database_and_a_full_disk_lose_and_double_nothing() {
    let Some(machines) = (1..=3).map(Machine::start).collect::<Option<Vec<_>>>() else { return };
    let (mut postgres, bucket) = (TestPostgres::start(), S3::start());
    let (database, folder) = (postgres.database(), tempfile::tempdir().expect("a folder"));
    let variables = bucket.variables();
    let port_of = |url: &str| -> SocketAddr {
        let host = url.rsplit_once("127.0.0.1:").expect("this machine").1.split('/').next().expect("a port");
        format!("127.0.0.1:{host}").parse().expect("an address")
    };
    let disk = SmallDisk::mount(24 << 20);
    let blobs = ["--blobs", "s3://sheaf/letters", "--database", &database, "--no-work"];
    let server = Server::start_with(&disk.0.path().join("data"), &blobs, &variables);
    let mut workers = Vec::new();
    for machine in &machines {
        machine.forward(port_of(&database)).await;
        machine.forward(port_of(&bucket.endpoint())).await;
        workers.push(Worker::start(machine, &folder.path().join(&machine.name), &database, &variables));
    }

    // The disk on which uploads arrive is full.
    let ballast = disk.0.path().join("ballast");
    let filled = fs::write(&ballast, vec![1; 32 << 20]);
    assert!(filled.is_err(), "the disk is small");
    let pile: Files = files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt")).collect();
    let first = 1200 / pile.len();
    let sent = copies(&pile, 0..first);
    let (status, refused) = server.upload(&[("model", "fast")], &sent[..1]).await;
    assert_eq!((status, &refused["code"]), (503, &"storage".into()), "{refused}");
    assert!(refused["message"].as_str().is_some_and(|message| message.contains("No space left")), "{refused}");
    fs::remove_file(&ballast).expect("removable");
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();

    // Until so many more are completed; whether there is still something to do then.
    let advance = async |more: u64| {
        let (start, mut least) = (Instant::now(), None);
        loop {
            let (_, batch) = server.get(&format!("/api/batches/{id}")).await;
            let completed = batch["counts"]["completed"].as_u64().expect("a number");
            let least = *least.get_or_insert(completed + more);
            if completed >= least || !batch["finished_at"].is_null() {
                return batch["finished_at"].is_null();
            }
            assert!(start.elapsed() < Duration::from_secs(60), "nothing goes on: {}", batch["counts"]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut number = first;
    let mut feed = async || {
        server.add(&id, &copies(&pile, number..number + 10)).await;
        number += 10;
    };
    let link = (|| machines[0].set_link("down"), || machines[0].set_link("up"));
    interrupt(&workers[0], &postgres, link, &mut feed).await;
    let signal = (|| workers[1].signal(Signal::STOP), || workers[1].signal(Signal::CONT));
    interrupt(&workers[1], &postgres, signal, &mut feed).await;
    // All may be done by now.
    for _ in 0..5 {
        feed().await;
    }
    let sent = number * pile.len();
    workers[1].kill();
    assert!(advance(60).await, "the third carries on");
    postgres.stop();
    let down = server.get("/readyz").await;
    assert_eq!(down.0, 503, "{}", down.1);
    let page = server.client.get(format!("{}/batches/{id}", server.address)).send().await.expect("an answer");
    let (status, page) = (page.status(), page.text().await.expect("text"));
    assert!(page.contains("the database refused"), "{status}: {page}");
    postgres.restart();
    machines[0].set_link("up");

    let batch = server.finished(&id).await;
    assert_eq!((&batch["status"], &batch["counts"]["completed"]), (&"completed".into(), &sent.into()));
    assert_eq!(server.get("/readyz").await.0, 200);
    let (_, lines) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=jsonl")).await;
    let paths: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["path"].to_string())
        .collect();
    assert_eq!(paths.len(), sent);
    assert_eq!(paths.into_iter().collect::<BTreeSet<_>>().len(), sent, "every document once");
    assert!(workers[0].0.try_wait().expect("asked").is_none(), "the worker behind the cut link lives on");
    assert!(workers[2].0.try_wait().expect("asked").is_none());
    let lost = postgres.psql("test_0", "SELECT count(*) FROM jobs WHERE crashes > 0");
    assert_ne!(lost, "0", "leases of the cut and of the killed worker ran out");
}

/// Nothing is looked up and nothing is called: a machine without any network gives the same results.
#[test]
fn without_a_network_everything_is_analysed() {
    let Some(machine) = Machine::start(9) else { return };
    assert!(ip(&format!("-n {} link del eth0", machine.name)), "not even a cable");
    let out = tempfile::tempdir().expect("a folder");
    let input = pile().to_string_lossy().into_owned();
    let analyse = |name: &str, command: &mut Command| {
        let folder = out.path().join(name);
        let output = command.args(["analyze", &input, "--model", "fast", "--out"]).arg(&folder).output();
        let output = output.expect("it starts");
        assert!(matches!(output.status.code(), Some(0 | 2)), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(folder.join("documents.csv")).expect("results")
    };
    let alone = analyse("alone", Command::new("ip").args(["netns", "exec", &machine.name, SHEAF]));
    assert!(alone == analyse("here", &mut Command::new(SHEAF)), "the same results");
}
