//! A PostgreSQL of its own for a test: a fresh cluster in a temporary folder. It is stopped and removed however the test
//! ends, a kill included. It refuses to be used for anything that has to last.

mod programs;

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use programs::{Account, Programs};
use tempfile::TempDir;

/// The password of the user `sheaf`.
pub const PASSWORD: &str = "correct-horse-battery-staple";

/// Starts the server and stops it: on request, and for good when its input ends, which it does even if the test is killed. It
/// then removes the folder, for nobody else may be left to do so.
const KEEPER: &str = r#"
folder=$1; shift
"$@" & server=$!
while read -r order; do
  case $order in
    stop) kill -QUIT $server; wait $server ;;
    start) "$@" & server=$! ;;
  esac
  echo done
done
kill -QUIT $server; wait $server; rm -rf "$folder/data"
"#;

/// How long a server may take to answer.
const READY: Duration = Duration::from_secs(60);

/// A running PostgreSQL.
pub struct TestPostgres {
    programs: Programs,
    account: Account,
    keeper: Child,
    orders: Option<ChildStdin>,
    done: BufReader<ChildStdout>,
    port: u16,
    databases: std::sync::atomic::AtomicU32,
    folder: TempDir,
}

impl TestPostgres {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When PostgreSQL is missing or does not start: a test that needs it cannot pass without.
    pub fn start() -> Self {
        let programs = Programs::find();
        let account = Account::find();
        let folder = tempfile::Builder::new().prefix("sheaf-postgres-").tempdir().expect("a temporary folder");
        if let Some(ids) = account.ids {
            chown(folder.path(), Some(ids.0), Some(ids.1)).expect("root may give its folder away");
        }
        let port = free_port();
        make_cluster(&programs, &account, folder.path());
        let mut command = account.command("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(folder.path()).arg(programs.path("postgres"));
        command.arg("-D").arg(folder.path().join("data")).arg("-k").arg(folder.path());
        command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        // Nothing has to last, and nothing of the server's own making shall come between a test and what it waits for.
        for setting in
            ["fsync=off", "full_page_writes=off", "max_connections=200", "shared_buffers=32MB", "autovacuum=off"]
        {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::create(folder.path().join("log")).expect("a log");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        // A group of its own: a signal for the test's must reach the server through its keeper only.
        let mut keeper = command.process_group(0).spawn().expect("sh starts");
        let orders = keeper.stdin.take();
        let done = BufReader::new(keeper.stdout.take().expect("piped"));
        let databases = std::sync::atomic::AtomicU32::new(0);
        let server = Self { programs, account, keeper, orders, done, port, databases, folder };
        server.wait_until_ready();
        server
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("test_{number}");
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://sheaf:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs a statement as an administrator and gives what it prints: rows on lines, columns between `|`.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        let mut command = self.account.command(self.programs.path("psql"));
        command.args(["-XAtq", "-U", "sheaf", "-v", "ON_ERROR_STOP=1", "-p", &self.port.to_string()]);
        let output = command.arg("-h").arg(self.folder.path()).args(["-d", database, "-c", sql]).output();
        let output = output.expect("psql starts");
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Ends the server at once, as a crash would: connections break, what was not committed is lost.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        self.order("stop");
    }

    /// Starts the stopped server again, with its data and address.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.order("start");
        self.wait_until_ready();
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("open until it is dropped");
        writeln!(orders, "{order}").and_then(|()| orders.flush()).expect("the keeper listens");
        let mut line = String::new();
        self.done.read_line(&mut line).expect("the keeper answers");
        assert_eq!(line, "done\n", "PostgreSQL's keeper is gone: {}", self.log());
    }

    fn wait_until_ready(&self) {
        let start = Instant::now();
        loop {
            let mut command = self.account.command(self.programs.path("pg_isready"));
            command.args(["-q", "-p", &self.port.to_string(), "-h"]).arg(self.folder.path());
            if command.status().is_ok_and(|status| status.success()) {
                return;
            }
            assert!(start.elapsed() < READY, "PostgreSQL does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the server has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        // The end of its input is the order to end.
        drop(self.orders.take());
        let _ = self.keeper.wait();
    }
}

fn make_cluster(programs: &Programs, account: &Account, folder: &Path) {
    let password = folder.join("password");
    std::fs::write(&password, PASSWORD).expect("written");
    let mut command = account.command(programs.path("initdb"));
    command.arg("-D").arg(folder.join("data")).arg("--pwfile").arg(&password);
    command.args(["--username=sheaf", "--auth-local=trust", "--auth-host=scram-sha-256"]);
    // A locale that sorts unlike bytes do, if there is one, would show what leans on the database's own order.
    command.args(["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]);
    let output = command.output().expect("initdb starts");
    assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map_err(|error: io::Error| error.to_string()).expect("a free port").port()
}
