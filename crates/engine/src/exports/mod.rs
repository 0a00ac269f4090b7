//! Downloads: rows are read a page at a time and leave as they are written, so that memory stays constant.

mod blocks;
mod clusters;
mod families;
mod record;
mod similarity;

use bytes::Bytes;
use futures::Stream;
use futures::stream;
use sheaf_domain::{
    BatchId, DocumentId, DocumentQuery, ExportFormat, ExportSubject, Failure, FailureCode, Family, HeatmapView,
};
use tokio::sync::mpsc;

use crate::Engine;

pub use families::{FamilyEntry, MemberEntry};
pub use record::{DocumentRecord, RecordWriter, write_csv};
pub use similarity::{SIMILARITY_LIMIT, matrix};

/// Rows that are read at a time.
const PAGE: u32 = 500;

/// A download: its name, its type and its bytes as they come.
pub struct Export {
    /// Safe as a file name everywhere: ASCII letters, digits, `-` and `.`.
    pub file_name: String,
    pub media_type: &'static str,
    body: mpsc::Receiver<Result<Bytes, Failure>>,
}

impl Export {
    pub(crate) const fn new(
        file_name: String,
        media_type: &'static str,
        body: mpsc::Receiver<Result<Bytes, Failure>>,
    ) -> Self {
        Self { file_name, media_type, body }
    }

    /// The bytes; a failure in the middle cuts the download off, so that it does not look complete.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
        stream::unfold(self.body, |mut body| async move { body.recv().await.map(|chunk| (chunk, body)) })
    }
}

/// Where the bytes of a download go.
pub(crate) type Sink = mpsc::Sender<Result<Bytes, Failure>>;

impl Engine {
    /// Starts a download. Of documents, also of their similarity, only those that match are in it; all else is of the whole batch.
    ///
    /// # Errors
    /// `not_found`; `not_ready` while the batch has no clusters; `invalid_request` for a subject that does not come in
    /// this format or is too large for it.
    pub async fn export(
        &self,
        batch: BatchId,
        subject: ExportSubject,
        format: ExportFormat,
        which: &DocumentQuery,
    ) -> Result<Export, Failure> {
        let found = self.batch(batch).await?;
        let (sink, body) = mpsc::channel(4);
        match (subject, format) {
            (ExportSubject::Documents, _) => {
                tokio::spawn(end(sink.clone(), documents(self.clone(), batch, format, which.clone(), sink)));
            }
            (ExportSubject::Clusters, ExportFormat::Json) => {
                let (clusters, edits) = (self.clusters(batch).await?, self.cluster_edits(batch).await?);
                let json = serde_json::to_vec_pretty(&clusters::entries(&clusters, edits.report.as_ref()));
                sink.send(Ok(json.map_err(crate::internal)?.into())).await.map_err(crate::internal)?;
            }
            (ExportSubject::Families, ExportFormat::Json) => {
                let families = self.whole_families(batch).await?;
                let entries: Vec<FamilyEntry<'_>> = families.iter().zip(1..).map(entry).collect();
                let json = serde_json::to_vec_pretty(&entries).map_err(crate::internal)?;
                sink.send(Ok([json.as_slice(), b"\n"].concat().into())).await.map_err(crate::internal)?;
            }
            (ExportSubject::Similarity, ExportFormat::Csv) => {
                let view = HeatmapView { filter: which.clone(), ..HeatmapView::default() };
                return self.export_similarity(batch, &view).await;
            }
            (ExportSubject::Clusters | ExportSubject::Families | ExportSubject::Similarity, _) => {
                let message = format!("{subject} cannot be had as {format}");
                return Err(Failure::new(FailureCode::InvalidRequest, message).with_hint(
                    "Documents come as csv, json and jsonl, clusters and families as json, similarity as csv.",
                ));
            }
        }
        let file_name = format!("{}-{subject}.{format}", file_stem(&found.name));
        Ok(Export { file_name, media_type: format.media_type(), body })
    }

    /// The similarities of the documents that a view names, as CSV.
    ///
    /// # Errors
    /// As [`Self::export`].
    pub async fn export_similarity(&self, batch: BatchId, view: &HeatmapView) -> Result<Export, Failure> {
        let found = self.batch(batch).await?;
        let matrix = similarity::open(self, batch, view).await?;
        let (sink, body) = mpsc::channel(4);
        tokio::spawn(end(sink.clone(), similarity::write(matrix, sink)));
        let format = ExportFormat::Csv;
        let file_name = format!("{}-{}.{format}", file_stem(&found.name), ExportSubject::Similarity);
        Ok(Export { file_name, media_type: format.media_type(), body })
    }

    /// The cells of the heatmap of a view, as CSV.
    ///
    /// # Errors
    /// `not_found`; `not_ready` before the batch was analysed; `storage`.
    pub async fn export_blocks(&self, batch: BatchId, view: &HeatmapView) -> Result<Export, Failure> {
        let found = self.batch(batch).await?;
        let heatmap = self.heatmap(batch, view).await?;
        let (sink, body) = mpsc::channel(1);
        sink.send(Ok(blocks::csv(&heatmap)?.into())).await.map_err(crate::internal)?;
        let format = ExportFormat::Csv;
        let file_name = format!("{}-{}-blocks.{format}", file_stem(&found.name), ExportSubject::Similarity);
        Ok(Export { file_name, media_type: format.media_type(), body })
    }
}

/// A failure in the middle is the last thing in the stream.
async fn end(sink: Sink, writing: impl Future<Output = Result<(), Failure>>) {
    if let Err(failure) = writing.await {
        let _ = sink.send(Err(failure)).await;
    }
}

fn entry((family, id): (&Family, usize)) -> FamilyEntry<'_> {
    let members = family.members.iter();
    let members = members.map(|m| MemberEntry { path: &m.path, kind: m.kind.name(), jaccard: m.jaccard });
    FamilyEntry::new(id, members.collect())
}

async fn documents(
    engine: Engine,
    batch: BatchId,
    format: ExportFormat,
    which: DocumentQuery,
    sink: Sink,
) -> Result<(), Failure> {
    let mut writer = RecordWriter::new(format);
    let mut after: Option<(String, DocumentId)> = None;
    loop {
        let from = after.as_ref().map(|(path, id)| (path.as_str(), *id));
        let rows = engine.store().matching_after(batch, &which, from, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.path.clone(), last.id));
        for row in rows {
            writer.write(&DocumentRecord::from(row))?;
        }
        if sink.send(Ok(writer.take().into())).await.is_err() {
            return Ok(()); // Nobody listens any more.
        }
    }
    let _ = sink.send(Ok(writer.finish().into())).await;
    Ok(())
}

/// A batch's or run's name as the start of a file name.
pub(crate) fn file_stem(name: &str) -> String {
    let mut stem = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            stem.push(c.to_ascii_lowercase());
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    stem.truncate(60);
    let stem = stem.trim_end_matches('-');
    if stem.is_empty() { "batch".to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        let check = |name: &str, expect: &str| assert_eq!(file_stem(name), expect);
        check("Batch of 22 November 2026, 03:24 UTC", "batch-of-22-november-2026-03-24-utc");
        check("../../etc/passwd", "etc-passwd");
        check("\"; rm -rf", "rm-rf");
        check("日本", "batch");
    }
}
