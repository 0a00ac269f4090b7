//! A server of its own for a measurement.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::Client;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use super::is_final;
use crate::bench::texts::text;

/// Longest wait for a batch.
const PATIENCE: Duration = Duration::from_secs(1800);

/// A server with a folder of its own.
pub struct Server {
    child: Child,
    pub address: String,
    pub client: Client,
    _data: tempfile::TempDir,
}

impl Server {
    pub fn start(sheaf: &Path) -> Result<Self> {
        Self::start_in(sheaf, tempfile::tempdir()?, &[])
    }

    /// With what is in a folder already.
    pub fn start_in(sheaf: &Path, data: tempfile::TempDir, args: &[&str]) -> Result<Self> {
        let mut child = Command::new(sheaf)
            .args(["serve", "--port", "0", "--data"])
            .arg(data.path())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("piped")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("Sheaf is at ").context("it does not say where it is")?.to_owned();
        let client = Client::builder().timeout(Duration::from_secs(600)).build()?;
        Ok(Self { child, address, client, _data: data })
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        let text = self.client.get(format!("{}{path}", self.address)).send()?.error_for_status()?.text()?;
        Ok(serde_json::from_str(&text)?)
    }

    pub fn text(&self, path: &str) -> Result<String> {
        Ok(self.client.get(format!("{}{path}", self.address)).send()?.error_for_status()?.text()?)
    }

    pub fn page(&self, path: &str) -> Result<()> {
        let mut answer = self.client.get(format!("{}{path}", self.address)).send()?.error_for_status()?;
        answer.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<u16> {
        let request = self.client.post(format!("{}{path}", self.address)).header("Content-Type", "application/json");
        Ok(request.body(body.to_string()).send()?.status().as_u16())
    }

    /// Sends texts that no other `salt` has.
    pub fn upload(&self, name: &str, documents: usize, salt: usize) -> Result<String> {
        self.upload_texts(name, (0..documents).map(|i| text(salt, i)))
    }

    /// Sends texts as files of one batch.
    pub fn upload_texts(&self, name: &str, texts: impl Iterator<Item = String>) -> Result<String> {
        let mut form = Form::new().text("name", name.to_owned()).text("model", "fast");
        for (i, text) in texts.enumerate() {
            let part = Part::bytes(text.into_bytes()).file_name(format!("{:03}/{i:06}.txt", i / 1000));
            form = form.part("files", part);
        }
        let answer = self.client.post(format!("{}/api/batches", self.address)).multipart(form).send()?;
        let batch: Value = serde_json::from_str(&answer.text()?)?;
        batch["id"].as_str().map(str::to_owned).with_context(|| format!("no batch was made: {batch}"))
    }

    pub fn wait(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if wanted(&self.get(&format!("/api/batches/{id}/progress"))?) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the batch hangs")
    }

    /// A batch of which nothing is in work: it waits for [`Server::rate`].
    pub fn held_back(&self, documents: usize, salt: usize) -> Result<String> {
        let id = self.upload("rate", documents, salt)?;
        self.post(&format!("/api/batches/{id}/cancel"), &Value::Null)?;
        self.wait(&id, is_final)?;
        Ok(id)
    }

    /// Documents a second of a batch that was held back, from its start to its last vector or until the time is over.
    pub fn rate(&self, id: &str, time: Duration) -> Result<f64> {
        let progress = || self.get(&format!("/api/batches/{id}/progress"));
        let done = |progress: &Value| progress["counts"]["completed"].as_u64().unwrap_or_default();
        let before = done(&progress()?);
        let start = Instant::now();
        ensure!(self.post(&format!("/api/batches/{id}/restart"), &json!("cancelled"))? == 200, "it does not go on");
        loop {
            let now = progress()?;
            let seconds = start.elapsed();
            if seconds > time || now["counts"]["pending"] == 0 && now["counts"]["processing"] == 0 {
                self.post(&format!("/api/batches/{id}/cancel"), &Value::Null)?;
                return Ok((done(&now) - before) as f64 / seconds.as_secs_f64());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Resident bytes of the server itself.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() << 10
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
