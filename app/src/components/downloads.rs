//! What can be taken away from a batch.

use leptos::prelude::*;
use sheaf_domain::{BatchId, ExportFormat, ExportSubject};

use crate::boxed::Boxed;

/// Plain links to files; the router leaves them alone.
#[component]
pub fn Downloads(batch: BatchId) -> impl IntoView {
    let link = move |subject: ExportSubject, format: ExportFormat, text: &'static str| {
        view! {
            <a
                class="download"
                data-testid=format!("download-{subject}-{format}")
                href=format!("/api/batches/{batch}/export?subject={subject}&format={format}")
                download=""
                rel="external"
            >
                {text}
            </a>
        }
    };
    view! {
        <nav class="downloads" aria-label="Downloads" id="downloads">
            <span class="downloads-title">
                <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                    <path class="line" d="M6 1v7M3 5.500l3 3 3-3M1.500 11h9" />
                </svg>
                "Download"
            </span>
            {link(ExportSubject::Documents, ExportFormat::Csv, "Documents, CSV")}
            {link(ExportSubject::Documents, ExportFormat::Json, "Documents, JSON")}
            {link(ExportSubject::Clusters, ExportFormat::Json, "Clusters, JSON")}
            {link(ExportSubject::Families, ExportFormat::Json, "Near-duplicates, JSON")}
            {link(ExportSubject::Similarity, ExportFormat::Csv, "Similarity, CSV")}
        </nav>
    }
    .boxed()
}
