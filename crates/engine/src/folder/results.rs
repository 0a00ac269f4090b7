//! The folder of results. Other tools build on these names and columns: they are described in `docs/results.md`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sheaf_analysis::{Embedder, Family};
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{
    BatchParams, ClusterId, DocumentId, DocumentKind, ExportFormat, Failure, FailureCode, Merge, NamedBy, Status,
};
use sheaf_store::{ParseRecord, Placement};

use super::input::Item;
use super::run::{stable_id, unwritable};
use super::{Outcome, Request};
use crate::exports::{DocumentRecord, FamilyEntry, MemberEntry, RecordWriter, matrix, write_csv};
use crate::stages::analyse::{Manifest, Placed};

/// The most documents for which `similarity.csv` is written: 2,000 squared are some 30 MB.
pub const MATRIX_LIMIT: usize = 2_000;

/// Bytes of a part of a path below which every file system takes it.
const NAME_BYTES: usize = 200;

/// What is known of one document.
pub struct Row {
    pub document: DocumentId,
    /// A record's own id.
    pub id: Option<String>,
    pub path: String,
    pub sha256: Option<String>,
    /// Size of the content.
    pub bytes: u64,
    pub kind: Option<DocumentKind>,
    pub pages: Option<u32>,
    pub words: Option<u64>,
    pub language: Option<String>,
    pub failure: Option<Failure>,
    pub placement: Option<Placement>,
}

impl Row {
    /// Of a document that was only listed so far.
    pub fn new(item: &Item) -> Self {
        Self {
            document: stable_id(&item.path),
            id: item.id.clone(),
            path: item.path.clone(),
            sha256: None,
            bytes: item.source.bytes(),
            kind: None,
            pages: None,
            words: None,
            language: None,
            failure: None,
            placement: None,
        }
    }

    /// Takes over what parsing found.
    pub fn read(&mut self, record: &ParseRecord) {
        self.kind = Some(record.kind);
        self.pages = Some(record.pages);
        self.words = Some(record.words);
        self.language.clone_from(&record.language);
    }

    fn record(&self) -> DocumentRecord {
        let (error_code, error_message) = self.failure.as_ref().map(|f| (f.code, f.message.clone())).unzip();
        DocumentRecord {
            id: self.id.clone().unwrap_or_else(|| self.document.to_string()),
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            kind: self.kind,
            pages: self.pages,
            words: self.words,
            language: self.language.clone(),
            status: if self.failure.is_some() { Status::Failed } else { Status::Completed },
            cluster: self.placement.as_ref().and_then(|p| p.cluster),
            probability: self.placement.as_ref().map(|p| p.probability),
            outlier: self.placement.as_ref().map(|p| p.cluster.is_none()),
            error_code,
            error_message,
        }
    }
}

/// One object of `clusters.json`.
#[derive(Serialize)]
struct ClusterRecord<'a> {
    id: ClusterId,
    name: &'a str,
    keywords: &'a [String],
    size: u64,
    cohesion: f32,
    average_probability: f32,
    /// The path of the document nearest to the centroid.
    representative: &'a str,
    named_by: NamedBy,
    edited: bool,
}

/// One object of `merges.json`.
#[derive(Serialize)]
struct MergeRecord<'a> {
    id: ClusterId,
    /// What is joined: ids of clusters or of earlier merges.
    parts: [ClusterId; 2],
    /// Mean cosine similarity of the documents of the one to those of the other.
    similarity: f32,
    name: &'a str,
    keywords: &'a [String],
    size: u64,
}

impl<'a> MergeRecord<'a> {
    fn new(merge: &'a Merge) -> Self {
        let Merge { group, parts, similarity, start: _ } = merge;
        Self {
            id: group.id,
            parts: *parts,
            similarity: *similarity,
            name: &group.name,
            keywords: &group.keywords,
            size: group.size,
        }
    }
}

/// One object of `families.json`.
fn family_entry<'a>(id: usize, family: &Family, rows: &'a [Row]) -> FamilyEntry<'a> {
    let members = family.members.iter().map(|member| MemberEntry {
        path: rows[member.document].path.as_str(),
        kind: member.likeness.name(),
        jaccard: member.jaccard,
    });
    FamilyEntry::new(id, members.collect())
}

/// Writes everything but the timings.
pub fn write(
    request: &Request,
    params: &BatchParams,
    model: &dyn Embedder,
    rows: &[Row],
    placed: &Placed,
    families: &[Family],
) -> Result<Outcome, Failure> {
    let out = &request.out;
    for (name, format) in [("documents.csv", ExportFormat::Csv), ("documents.jsonl", ExportFormat::Jsonl)] {
        let mut file = create(&out.join(name))?;
        let mut writer = RecordWriter::new(format);
        for row in rows {
            writer.write(&row.record())?;
            file.put(&writer.take())?;
        }
        file.put(&writer.finish())?;
        file.close()?;
    }
    let clusters: Vec<ClusterRecord<'_>> = placed
        .clusters
        .iter()
        .map(|c| ClusterRecord {
            id: c.id,
            name: &c.name,
            keywords: &c.keywords,
            size: c.size,
            cohesion: c.cohesion,
            average_probability: c.average_probability,
            representative: &c.representative_path,
            named_by: c.named_by,
            edited: c.edited,
        })
        .collect();
    write_json(&out.join("clusters.json"), &clusters)?;
    let merges: Vec<MergeRecord<'_>> = placed.merges.iter().map(MergeRecord::new).collect();
    write_json(&out.join("merges.json"), &merges)?;
    let records: Vec<FamilyEntry<'_>> =
        families.iter().enumerate().map(|(index, family)| family_entry(index + 1, family, rows)).collect();
    write_json(&out.join("families.json"), &records)?;
    write_map(&out.join("map.csv"), rows, placed)?;
    let matrix = placed.placements.len() <= MATRIX_LIMIT;
    write_matrix(&out.join("similarity.csv"), rows, placed, matrix)?;
    let documents = rows.iter().filter_map(|row| Some((row.path.as_str(), row.sha256.as_deref()?)));
    let manifest = Manifest::new(params, model.id(), documents).with_identity(request.replay.clone());
    write_json(&out.join("manifest.json"), &manifest)?;

    let failures: Vec<(String, Failure)> =
        rows.iter().filter_map(|row| Some((row.path.clone(), row.failure.clone()?))).collect();
    Ok(Outcome {
        documents: rows.len() as u64,
        completed: (rows.len() - failures.len()) as u64,
        clusters: placed.clusters.len() as u64,
        families: families.len() as u64,
        outliers: placed.placements.iter().filter(|p| p.cluster.is_none()).count() as u64,
        failures,
        matrix,
    })
}

/// Where each document that was compared stands, in the order of `documents.csv`.
fn write_map(path: &Path, rows: &[Row], placed: &Placed) -> Result<(), Failure> {
    let mut lines = Vec::new();
    write_csv(&mut lines, ["path", "x", "y", "cluster"].into_iter().map(str::to_owned))?;
    for row in rows {
        let Some(placement) = &row.placement else { continue };
        let [x, y] = placed.places.0[placement.position as usize].map(|x| format!("{x:.5}"));
        let cluster = placement.cluster.map(|cluster| cluster.to_string()).unwrap_or_default();
        write_csv(&mut lines, [neutralise_cell(&row.path).into_owned(), x, y, cluster].into_iter())?;
    }
    let mut file = create(path)?;
    file.put(&lines)?;
    file.close()
}

/// The matrix, or nothing where it would be too large; one of an earlier run never stays behind.
fn write_matrix(path: &Path, rows: &[Row], placed: &Placed, wanted: bool) -> Result<(), Failure> {
    if !wanted {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(path, &error)),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    let mut paths = vec![String::new(); placed.placements.len()];
    for row in rows {
        if let Some(placement) = &row.placement {
            paths[placement.position as usize].clone_from(&row.path);
        }
    }
    let mut file = create(path)?;
    matrix(&paths, &placed.vectors, |lines| file.put(lines))?;
    file.close()
}

/// Writes a document's text to `folder/PATH.txt`; parts of the path that are too long for a file system are cut.
pub fn write_text(folder: &Path, path: &str, text: &str) -> Result<(), Failure> {
    let mut file = folder.to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    for (index, part) in parts.iter().enumerate() {
        let part = &part[..part.floor_char_boundary(NAME_BYTES)];
        file.push(if index + 1 == parts.len() { format!("{part}.txt") } else { part.to_owned() });
    }
    let parent = file.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|error| unwritable(parent, &error))?;
    fs::write(&file, text).map_err(|error| unwritable(&file, &error))
}

/// Writes a value as indented JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_vec_pretty(value).map_err(crate::internal)?;
    fs::write(path, [json.as_slice(), b"\n"].concat()).map_err(|error| unwritable(path, &error))
}

/// A file that is replaced when it is complete, so that a reader never sees half of one.
struct Replacement {
    path: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
}

fn create(path: &Path) -> Result<Replacement, Failure> {
    let temporary = path.with_added_extension("part");
    let file = File::create(&temporary).map_err(|error| unwritable(&temporary, &error))?;
    Ok(Replacement { path: path.to_owned(), temporary, file: BufWriter::new(file) })
}

impl Replacement {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| unwritable(&self.path, &error))
    }

    fn close(mut self) -> Result<(), Failure> {
        self.file.flush().and_then(|()| fs::rename(&self.temporary, &self.path)).map_err(|error| {
            Failure::new(FailureCode::Storage, format!("`{}` cannot be written: {error}", self.path.display()))
        })
    }
}
