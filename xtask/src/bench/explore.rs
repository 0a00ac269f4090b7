//! `cargo xtask bench explore`: how long answers take about a batch that is done: its facets, table, heatmap, map and page, with
//! filters and without, and how long people wait who change its clusters. The batch is made of records, which need no parsing.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::runs::{Server, percentiles, row};
use super::texts::text;
use crate::paths::{Paths, Profile};
use crate::{build, run, setup};

#[derive(clap::Args)]
pub struct Explore {
    /// Documents of the batches.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000])]
    documents: Vec<usize>,
    /// How often each question is asked.
    #[arg(long, default_value_t = 30)]
    times: usize,
    /// Measure this program instead of building one.
    #[arg(long)]
    program: Option<PathBuf>,
    /// A PostgreSQL database that is empty, instead of SQLite.
    #[arg(long)]
    database: Option<String>,
}

/// What is asked of a batch, after its address.
const QUESTIONS: [(&str, &str); 19] = [
    ("status", ""),
    ("progress", "/progress"),
    ("facets", "/facets"),
    ("facets, a cluster", "/facets?cluster=0"),
    ("facets, a cluster and a confidence", "/facets?cluster=0&confidence=high"),
    ("facets, a part of the name", "/facets?q=-000"),
    ("facets, a word of the texts", "/facets?q=comet"),
    ("table", "/documents"),
    ("table by words, last page", "/documents?sort=words&dir=desc&cursor=LAST"),
    ("table by probability, a cluster", "/documents?sort=probability&cluster=0"),
    ("table, a word of the texts", "/documents?q=comet"),
    ("table, low confidence", "/documents?confidence=low"),
    ("heatmap", "/similarity"),
    ("heatmap, a cluster", "/similarity?cluster=0"),
    ("heatmap, a confidence", "/similarity?confidence=high"),
    ("heatmap, a word of the texts", "/similarity?q=comet"),
    ("heatmap, 60 documents", "/similarity?start=100&len=60"),
    ("map", "/map"),
    ("map, a word of the texts", "/map?q=comet"),
];

impl Explore {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let sheaf = match &self.program {
            Some(program) => program.clone(),
            None => {
                setup::setup(paths)?;
                build::build(paths, Profile::Release)?
            }
        };
        for &documents in &self.documents {
            println!("\n{documents} documents, the load before is {}\n\n| what | time |\n|---|---|", load());
            self.measure(&sheaf, documents)?;
        }
        Ok(())
    }

    fn measure(&self, sheaf: &Path, documents: usize) -> Result<()> {
        let data = tempfile::tempdir()?;
        let database: Vec<&str> = self.database.iter().flat_map(|url| ["--database", url.as_str()]).collect();
        let file = data.path().join("records.jsonl");
        write_records(&file, documents)?;
        let name = format!("{documents} records");
        let mut import = Command::new(sheaf);
        import
            .arg("import")
            .arg(&file)
            .args(["--quiet", "--model", "fast", "--name", &name, "--data"])
            .arg(data.path());
        let start = Instant::now();
        run::checked(import.args(&database))?;
        row("import and grouping", &format!("{:.1} s", start.elapsed().as_secs_f64()));

        let server = Server::start_in(sheaf, data, &database)?;
        let batches = server.get("/api/batches?limit=200")?;
        let batches = batches["items"].as_array().context("a list of batches")?.iter();
        let batch = batches.filter(|batch| batch["name"] == name.as_str()).find_map(|batch| batch["id"].as_str());
        let batch = batch.context("the batch is not listed")?;
        let (page, api) = (format!("/batches/{batch}"), format!("/api/batches/{batch}"));
        let start = Instant::now();
        server.page(&page)?;
        row("page, the first time after a start", &format!("{:.1} ms", start.elapsed().as_secs_f64() * 1000.0));
        for (what, question) in QUESTIONS {
            let address = format!("{api}{}", question.replace("LAST", &(documents - 50).to_string()));
            self.ask(&server, what, &address)?;
        }
        self.ask(&server, "page", &page)?;
        self.ask(&server, "page, a cluster and a word of the texts", &format!("{page}?cluster=0&q=comet"))?;
        self.ask(&server, "page, the table's last page", &format!("{page}?sort=words&page={}", documents / 50))?;
        self.edit(&server, &api)?;
        row("the server's memory", &format!("{} MB", server.memory() >> 20));
        Ok(())
    }

    fn ask(&self, server: &Server, what: &str, address: &str) -> Result<()> {
        let mut times = Vec::with_capacity(self.times);
        // The first one fills what is kept.
        for number in 0..=self.times.max(1) {
            let start = Instant::now();
            server.page(address)?;
            if number > 0 {
                times.push(start.elapsed());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        row(what, &percentiles(&mut times));
        Ok(())
    }
}

/// Edits of clusters, each a few times in other places; what is left of a batch does not matter any more.
const EDITS: usize = 3;

impl Explore {
    fn edit(&self, server: &Server, api: &str) -> Result<()> {
        let clusters = server.get(&format!("{api}/clusters"))?;
        let clusters: Vec<u64> =
            clusters.as_array().context("clusters")?.iter().filter_map(|cluster| cluster["id"].as_u64()).collect();
        let rows =
            server.get(&format!("{api}/documents?cluster={}&limit={EDITS}", clusters.first().context("one")?))?;
        let documents: Vec<&str> =
            rows["items"].as_array().context("rows")?.iter().filter_map(|row| row["id"].as_str()).collect();
        let to = clusters.last().context("a cluster")?;
        let made: [(&str, &dyn Fn(usize) -> Value); 4] = [
            ("a cluster renamed", &|i| json!({"kind": "rename", "cluster": to, "name": format!("Name {i}")})),
            ("a document pinned", &|i| json!({"kind": "pin", "documents": [documents[i % documents.len()]]})),
            ("a document moved", &|i| json!({"kind": "move", "documents": [documents[i % documents.len()]], "to": to})),
            (
                "two clusters merged",
                &|i| json!({"kind": "merge", "clusters": [clusters[(2 * i + 1) % clusters.len()]], "into": clusters[2 * i % clusters.len()]}),
            ),
        ];
        for (what, edit) in made {
            let mut times = Vec::with_capacity(EDITS);
            for i in 0..EDITS {
                let start = Instant::now();
                let status = server.post(&format!("{api}/cluster-edits"), &edit(i))?;
                if status != 201 {
                    break; // There are too few clusters for more.
                }
                times.push(start.elapsed());
            }
            row(&format!("{what}, {} times", times.len()), &percentiles(&mut times));
        }
        Ok(())
    }
}

/// The texts of a batch, every fiftieth twice.
fn write_records(file: &Path, documents: usize) -> Result<()> {
    let mut lines = BufWriter::new(File::create(file)?);
    for i in 0..documents {
        let text = text(9, if i % 50 == 49 { i - 1 } else { i });
        writeln!(lines, "{}", json!({ "id": format!("{:03}/note-{i:06}", i / 1000), "text": text }))?;
    }
    Ok(lines.flush()?)
}

/// The load averages of the machine.
fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(3).collect::<Vec<_>>().join(" ")
}
