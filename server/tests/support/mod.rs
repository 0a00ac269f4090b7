//! The real binary, started as a user would start it.

#![expect(dead_code, reason = "each test file uses a part of this")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::multipart::{Form, Part};
use serde_json::Value;

pub const SHEAF: &str = env!("CARGO_BIN_EXE_sheaf");

/// Texts on three topics, one of them in each folder of `fixtures/pile`.
pub fn pile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/pile")
}

/// A folder of the shared corpora; none, with a word about it, where they are not.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no {}", path.display());
    None
}

/// Every file below a folder with its path relative to it, sorted.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
                found.push((name, std::fs::read(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

pub fn analyze(args: &[&str]) -> Output {
    Command::new(SHEAF).arg("analyze").args(args).output().expect("sheaf starts")
}

/// Sends SIGTERM to a process.
pub fn ask_to_end(process: u32) {
    let sent = Command::new("kill").args(["-TERM", &process.to_string()]).status().expect("kill starts");
    assert!(sent.success());
}

/// Sends SIGTERM and waits for the end.
pub fn terminate(child: &mut Child) -> ExitStatus {
    ask_to_end(child.id());
    child.wait().expect("it ends")
}

/// A server with a data folder of its own; killed when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    pub client: reqwest::Client,
}

impl Server {
    pub fn start(data: &Path, args: &[&str]) -> Self {
        Self::start_with(data, args, &[])
    }

    /// With variables in its environment.
    pub fn start_with(data: &Path, args: &[&str], variables: &[(&str, String)]) -> Self {
        Self::spawn(data, args, variables, Stdio::null())
    }

    /// With its log in a file.
    pub fn start_logging(data: &Path, args: &[&str], log: Stdio) -> Self {
        Self::spawn(data, args, &[], log)
    }

    fn spawn(data: &Path, args: &[&str], variables: &[(&str, String)], log: Stdio) -> Self {
        // The program's own choice of cryptography leaves none for clients. An error says that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Before the server, which a panic would leave running.
        let client = reqwest::Client::new();
        let mut child = Command::new(SHEAF)
            .args(["serve", "--port", "0", "--data"])
            .arg(data)
            .args(args)
            .envs(variables.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("sheaf starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it is");
        let address = line.trim().strip_prefix("Sheaf is at ").expect("an address").to_owned();
        Self { child, address, client }
    }

    /// Of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As when the machine loses its power.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end and waits until it has.
    pub fn terminate(mut self) -> ExitStatus {
        terminate(&mut self.child)
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    pub async fn text(&self, path: &str) -> (reqwest::header::HeaderMap, String) {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        (answer.headers().clone(), answer.text().await.expect("text"))
    }

    pub async fn upload(&self, fields: &[(&str, &str)], files: &[(String, Vec<u8>)]) -> (u16, Value) {
        self.send("/api/batches", fields, files).await
    }

    /// Adds files to a batch.
    pub async fn add(&self, id: &str, files: &[(String, Vec<u8>)]) {
        let (status, batch) = self.send(&format!("/api/batches/{id}/documents"), &[], files).await;
        assert!((200..300).contains(&status), "{status}: {batch}");
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)], files: &[(String, Vec<u8>)]) -> (u16, Value) {
        let mut form = Form::new();
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        for (name, bytes) in files {
            form = form.part("files", Part::bytes(bytes.clone()).file_name(name.clone()));
        }
        let request = self.client.post(format!("{}{path}", self.address)).multipart(form);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    /// Waits until nothing more happens to the batch.
    pub async fn finished(&self, id: &str) -> Value {
        let start = Instant::now();
        loop {
            let (status, batch) = self.get(&format!("/api/batches/{id}")).await;
            assert_eq!(status, 200);
            if matches!(batch["status"].as_str(), Some("completed" | "failed")) {
                return batch;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "the batch hangs: {}", batch["counts"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
