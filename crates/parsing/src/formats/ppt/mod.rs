//! PowerPoint 97 to 2003 ([MS-PPT]): a page for each slide in the order of the show, with its notes and comments.

mod records;
mod shapes;
mod show;

use sheaf_domain::Failure;

use crate::formats::compound::Compound;
use crate::formats::markdown::Markdown;
use crate::formats::{corrupt, password};
use crate::limits::Limits;
use crate::output::Output;
use shapes::{Kind, Text};
use show::{Show, Slide};

/// One page for each slide.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut file = Compound::open(bytes, output.limits())?;
    output.metadata = file.metadata()?;
    let user = file.stream("/Current User")?.unwrap_or_default();
    let stream = file.stream("/PowerPoint Document")?;
    let stream = stream.ok_or_else(|| corrupt("this PowerPoint file has no document stream"))?;
    let show = Show::read(&user, &stream);
    if show.encrypted {
        return Err(password("this PowerPoint file is encrypted"));
    }
    if show.slides.is_empty() {
        // The list of slides is lost: all texts in the order in which they lie.
        let texts = shapes::loose(&stream);
        if texts.is_empty() {
            return Err(corrupt("this PowerPoint file is damaged: its list of slides cannot be read"));
        }
        output.problem(None, "the list of slides is damaged; the texts are in the order in which they were saved");
        let mut page = Markdown::new(output.limits());
        texts.iter().for_each(|text| write(text, &mut page));
        return output.page(&page.take());
    }
    for slide in &show.slides {
        output.page(&page(slide, &show, output.limits()))?;
    }
    Ok(())
}

fn page(slide: &Slide<'_>, show: &Show<'_>, limits: &Limits) -> String {
    let mut page = Markdown::new(limits);
    let shown = shapes::read(slide.content, &slide.outline);
    let (titles, rest): (Vec<&Text>, Vec<&Text>) = shown.texts.iter().partition(|text| text.kind == Kind::Title);
    titles.iter().chain(&rest).for_each(|text| write(text, &mut page));

    let notes = show.notes_of(slide).map(|notes| shapes::read(notes, &[]).texts).unwrap_or_default();
    let notes: Vec<&Text> = notes.iter().filter(|text| text.kind == Kind::Notes && !text.is_blank()).collect();
    if !notes.is_empty() {
        page.heading(3, "Notes");
        notes.iter().for_each(|text| write(text, &mut page));
    }
    for (author, text) in &shown.comments {
        let author = if author.is_empty() { String::new() } else { format!(" by {author}") };
        page.paragraph(&format!("Comment{author}: {text}"));
    }
    page.take()
}

fn write(text: &Text, page: &mut Markdown) {
    match text.kind {
        Kind::Title => page.heading(1, &text.text),
        Kind::Body => text.paragraphs().for_each(|paragraph| page.item(0, None, &paragraph)),
        Kind::Notes | Kind::Other => text.paragraphs().for_each(|paragraph| page.paragraph(&paragraph)),
    }
}

#[cfg(test)]
mod tests;
