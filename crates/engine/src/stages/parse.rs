//! Bytes to text, in a child process; remembered by content.

use std::path::Path;

use sheaf_domain::{Failure, FailureCode};
use sheaf_parsing::{PARSER_VERSION, Part, Pool};
use sheaf_store::{Claim, ParseRecord};

use crate::{Engine, intake, partial};

/// Under which key the result for these bytes is remembered. The suffix of the name is part of it, for it decides between
/// kinds of plain text.
pub fn key(sha256: &str, path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix).to_ascii_lowercase();
    format!("{sha256}:{PARSER_VERSION}:{}", suffix.chars().take(16).collect::<String>())
}

/// Parses a file in the pool.
///
/// # Errors
/// Why the document cannot be used, as its page will show it.
pub async fn parse(pool: &Pool, file: &Path, path: &str, key: String) -> Result<ParseRecord, Part> {
    let parsed = pool.parse_or_part(file, path).await?;
    Ok(ParseRecord {
        key,
        kind: parsed.kind,
        pages: u32::try_from(parsed.pages.len()).unwrap_or(u32::MAX),
        words: parsed.words,
        text: parsed.text(),
        language: parsed.language,
        metadata: parsed.metadata,
        problems: parsed.problems,
    })
}

pub(crate) async fn run(engine: &Engine, claim: &Claim) -> Result<(), Failure> {
    let document = claim.document.ok_or_else(|| Failure::new(FailureCode::Internal, "a parse job has no document"))?;
    let Some((stored, _)) = engine.store().document(claim.batch, document).await? else { return Ok(()) };
    let document = stored.document;
    let key = key(&document.sha256, &document.path);
    let record = match engine.store().remembered_parse(&key).await? {
        Some(record) => record,
        None => {
            let file = engine.blobs().file(&document.sha256).map_err(intake::storage)?;
            match parse(engine.pool(), &file, &document.path, key).await {
                Ok(record) => record,
                Err(part) => {
                    partial::keep(engine, claim.batch, document.id, &part).await;
                    return Err(part.failure);
                }
            }
        }
    };
    engine.store().complete_parse(claim, &record).await?;
    Ok(())
}
