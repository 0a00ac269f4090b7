//! A document that takes minutes.

#[expect(dead_code, reason = "only the assembling is used here")]
#[path = "../../../crates/parsing/tests/support/pdf.rs"]
mod made;

use made::assemble;

/// A PDF that takes minutes: many pages that all draw the same long content.
pub fn endless() -> Vec<u8> {
    with_pages(4000)
}

/// The same with fewer pages, of which a core reads a few in a second.
pub fn with_pages(pages: usize) -> Vec<u8> {
    let content = "BT /F1 9 Tf 72 760 Td (harbour) Tj 0 -1 Td (winter) Tj ET\n".repeat(4000);
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", 5 + page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {pages} >>", kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>";
    objects.extend((0..pages).map(|_| page.to_owned()));
    assemble(&objects)
}
