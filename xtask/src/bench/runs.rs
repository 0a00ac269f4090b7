//! `cargo xtask bench runs`: batches through the built server, as programs and browsers meet it: how many small documents a
//! second, how long answers take while a large batch runs, how soon a cancellation works, how a crowd is borne.

mod queue;
mod server;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::paths::{Paths, Profile};
use crate::{build, setup};
pub(super) use server::Server;

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
    /// Small documents of the batch that runs beside them.
    #[arg(long, default_value_t = 40_000)]
    work: usize,
    /// Seconds for which they do.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Measure this program instead of building one.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Real documents, for the measurement of what the queue costs; the corpora's PDFs when not given.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Turns of that measurement.
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Only these: throughput, queue, cancel, crowd, large.
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
        if wanted("queue") {
            let folder = match self.folder.clone() {
                Some(folder) => folder,
                None => paths.corpora()?.join("documents/pdf"),
            };
            queue::measure(&sheaf, &folder, self.turns)?;
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
        let time = Duration::from_secs(self.seconds);
        let (first, second) = (server.held_back(self.work, 3)?, server.held_back(self.work, 4)?);
        let alone = server.rate(&first, time)?;
        let (asked, errors) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut waits = Vec::new();
        let stop = AtomicBool::new(false);
        let (address, path) = (&server.address, format!("/batches/{shown}"));
        let together = thread::scope(|scope| -> Result<f64> {
            let askers: Vec<_> = (0..self.connections)
                .map(|_| scope.spawn(|| ask_again_and_again(address, &path, &stop, &asked, &errors)))
                .collect();
            let begun = Instant::now();
            let together = server.rate(&second, time);
            thread::sleep(time.saturating_sub(begun.elapsed()));
            stop.store(true, Ordering::Relaxed);
            for asker in askers {
                waits.extend(asker.join().map_err(|_| anyhow::anyhow!("a connection gave up"))?);
            }
            together
        })?;
        row(
            &format!("{} connections on a batch's page for {} s", self.connections, self.seconds),
            &format!(
                "{} answers, {} errors, {}; another batch beside it at {:.0} % of its speed alone ({together:.0} documents a second instead of {alone:.0})",
                asked.load(Ordering::Relaxed),
                errors.load(Ordering::Relaxed),
                percentiles(&mut waits),
                100.0 * together / alone
            ),
        );
        Ok(())
    }

    /// A large batch with many listeners, from its start to its overview; then its page.
    fn large(&self, sheaf: &Path) -> Result<()> {
        let server = Server::start(sheaf)?;
        let id = server.held_back(self.large, 5)?;
        let changes = server.get(&format!("/api/batches/{id}/changes"))?;
        let cursor = changes["cursor"].as_str().context("a cursor")?.to_owned();
        let left = server.get(&format!("/api/batches/{id}/progress"))?["counts"]["cancelled"].clone();
        let (mut status, mut page) = (Vec::new(), Vec::new());
        let mut peak = 0_u64;
        let mut last_vector = None;
        let start = Instant::now();
        let heard = thread::scope(|scope| -> Result<Vec<u64>> {
            // To who listens before that, a batch that was cancelled says at once that it has ended. The cursor is older: nothing is missed.
            server.post(&format!("/api/batches/{id}/restart"), &json!("cancelled"))?;
            let listeners: Vec<_> =
                (0..self.listeners).map(|_| scope.spawn(|| listen(&server.address, &id, &cursor))).collect();
            loop {
                let asked = Instant::now();
                let progress = server.get(&format!("/api/batches/{id}/progress"))?;
                status.push(asked.elapsed());
                let asked = Instant::now();
                server.page(&format!("/batches/{id}"))?;
                page.push(asked.elapsed());
                peak = peak.max(server.memory());
                if last_vector.is_none() && finished(&progress) == self.large as u64 {
                    last_vector = Some(start.elapsed().as_secs_f64());
                }
                if is_final(&progress) {
                    break;
                }
                thread::sleep(Duration::from_millis(500));
            }
            listeners.into_iter().map(|l| l.join().map_err(|_| anyhow::anyhow!("a listener gave up"))?).collect()
        })?;
        let all = start.elapsed().as_secs_f64();
        let last_vector = last_vector.unwrap_or(all);
        row(
            &format!("{} short texts, {left} of them with listeners", self.large),
            &format!("{last_vector:.0} s to the last vector, {all:.0} s to the overview"),
        );
        row("the status call meanwhile", &percentiles(&mut status));
        row("their page meanwhile", &percentiles(&mut page));
        let (mut status, mut page) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let asked = Instant::now();
            server.get(&format!("/api/batches/{id}/progress"))?;
            status.push(asked.elapsed());
            let asked = Instant::now();
            server.page(&format!("/batches/{id}"))?;
            page.push(asked.elapsed());
        }
        row("the status call when they are done", &percentiles(&mut status));
        row("their page when they are done", &percentiles(&mut page));
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

/// Listens from a cursor to the end; gives the number of documents of which it heard that they are done.
fn listen(address: &str, id: &str, cursor: &str) -> Result<u64> {
    let client = Client::builder().timeout(None).build()?;
    let answer = client.get(format!("{address}/api/batches/{id}/events")).header("Last-Event-ID", cursor).send()?;
    let mut done = std::collections::HashSet::new();
    let mut name = String::new();
    for line in BufReader::new(answer).lines() {
        let line = line?;
        if let Some(event) = line.strip_prefix("event:") {
            event.trim().clone_into(&mut name);
        } else if let Some(data) = line.strip_prefix("data:") {
            match name.as_str() {
                // Not parsed: listeners run on the machine that is measured. An object begins with its id.
                "documents" => {
                    for document in data.split("{\"id\":\"").skip(1) {
                        let is_done = document.contains("\"status\":\"completed\"");
                        if let Some(id) = document.get(..36).filter(|_| is_done) {
                            done.insert(id.to_owned());
                        }
                    }
                }
                "end" => break,
                _ => {}
            }
        }
    }
    Ok(done.len() as u64)
}
