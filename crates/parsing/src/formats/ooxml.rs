//! What the Office packages of Word, Excel and PowerPoint share (ECMA-376 part 2): the main part, who wrote it, charts.

pub mod chart;
pub mod shapes;

use sheaf_domain::{DocumentMetadata, Failure};

use crate::formats::markdown::Markdown;
use crate::formats::package::{Package, Relation};
use crate::formats::xml::element;
use crate::limits::Limits;

/// The name of the part that is the document itself, by the package's relations.
///
/// # Errors
/// Those of the package.
pub fn main_part(package: &mut Package<'_>, usual: &str) -> Result<String, Failure> {
    Ok(target(&package.relations("")?, "/officeDocument").unwrap_or_else(|| usual.to_owned()))
}

/// The target of the first relation whose kind ends in `kind`.
pub fn target(relations: &[Relation], kind: &str) -> Option<String> {
    relations.iter().find(|relation| relation.kind.ends_with(kind)).map(|relation| relation.target.clone())
}

/// The targets of all relations whose kind ends in `kind`.
pub fn targets<'a>(relations: &'a [Relation], kind: &'a str) -> impl Iterator<Item = &'a str> {
    relations.iter().filter(move |relation| relation.kind.ends_with(kind)).map(|relation| relation.target.as_str())
}

/// Writes the charts and diagrams that a part shows by the ids of its relations. One that is broken is left out: it is no
/// reason to lose the rest.
///
/// # Errors
/// Those of the package.
pub fn write_related(
    package: &mut Package<'_>,
    relations: &[Relation],
    ids: &[String],
    limits: &Limits,
    page: &mut Markdown,
) -> Result<(), Failure> {
    for id in ids {
        let Some(Relation { kind, target, .. }) = relations.iter().find(|relation| relation.id == *id) else {
            continue;
        };
        let Some(xml) = package.part(target)? else { continue };
        if kind.ends_with("/chart") {
            let _ = chart::write(target, &xml, limits, page);
        } else if let Ok(text) = shapes::diagram(target, &xml, limits) {
            page.paragraph(&text);
        }
    }
    Ok(())
}

/// What the package says about its document.
///
/// # Errors
/// Those of the package.
pub fn metadata(package: &mut Package<'_>) -> Result<DocumentMetadata, Failure> {
    let relations = package.relations("")?;
    let mut part = |kind: &str, usual: &str| {
        let name = target(&relations, kind).unwrap_or_else(|| usual.to_owned());
        Ok::<_, Failure>(package.part(&name)?.unwrap_or_default())
    };
    let core = part("/core-properties", "docProps/core.xml")?;
    let app = part("/extended-properties", "docProps/app.xml")?;
    Ok(DocumentMetadata {
        title: element(&core, "title"),
        author: element(&core, "creator"),
        created: element(&core, "created"),
        producer: element(&app, "Application"),
    })
}
