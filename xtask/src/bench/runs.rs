//! `cargo xtask bench runs`: batches through the built server, as programs and browsers meet it: how many small documents a
//! second, how long answers take while a large batch runs, how soon a cancellation works, how a crowd is borne.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::Client;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use super::texts::text;
use crate::paths::{Paths, Profile};
use crate::{build, setup};

/// Longest wait for a batch.
const PATIENCE: Duration = Duration::from_secs(1800);

#[derive(clap::Args)]
pub struct Runs {
    /// Small documents of the measurement of throughput.
    #[arg(long, default_value_t = 10_000)]
    small: usize,
    /// Documents of the large batch.
    #[arg(long, default_value_t = 100_000)]
    large: usize,
    /// Listeners to the large batch's events.
    #[arg(long, default_value_t = 200)]
    listeners: usize,
    /// Cancellations.
    #[arg(long, default_value_t = 100)]
    cancels: usize,
    /// Connections that ask for a batch's page while another batch runs.
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// Seconds for which they do.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Measure this program instead of building one.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Only these: throughput, large, cancel, crowd.
    #[arg(long)]
    only: Vec<String>,
}

impl Runs {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let sheaf = match &self.program {
            Some(program) => program.clone(),
            None => {
                setup::setup(paths)?;
                build::build(paths, Profile::Release)?
            }
        };
        let wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|only| only == name);
        println!("| what | figure |\n|---|---|");
        if wanted("throughput") {
            self.throughput(&sheaf)?;
        }
        if wanted("cancel") {
            self.cancel(&sheaf)?;
        }
        if wanted("crowd") {
            self.crowd(&sheaf)?;
        }
        if wanted("large") {
            self.large(&sheaf)?;
        }
        Ok(())
    }

    /// Small documents from the first byte sent to the last one done.
    fn throughput(&self, sheaf: &Path) -> Result<()> {
        let server = Server::start(sheaf)?;
        let start = Instant::now();
        let id = server.upload("throughput", self.small, 0)?;
        server.wait(&id, |p| finished(p) == self.small as u64)?;
        let documents = start.elapsed().as_secs_f64();
        server.wait(&id, is_final)?;
        let all = start.elapsed().as_secs_f64();
        row(
            &format!("{} small texts, fast model", self.small),
            &format!(
                "{:.0} documents a second to the last vector ({documents:.1} s), {:.0} with the grouping ({all:.1} s)",
                self.small as f64 / documents,
                self.small as f64 / all
            ),
        );
        Ok(())
    }

    /// From the request to its answer, by which the parsers of the batch are told to end.
    fn cancel(&self, sheaf: &Path) -> Result<()> {
        let server = Server::start(sheaf)?;
        let id = server.upload("cancel", 5_000, 1)?;
        let mut waits = Vec::with_capacity(self.cancels);
        for _ in 0..self.cancels {
            server.wait(&id, |p| p["counts"]["processing"].as_u64() > Some(0) || is_final(p))?;
            let start = Instant::now();
            let status = server.post(&format!("/api/batches/{id}/cancel"), &Value::Null)?;
            if status != 200 {
                break; // It was done before.
            }
            let progress = server.get(&format!("/api/batches/{id}/progress"))?;
            ensure!(
                progress["counts"]["processing"] == 0,
                "something is in work after the cancellation: {}",
                progress["counts"]
            );
            waits.push(start.elapsed());
            server.post(&format!("/api/batches/{id}/restart"), &json!("cancelled"))?;
        }
        row(&format!("{} cancellations in the middle of work", waits.len()), &percentiles(&mut waits));
        Ok(())
    }

    /// What a crowd that reads a batch's page costs another batch that runs.
    fn crowd(&self, sheaf: &Path) -> Result<()> {
        let server = Server::start(sheaf)?;
        let shown = server.upload("shown", 500, 2)?;
        server.wait(&shown, is_final)?;
        // As much work as fills the time.
        let alone = server.rate_over(Duration::from_secs(self.seconds / 3 + 1), 3)?;
        let (asked, errors) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut waits = Vec::new();
        let stop = AtomicBool::new(false);
        let (address, path) = (&server.address, format!("/batches/{shown}"));
        let together = thread::scope(|scope| -> Result<f64> {
            let askers: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| ask_again_and_again(address, &path, &stop, &asked, &errors)))
                .collect();
            let together = server.rate_over(Duration::from_secs(self.seconds), 4);
            stop.store(true, Ordering::Relaxed);
            for asker in askers {
                waits.extend(asker.join().map_err(|_| anyhow::anyhow!("a connection gave up"))?);
            }
            together
        })?;
        row(
            &format!("{} connections on a batch's page for {} s", self.connections, self.seconds),
            &format!(
                "{} answers, {} errors, {}; another batch beside it at {:.0} % of its speed alone",
                asked.load(Ordering::Relaxed),
                errors.load(Ordering::Relaxed),
                percentiles(&mut waits),
                100.0 * together / alone
            ),
        );
        Ok(())
    }

    fn large(&self, sheaf: &Path) -> Result<()> {
        let server = Server::start(sheaf)?;
        let id = server.upload("large", self.large, 5)?;
        let (mut status, mut page) = (Vec::new(), Vec::new());
        let mut peak = 0_u64;
        let heard = thread::scope(|scope| -> Result<Vec<u64>> {
            let listeners: Vec<_> = (0..self.listeners).map(|_| scope.spawn(|| listen(&server.address, &id))).collect();
            loop {
                let start = Instant::now();
                let progress = server.get(&format!("/api/batches/{id}/progress"))?;
                status.push(start.elapsed());
                let start = Instant::now();
                server.page(&format!("/batches/{id}"))?;
                page.push(start.elapsed());
                peak = peak.max(server.memory());
                if is_final(&progress) {
                    break;
                }
                thread::sleep(Duration::from_millis(200));
            }
            listeners.into_iter().map(|l| l.join().map_err(|_| anyhow::anyhow!("a listener gave up"))?).collect()
        })?;
        row(&format!("{} short texts, the status call meanwhile", self.large), &percentiles(&mut status));
        row("their page meanwhile", &percentiles(&mut page));
        let mut done = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            server.page(&format!("/batches/{id}"))?;
            done.push(start.elapsed());
        }
        row("their page when they are done", &percentiles(&mut done));
        row("the server's memory at its peak", &format!("{} MB", peak >> 20));
        let (least, most) = (heard.iter().min().copied().unwrap_or(0), heard.iter().max().copied().unwrap_or(0));
        row(&format!("{} listeners", heard.len()), &format!("each heard the last word on {least} to {most} documents"));
        Ok(())
    }
}

pub(super) fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

pub(super) fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    format!("median {:.1} ms, 95 % within {:.1} ms, 99 % within {:.1} ms", at(0.5), at(0.95), at(0.99))
}

fn finished(progress: &Value) -> u64 {
    ["completed", "failed", "cancelled"].iter().filter_map(|state| progress["counts"][state].as_u64()).sum()
}

pub(super) fn is_final(progress: &Value) -> bool {
    matches!(progress["status"].as_str(), Some("completed" | "failed" | "cancelled"))
}

/// Asks for a page over one connection until it is told to stop; gives how long each answer took.
fn ask_again_and_again(
    address: &str,
    path: &str,
    stop: &AtomicBool,
    asked: &AtomicU64,
    errors: &AtomicU64,
) -> Vec<Duration> {
    let Ok(client) = Client::builder().timeout(Duration::from_secs(60)).build() else { return Vec::new() };
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = client.get(format!("{address}{path}")).send();
        let good = answer.is_ok_and(|answer| answer.status().is_success() && answer.bytes().is_ok());
        waits.push(start.elapsed());
        asked.fetch_add(1, Ordering::Relaxed);
        errors.fetch_add(u64::from(!good), Ordering::Relaxed);
    }
    waits
}

/// Listens until the end; gives the number of documents of which it heard that they are done.
fn listen(address: &str, id: &str) -> Result<u64> {
    // From the beginning: a cursor before all changes.
    let client = Client::builder().timeout(None).build()?;
    let answer = client.get(format!("{address}/api/batches/{id}/events")).header("Last-Event-ID", "0.0").send()?;
    let mut done = std::collections::HashSet::new();
    let mut name = String::new();
    for line in BufReader::new(answer).lines() {
        let line = line?;
        if let Some(event) = line.strip_prefix("event:") {
            name = event.trim().to_owned();
        } else if let Some(data) = line.strip_prefix("data:") {
            match name.as_str() {
                "documents" => {
                    let documents: Vec<Value> = serde_json::from_str(data)?;
                    let last = |d: &Value| matches!(d["status"].as_str(), Some("completed" | "failed"));
                    done.extend(
                        documents.iter().filter(|d| last(d)).filter_map(|d| d["id"].as_str().map(str::to_owned)),
                    );
                }
                "end" => break,
                _ => {}
            }
        }
    }
    Ok(done.len() as u64)
}

/// A server with a folder of its own.
pub(super) struct Server {
    child: Child,
    address: String,
    client: Client,
    _data: tempfile::TempDir,
}

impl Server {
    pub(super) fn start(sheaf: &Path) -> Result<Self> {
        Self::start_in(sheaf, tempfile::tempdir()?, &[])
    }

    /// With what is in a folder already.
    pub(super) fn start_in(sheaf: &Path, data: tempfile::TempDir, args: &[&str]) -> Result<Self> {
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

    pub(super) fn get(&self, path: &str) -> Result<Value> {
        let text = self.client.get(format!("{}{path}", self.address)).send()?.error_for_status()?.text()?;
        Ok(serde_json::from_str(&text)?)
    }

    pub(super) fn page(&self, path: &str) -> Result<()> {
        let mut answer = self.client.get(format!("{}{path}", self.address)).send()?.error_for_status()?;
        answer.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    fn post(&self, path: &str, body: &Value) -> Result<u16> {
        let request = self.client.post(format!("{}{path}", self.address)).header("Content-Type", "application/json");
        Ok(request.body(body.to_string()).send()?.status().as_u16())
    }

    /// Sends texts that no other `salt` has.
    fn upload(&self, name: &str, documents: usize, salt: usize) -> Result<String> {
        self.upload_texts(name, (0..documents).map(|i| text(salt, i)))
    }

    /// Sends texts as files of one batch.
    pub(super) fn upload_texts(&self, name: &str, texts: impl Iterator<Item = String>) -> Result<String> {
        let mut form = Form::new().text("name", name.to_owned()).text("model", "fast");
        for (i, text) in texts.enumerate() {
            let part = Part::bytes(text.into_bytes()).file_name(format!("{:03}/{i:06}.txt", i / 1000));
            form = form.part("files", part);
        }
        let answer = self.client.post(format!("{}/api/batches", self.address)).multipart(form).send()?;
        let batch: Value = serde_json::from_str(&answer.text()?)?;
        batch["id"].as_str().map(str::to_owned).with_context(|| format!("no batch was made: {batch}"))
    }

    pub(super) fn wait(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if wanted(&self.get(&format!("/api/batches/{id}/progress"))?) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the batch hangs")
    }

    /// Documents a second of a batch that runs for that long.
    fn rate_over(&self, time: Duration, salt: usize) -> Result<f64> {
        let id = self.upload("rate", 30_000, salt)?;
        let counted =
            |server: &Self| Ok::<_, anyhow::Error>(finished(&server.get(&format!("/api/batches/{id}/progress"))?));
        let (start, before) = (Instant::now(), counted(self)?);
        thread::sleep(time.min(Duration::from_secs(15)));
        let rate = (counted(self)? - before) as f64 / start.elapsed().as_secs_f64();
        thread::sleep(time.saturating_sub(start.elapsed()));
        self.post(&format!("/api/batches/{id}/cancel"), &Value::Null)?;
        Ok(rate)
    }

    /// Resident bytes of the server itself.
    pub(super) fn memory(&self) -> u64 {
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
