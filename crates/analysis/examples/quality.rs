//! Embeds JSONL files of labelled texts, and prints how well the clusters agree with the labels.
//!
//! `quality (accurate|float|avx2|avx-vnni|fast) [--k K|--true-k] [--limit N] [--out FOLDER] [--models FOLDER] FILE...`

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde::Deserialize;
use sheaf_analysis::embedding::{Arithmetic, MiniLm, StaticVectors};
use sheaf_analysis::metrics::{adjusted_rand_index, v_measure};
use sheaf_analysis::{AnalyseInput, AnalyseParams, Embedder, Step, Terms, analyse, embed_documents, find_models};
use sheaf_domain::Method;

#[derive(Deserialize)]
struct Row {
    text: String,
    label: String,
    split: Option<String>,
}

struct Options {
    model: String,
    k: Option<u32>,
    true_k: bool,
    limit: usize,
    split: Option<String>,
    out: Option<PathBuf>,
    models: PathBuf,
    files: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let options = options()?;
    let started = Instant::now();
    let model = open(&options)?;
    eprintln!("{} loaded in {:.2} s", model.id(), started.elapsed().as_secs_f64());
    for file in &options.files {
        let rows = read(file, &options)?;
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let started = Instant::now();
        let counts: Vec<(usize, usize)> = texts
            .par_iter()
            .map(|text| {
                let chunks = model.chunk(text);
                (chunks.len(), chunks.iter().map(|chunk| chunk.ids.len()).sum())
            })
            .collect();
        let chunking = started.elapsed().as_secs_f64();
        let (chunks, tokens) = counts.iter().fold((0, 0), |sum, (c, t)| (sum.0 + c, sum.1 + t));
        let started = Instant::now();
        let vectors = embed_documents(&*model, &texts, &|_| ())?;
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{}: {} documents, {bytes} bytes, {chunks} chunks, {tokens} tokens; chunking {chunking:.2} s ({:.1} MB/s); embedding {seconds:.2} s: {:.1} chunks/s, {:.0} documents/s",
            file.parent().and_then(Path::file_name).unwrap_or_default().display(),
            texts.len(),
            bytes as f64 / 1e6 / chunking,
            chunks as f64 / seconds,
            texts.len() as f64 / seconds,
        );
        if let Some(out) = &options.out {
            write_vectors(out, file, &*model, &rows, &vectors)?;
        }
        let places = cluster(&rows, &vectors, &options)?;
        if let Some(out) = &options.out {
            let places: Vec<Option<Vec<f32>>> = places.into_iter().map(|place| place.map(Vec::from)).collect();
            write_npy(&base(out, file, &*model).with_added_extension("map.npy"), &places, 2)?;
        }
    }
    Ok(())
}

/// Analyses the batch and prints how well it agrees with the labels; where each document stands on the map. Outliers count as members of the cluster that is
/// nearest; the second pair of figures leaves them out.
fn cluster(rows: &[Row], vectors: &[Option<Vec<f32>>], options: &Options) -> Result<Vec<Option<[f32; 2]>>> {
    let started = Instant::now();
    let terms: Vec<Terms> = rows.par_iter().map(|row| Terms::of(&row.text, Some("eng"))).collect();
    let counting = started.elapsed().as_secs_f64();
    let keys: Vec<String> = (0..rows.len()).map(|i| format!("{i:08}")).collect();
    let mut names: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let (inputs, labels): (Vec<_>, Vec<_>) = (0..rows.len())
        .filter_map(|i| {
            let input = AnalyseInput { key: &keys[i], vector: vectors[i].as_deref()?, terms: &terms[i] };
            Some((input, names.binary_search(&rows[i].label.as_str()).ok()?))
        })
        .unzip();
    let true_k = options.true_k.then_some(u32::try_from(names.len())?);
    let params = AnalyseParams { method: method(options.k.or(true_k)), ..AnalyseParams::default() }.check()?;
    let started = Instant::now();
    let steps = std::cell::RefCell::new(Vec::new());
    let analysis = analyse(&inputs, &params, &|step: Step| steps.borrow_mut().push((step, started.elapsed())))?;
    let all: Vec<usize> = analysis.placements.iter().map(|place| place.nearest as usize).collect();
    let (kept_labels, kept): (Vec<usize>, Vec<usize>) =
        labels.iter().zip(&analysis.placements).filter_map(|(l, p)| Some((*l, p.cluster? as usize))).unzip();
    let probabilities: Vec<f32> = analysis.placements.iter().map(|place| place.probability).collect();
    let below = |limit: f32| probabilities.iter().filter(|&&p| p < limit).count() as f64 / probabilities.len() as f64;
    println!(
        "  {} classes, {} clusters: V {:.3} ARI {:.3}; without {:.1} % outliers V {:.3} ARI {:.3}; silhouette {:.3}; probability below .4 {:.2}, below .7 {:.2}; terms {counting:.2} s, analysis {:.2} s {:.2?}",
        names.len(),
        analysis.clusters.len(),
        v_measure(&labels, &all),
        adjusted_rand_index(&labels, &all),
        100.0 * (1.0 - kept.len() as f64 / labels.len() as f64),
        v_measure(&kept_labels, &kept),
        adjusted_rand_index(&kept_labels, &kept),
        analysis.silhouette.unwrap_or_default(),
        below(0.4),
        below(0.7),
        started.elapsed().as_secs_f64(),
        steps.borrow(),
    );
    for cluster in analysis.clusters.iter().take(8) {
        println!(
            "    {:5}  {}  (cohesion {:.2}, probability {:.2})",
            cluster.size, cluster.name, cluster.cohesion, cluster.average_probability
        );
    }
    let mut places = analysis.places.into_iter();
    Ok(vectors.iter().map(|vector| vector.as_ref().and_then(|_| places.next())).collect())
}

fn options() -> Result<Options> {
    let mut args = std::env::args().skip(1);
    let mut options = Options {
        model: args.next().context("which model? accurate, float or fast")?,
        k: None,
        true_k: false,
        limit: usize::MAX,
        split: None,
        out: None,
        models: find_models().unwrap_or_default(),
        files: Vec::new(),
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--k" => options.k = Some(value()?.parse()?),
            "--true-k" => options.true_k = true,
            "--limit" => options.limit = value()?.parse()?,
            "--split" => options.split = Some(value()?),
            "--out" => options.out = Some(value()?.into()),
            "--models" => options.models = value()?.into(),
            file => options.files.push(file.into()),
        }
    }
    Ok(options)
}

fn open(options: &Options) -> Result<Box<dyn Embedder>> {
    let accurate = options.models.join("all-MiniLM-L6-v2");
    Ok(match options.model.as_str() {
        "accurate" => Box::new(MiniLm::open(&accurate)?),
        "float" => Box::new(MiniLm::open_as(&accurate, Arithmetic::Float)?),
        "avx2" => Box::new(MiniLm::open_as(&accurate, Arithmetic::Avx2)?),
        "avx-vnni" => Box::new(MiniLm::open_as(&accurate, Arithmetic::AvxVnni)?),
        "fast" => Box::new(StaticVectors::open(&options.models.join("static-minilm-256"))?),
        other => bail!("`{other}` is none of accurate, float, fast"),
    })
}

/// Every so-manieth row, when there are more than wanted.
fn read(file: &Path, options: &Options) -> Result<Vec<Row>> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut rows: Vec<Row> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    rows.retain(|row| options.split.is_none() || row.split == options.split);
    let step = rows.len().div_ceil(options.limit).max(1);
    Ok(rows.into_iter().step_by(step).collect())
}

/// `NAME.MODEL.npy` and `NAME.MODEL.labels`, for comparison with other tools.
fn write_vectors(
    out: &Path,
    file: &Path,
    model: &dyn Embedder,
    rows: &[Row],
    vectors: &[Option<Vec<f32>>],
) -> Result<()> {
    fs::create_dir_all(out)?;
    let base = base(out, file, model);
    write_npy(&base.with_added_extension("npy"), vectors, model.dimensions())?;
    let labels: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    fs::write(base.with_added_extension("labels"), labels.join("\n"))?;
    Ok(())
}

/// `OUT/NAME.MODEL`
fn base(out: &Path, file: &Path, model: &dyn Embedder) -> PathBuf {
    let name = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    out.join(format!("{name}.{}", model.id().split('/').next().unwrap_or_default()))
}

/// Rows of `columns` numbers in NumPy's format, version 1.0; zeros where there is no row.
fn write_npy(file: &Path, rows: &[Option<Vec<f32>>], columns: usize) -> Result<()> {
    let shape = format!("({}, {columns})", rows.len());
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let padding = (10 + header.len() + 1).next_multiple_of(64) - 10 - header.len() - 1;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len())?.to_le_bytes());
    bytes.extend(header.as_bytes());
    let missing = vec![0.0; columns];
    for row in rows {
        bytes.extend(row.as_ref().unwrap_or(&missing).iter().flat_map(|x| x.to_le_bytes()));
    }
    fs::write(file, bytes)?;
    Ok(())
}

/// K-means with a given number of clusters, or the usual method.
fn method(clusters: Option<u32>) -> Method {
    clusters.map_or(Method::Graph, |clusters| Method::KMeans { clusters })
}
