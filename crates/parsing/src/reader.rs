//! A document from file to text: parsed by the pool, its pages that are pictures or noise recognised.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::{StreamExt, stream};
use sheaf_domain::Failure;

use crate::document::{ParsedDocument, Part};
use crate::hints::Hints;
use crate::picture::PictureFor;
use crate::pool::Pool;
use crate::readings;
use crate::recognition::{RecognisedPage, Recogniser};

/// Pages are drawn for recognition at this many pixels an inch, which engines are trained for…
const DPI: u32 = 300;
/// …with at most so many pixels: A3 at that resolution.
const PIXELS: u64 = 18_000_000;
/// Pages of one document that are drawn or recognised at a time; the recogniser's own bound may be lower.
const AHEAD: usize = 8;

/// Told how many pages are done, of how many.
pub type OnPages<'a> = &'a (dyn Fn(u32, u32) + Send + Sync);

/// Reads documents.
#[derive(Debug)]
pub struct Reader {
    pool: Pool,
    recogniser: Recogniser,
}

impl Reader {
    /// From what parses and what recognises.
    pub fn new(pool: Pool, recogniser: Recogniser) -> Self {
        Self { pool, recogniser }
    }

    /// The parsers.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What recognises text.
    pub fn recogniser(&self) -> &Recogniser {
        &self.recogniser
    }

    /// Reads the file at `path`. Dropping the future stops the work.
    ///
    /// # Errors
    /// Those of [`Pool::parse`]; `ocr_missing` when all that it holds is pictures and there is no engine; `no_text` when
    /// recognition finds nothing either.
    pub async fn read(&self, path: &Path, hints: &Hints, on_pages: OnPages<'_>) -> Result<ParsedDocument, Part> {
        let document = self.pool.parse_or_part(path, hints, on_pages).await?;
        self.recognise_pictured(path, hints, document, on_pages).await
    }

    /// Reads up to [`TOGETHER`](crate::TOGETHER) small files as one job; results in their order, each as by [`Self::read`].
    pub async fn read_together(&self, documents: &[(&Path, &Hints)]) -> Vec<Result<ParsedDocument, Part>> {
        let mut results = Vec::with_capacity(documents.len());
        for (parsed, (path, hints)) in self.pool.parse_together(documents).await.into_iter().zip(documents) {
            results.push(match parsed {
                Ok(document) => self.recognise_pictured(path, hints, document, &|_, _| {}).await,
                Err(part) => Err(part),
            });
        }
        results
    }

    async fn recognise_pictured(
        &self,
        path: &Path,
        hints: &Hints,
        mut document: ParsedDocument,
        on_pages: OnPages<'_>,
    ) -> Result<ParsedDocument, Part> {
        let pictured: Vec<u32> =
            document.pages.iter().filter(|page| page.state.is_to_recognise()).map(|page| page.number).collect();
        if pictured.is_empty() {
            return Ok(document);
        }
        if !self.recogniser.is_there() {
            return readings::without_recognition(document).map_err(Part::from);
        }
        let total = document.pages.len() as u32;
        let done = AtomicU32::new(total - pictured.len() as u32);
        let done = &done;
        let work = stream::iter(pictured).map(|page| async move {
            let found = self.recognise(path, hints, page).await;
            on_pages(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            (page, found)
        });
        let found: Vec<(u32, Result<RecognisedPage, Failure>)> = work.buffered(AHEAD).collect().await;
        readings::take(&mut document, found, self.recogniser.id())?;
        Ok(document)
    }

    async fn recognise(&self, path: &Path, hints: &Hints, page: u32) -> Result<RecognisedPage, Failure> {
        let slot = self.recogniser.slot().await?;
        let purpose = PictureFor::Recognition { dpi: DPI, pixels: PIXELS };
        let picture = self.pool.picture(path, hints.clone(), page, purpose).await?;
        self.recogniser.recognise(slot, picture).await
    }
}
