//! OpenDocument (ISO 26300), packed or as one flat file: texts on one page, sheets and slides on one each.

mod body;
mod cells;
mod lists;
mod paragraph;
mod styles;

use sheaf_domain::{DocumentKind, DocumentMetadata, Failure, FailureCode};

use crate::charset;
use crate::formats::corrupt;
use crate::formats::markdown::Markdown;
use crate::formats::package::Package;
use crate::formats::xml::{element, walk};
use crate::limits::Limits;
use crate::output::Output;
use body::{Body, Region};
use styles::Styles;

/// Reads a text, sheets or slides.
pub fn parse(bytes: &[u8], kind: DocumentKind, output: &mut Output<'_>) -> Result<(), Failure> {
    let parts = if bytes.starts_with(b"PK") { Parts::packed(bytes, output.limits())? } else { Parts::flat(bytes) };
    let limits = output.limits();
    let mut styles = Styles::new(limits);
    // Styles are no reason to lose the text.
    let _ = walk(&parts.styles, limits.depth, &mut styles);
    let _ = walk(&parts.content, limits.depth, &mut styles);
    output.metadata = metadata(&parts.meta);

    let mut pages = pages(&parts.content, Region::Body, &styles, limits).map_err(|failure| match failure.code {
        FailureCode::CorruptFile => {
            corrupt(format!("this OpenDocument file is damaged: its content is not valid XML {}", failure.message))
        }
        _ => failure,
    })?;
    if kind == DocumentKind::Odt {
        let mut page = Markdown::new(limits);
        let around = |region| pages_or_none(&parts.styles, region, &styles, limits);
        around(Region::Headers)
            .iter()
            .chain(&pages)
            .chain(&around(Region::Footers))
            .for_each(|text| page.paragraph(text));
        pages = vec![page.take()];
    }
    pages.iter().try_for_each(|page| output.page(page))
}

/// The parts of a document; those of a flat file are the whole of it.
struct Parts {
    content: String,
    styles: String,
    meta: String,
}

impl Parts {
    fn packed(bytes: &[u8], limits: &Limits) -> Result<Self, Failure> {
        let mut package = Package::open(bytes, limits)?;
        let content = package.part("content.xml")?.ok_or_else(|| corrupt("this OpenDocument file has no content"))?;
        let styles = package.part("styles.xml")?.unwrap_or_default();
        Ok(Self { content, styles, meta: package.part("meta.xml")?.unwrap_or_default() })
    }

    fn flat(bytes: &[u8]) -> Self {
        let whole = charset::decode(bytes, None).text.into_owned();
        Self { styles: whole.clone(), meta: whole.clone(), content: whole }
    }
}

fn pages(xml: &str, region: Region, styles: &Styles, limits: &Limits) -> Result<Vec<String>, Failure> {
    let mut body = Body::new(region, styles, limits);
    walk(xml, limits.depth, &mut body)?;
    Ok(body.into_pages())
}

fn pages_or_none(xml: &str, region: Region, styles: &Styles, limits: &Limits) -> Vec<String> {
    pages(xml, region, styles, limits).unwrap_or_default()
}

fn metadata(xml: &str) -> DocumentMetadata {
    // A flat file goes on with its content, which has titles and creators of its own.
    let meta = xml.split_once("</office:meta>").map_or(xml, |(meta, _)| meta);
    DocumentMetadata {
        title: element(meta, "title"),
        author: element(meta, "initial-creator").or_else(|| element(meta, "creator")),
        created: element(meta, "creation-date"),
        producer: element(meta, "generator"),
    }
}

#[cfg(test)]
mod tests;
