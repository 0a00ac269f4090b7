//! Near-duplicates: the dial of the threshold, and each family with how its members are like the principal.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{
    Batch, BatchId, DocumentId, ExportFormat, ExportSubject, Family, FamilyDial, FamilyFilter, FamilyMember,
    FamilySummary, Likeness,
};

use crate::boxed::Boxed;
use crate::components::crumbs::BatchCrumbs;
use crate::components::diff::diff_href;
use crate::file_path::split_path;
use crate::filters::Filters;
use crate::format::{count, counted};

/// Members of a family that a document's page names.
const NAMED: usize = 12;

/// A Jaccard similarity as people read it; only what is the same is 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100")]
fn percent(jaccard: f32) -> u32 {
    let percent = (jaccard.clamp(0.0, 1.0) * 100.0).floor() as u32;
    if jaccard < 1.0 { percent.min(99) } else { 100 }
}

const fn likeness(kind: Likeness) -> &'static str {
    match kind {
        Likeness::Exact => "same bytes",
        Likeness::SameText => "same text",
        Likeness::Near => "nearly the same",
    }
}

/// The whole page.
#[component]
pub fn FamiliesPage(
    batch: Batch,
    /// At the threshold of the batch.
    own: FamilySummary,
    /// At the one that is looked at.
    dial: FamilyDial,
    /// In percent, when it is another one.
    tried: Option<f32>,
    /// From 1.
    page: u32,
) -> impl IntoView {
    let FamilyDial { summary, families, weakest, next_offset } = dial;
    let id = batch.id;
    let is_tried = tried.is_some() && percent(summary.least) != percent(own.least);
    let body = if families.is_empty() {
        Either::Left(view! {
            <div class="empty" data-testid="no-families">
                <p class="empty-title">"No near-duplicates"</p>
                <p>"No two documents of this batch have the same bytes, the same text, or nearly the same text at this threshold."</p>
            </div>
        })
    } else {
        let sections = families.into_iter().map(|family| view! { <FamilySection batch=id family is_tried /> });
        Either::Right(view! { <ol class="families">{sections.collect_view()}</ol> })
    };
    view! {
        <div class="page" data-testid="families-page">
            <BatchCrumbs href=format!("/batches/{id}") name=batch.name />
            <h1>"Near-duplicates"</h1>
            <p class="lede" data-testid="families-count">
                {match summary.families {
                    0 => "No two documents are alike.".to_owned(),
                    many => {
                        format!(
                            "{} of {}; {} could be dropped without losing a text that is not in another one.",
                            counted(many, "family", "families"),
                            counted(summary.documents, "document", "documents"),
                            count(summary.spare()),
                        )
                    }
                }}
            </p>
            <Dial batch=id own summary is_tried weakest />
            {(!is_tried && summary.families > 0).then(|| view! { <Ways batch=id /> })}
            {body}
            <Paging batch=id least=is_tried.then(|| percent(summary.least)) page has_more=next_offset.is_some() />
        </div>
    }
    .boxed()
}

/// What the table of the batch can show of them, and the downloads.
#[component]
fn Ways(batch: BatchId) -> impl IntoView {
    let ways = [
        (FamilyFilter::Any, "All that are in a family"),
        (FamilyFilter::Spare, "What could be dropped"),
        (FamilyFilter::Collapsed, "One of each"),
    ];
    let ways = ways.map(|(filter, text)| {
        let to = Filters::default().with_family(Some(filter)).documents_href(batch);
        view! {
            <li>
                <a class="part" href=to data-testid=format!("family-{filter}")>
                    {text}
                </a>
            </li>
        }
    });
    let download =
        format!("/api/batches/{batch}/export?subject={}&format={}", ExportSubject::Families, ExportFormat::Json);
    view! {
        <ul class="parts" aria-label="In the table of the batch">
            {ways.collect_view()}
            <li>
                <a class="part" href=download download="" rel="external">
                    "Download, JSON"
                </a>
            </li>
        </ul>
    }
    .boxed()
}

/// From which similarity on texts are nearly the same: a plain form, sent by its button or by letting the slider go.
#[component]
fn Dial(
    batch: BatchId,
    own: FamilySummary,
    summary: FamilySummary,
    is_tried: bool,
    weakest: Option<(FamilyMember, FamilyMember)>,
) -> impl IntoView {
    let value = percent(summary.least);
    let here = format!("/batches/{batch}/families");
    let keep = is_tried.then(|| {
        view! {
            <form class="dial-keep" method="post" action=here.clone() data-testid="dial-keep">
                <input type="hidden" name="least" value=value.to_string() />
                <p>
                    {format!(
                        "This is a trial. The batch is at {} %, with {}.",
                        percent(own.least),
                        counted(own.families, "family", "families"),
                    )}
                </p>
                <button class="button">{format!("Use {value} % for the batch")}</button>
                <a class="button quiet" href=here.clone()>
                    "Back"
                </a>
            </form>
        }
    });
    let weakest = match weakest {
        Some((principal, member)) => Either::Left(view! {
            <p class="dial-weakest" data-testid="weakest">
                {format!("The least alike that still count, {} %: ", percent(member.jaccard))}
                <a href=diff_href(batch, principal.id, member.id)>
                    <bdi>{split_path(&principal.path).1.to_owned()}</bdi>
                    " and "
                    <bdi>{split_path(&member.path).1.to_owned()}</bdi>
                </a>
            </p>
        }),
        None => Either::Right(view! { <p class="dial-weakest">"All families are of equal bytes or equal texts."</p> }),
    };
    view! {
        <section class="dial" aria-labelledby="dial-title">
            <h2 id="dial-title" class="unseen">"Threshold"</h2>
            <form class="levels" method="get" action=here.clone() data-testid="dial">
                <label for="least">
                    "Texts are nearly the same from "
                    <output for="least" class="tabular">{value.to_string()}</output>
                    " % of their three-word runs in common"
                </label>
                <span class="levels-slide">
                    <span aria-hidden="true">"looser"</span>
                    <input
                        type="range"
                        id="least"
                        name="least"
                        min=percent(summary.lowest).to_string()
                        max="100"
                        value=value.to_string()
                        data-submit=""
                    />
                    <span aria-hidden="true">"stricter"</span>
                    <button class="button quiet">"Regroup"</button>
                </span>
            </form>
            {weakest}
            {keep}
        </section>
    }
    .boxed()
}

#[component]
fn FamilySection(batch: BatchId, family: Family, is_tried: bool) -> impl IntoView {
    let Family { id, size, members } = family;
    let mut members = members.into_iter();
    let principal = members.next();
    let first = principal.as_ref().map(|principal| principal.id);
    let shown = members.len() as u64 + 1;
    let rows = members.map(|member| view! { <Member batch member principal=first /> }).collect_view();
    let table = Filters::default().with_family(Some(FamilyFilter::Family(id))).documents_href(batch);
    let more = (size > shown).then(|| format!("and {} more", count(size - shown)));
    view! {
        <li class="family" id=format!("family-{id}") data-testid="family">
            <h2 class="family-name">
                {principal
                    .map(|principal| {
                        view! {
                            <a href=format!("/batches/{batch}/documents/{}", principal.id)>
                                <bdi>{principal.path}</bdi>
                            </a>
                        }
                    })}" "<span class="fine">{counted(size, "document", "documents")}</span>
                {(!is_tried).then(|| view! { <a class="family-table" href=table>"In the table"</a> })}
            </h2>
            <ul class="family-members">{rows}</ul>
            {more.map(|more| view! { <p class="fine">{more}</p> })}
        </li>
    }
    .boxed()
}

#[component]
fn Member(batch: BatchId, member: FamilyMember, principal: Option<DocumentId>) -> impl IntoView {
    let FamilyMember { id, path, kind, jaccard } = member;
    let name = split_path(&path).1.to_owned();
    let how = match kind {
        Likeness::Near => format!("{} %", percent(jaccard)),
        Likeness::Exact | Likeness::SameText => likeness(kind).to_owned(),
    };
    // There is nothing to see in a comparison of equal bytes.
    let compared = principal.filter(|_| kind != Likeness::Exact).map(|principal| {
        view! {
            <a href=diff_href(batch, principal, id) data-testid="family-diff">
                "Compare"
                <span class="unseen">{format!(" with {name}")}</span>
            </a>
        }
    });
    view! {
        <li class="family-member" data-testid="family-member" data-kind=kind.name()>
            <a href=format!("/batches/{batch}/documents/{id}")>
                <bdi>{path}</bdi>
            </a>
            <span class="family-how" title=likeness(kind)>
                {how}
            </span>
            <span class="family-diff">{compared}</span>
        </li>
    }
    .boxed()
}

#[component]
fn Paging(batch: BatchId, least: Option<u32>, page: u32, has_more: bool) -> impl IntoView {
    let link = |page: u32, text: &'static str, rel: &'static str| {
        let least = least.map(|least| format!("least={least}&")).unwrap_or_default();
        view! {
            <a class="button quiet" href=format!("/batches/{batch}/families?{least}page={page}") rel=rel>
                {text}
            </a>
        }
    };
    (page > 1 || has_more).then(|| {
        view! {
            <nav class="paging" aria-label="Pages of families">
                <p>{format!("Page {}", count(page.into()))}</p>
                {(page > 1).then(|| link(page - 1, "Previous", "prev"))}
                {has_more.then(|| link(page + 1, "Next", "next"))}
            </nav>
        }
    })
}

/// The family of a document, on its own page.
#[component]
pub fn OwnFamily(batch: BatchId, document: DocumentId, family: Family) -> impl IntoView {
    let Family { id, size, members } = family;
    let principal = members.first().map(|principal| principal.id);
    let is_principal = principal == Some(document);
    let others = members.into_iter().filter(|member| member.id != document).take(NAMED);
    let rows = others
        .map(|member| {
            // What is said of the others is what they share with the principal.
            let with = Some(document).filter(|_| is_principal || Some(member.id) == principal);
            view! { <Member batch member principal=with /> }
        })
        .collect_view();
    let more = size.saturating_sub(NAMED as u64 + 1);
    let role = match is_principal {
        true => "This one stands for all:",
        false => "The first one stands for all:",
    };
    view! {
        <section class="aside-section" data-testid="document-family">
            <h2>"Near-duplicates"</h2>
            <p class="fine">{role}</p>
            <ul class="family-members">{rows}</ul>
            <p class="fine">
                {(more > 0).then(|| format!("and {} more. ", count(more)))}
                <a href=Filters::default().with_family(Some(FamilyFilter::Family(id))).documents_href(batch)>"All in the table"</a>
            </p>
        </section>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_same_is_a_hundred_percent() {
        let check = |jaccard: f32, expect: u32| assert_eq!(percent(jaccard), expect, "{jaccard}");
        check(0.344, 34);
        check(0.999, 99);
        check(0.999_999, 99);
        check(1.0, 100);
    }
}
