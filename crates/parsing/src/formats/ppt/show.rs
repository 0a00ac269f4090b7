//! The order of the slides: from the last edit over the directory of what was saved to the lists in the document.

use std::collections::{HashMap, HashSet};

use super::records::{Record, Records};
use super::shapes::{Kind, Text, text_of};
use crate::formats::compound::u32_at;

const DOCUMENT: u16 = 0x3e8;
const SLIDE: u16 = 0x3ee;
const SLIDE_ATOM: u16 = 0x3ef;
const NOTES: u16 = 0x3f0;
const NOTES_ATOM: u16 = 0x3f1;
const SLIDE_PERSIST: u16 = 0x3f3;
const SLIDE_LIST: u16 = 0xff0;
const USER_EDIT: u16 = 0xff5;
const DIRECTORY: u16 = 0x1772;
/// What the stream “Current User” says of a file that is encrypted.
const ENCRYPTED: u32 = 0xf3d1_c4df;
/// Edits that were saved one after the other are followed so far.
const EDITS: usize = 10_000;

/// The slides in their order.
#[derive(Default)]
pub struct Show<'a> {
    pub encrypted: bool,
    pub slides: Vec<Slide<'a>>,
    /// Notes by the id of their slide.
    notes: HashMap<u32, &'a [u8]>,
}

/// A slide: its id, its records, and the texts of its title and body that lie in the list of slides.
pub struct Slide<'a> {
    id: u32,
    pub content: &'a [u8],
    pub outline: Vec<Text>,
}

impl<'a> Show<'a> {
    /// Reads the order as far as it is there.
    pub fn read(user: &[u8], stream: &'a [u8]) -> Self {
        let mut show = Self { encrypted: u32_at(user, 12) == Some(ENCRYPTED), ..Self::default() };
        let saved = Saved::read(user, stream);
        show.encrypted |= saved.encrypted;
        let Some(document) = saved.record(stream, saved.document).filter(|record| record.kind == DOCUMENT) else {
            return show;
        };
        for list in Records(document.data).filter(|record| record.kind == SLIDE_LIST) {
            match list.instance {
                0 => show.slides = slides(list.data, stream, &saved),
                2 => show.notes = notes(list.data, stream, &saved),
                _ => {}
            }
        }
        show
    }

    /// The speaker's notes of a slide.
    pub fn notes_of(&self, slide: &Slide<'_>) -> Option<&'a [u8]> {
        self.notes.get(&slide.id).copied()
    }
}

fn slides<'a>(list: &'a [u8], stream: &'a [u8], saved: &Saved) -> Vec<Slide<'a>> {
    let mut slides: Vec<Slide<'a>> = Vec::new();
    let mut seen = HashSet::new();
    let mut kind = Kind::Other;
    // Whether the texts belong to a slide that was taken.
    let mut taken = false;
    for record in Records(list) {
        if record.kind == SLIDE_PERSIST {
            let place = u32_at(record.data, 0).unwrap_or(0);
            let content = saved.record(stream, place).filter(|record| record.kind == SLIDE);
            taken = seen.insert(place) && content.is_some();
            if let (Some(content), true) = (content, taken) {
                let id = u32_at(record.data, 12).unwrap_or(0);
                slides.push(Slide { id, content: content.data, outline: Vec::new() });
            }
        } else if taken && let Some(slide) = slides.last_mut() {
            take_text(record, &mut kind, &mut slide.outline);
        }
    }
    slides
}

/// Adds the text of a record; its kind comes in a record before it.
fn take_text(record: Record<'_>, kind: &mut Kind, texts: &mut Vec<Text>) {
    if let Some(found) = Kind::of(record) {
        *kind = found;
        // A place without text counts, for shapes name their text by its number.
        texts.push(Text { kind: found, text: String::new() });
    } else if let (Some(text), Some(last)) = (text_of(record), texts.last_mut()) {
        last.text = text;
    }
}

fn notes<'a>(list: &'a [u8], stream: &'a [u8], saved: &Saved) -> HashMap<u32, &'a [u8]> {
    let persists = Records(list).filter(|record| record.kind == SLIDE_PERSIST);
    let content = persists.filter_map(|record| saved.record(stream, u32_at(record.data, 0)?));
    let notes = content.filter(|record| record.kind == NOTES);
    notes
        .filter_map(|record| {
            let atom = Records(record.data).find(|inner| matches!(inner.kind, NOTES_ATOM | SLIDE_ATOM))?;
            Some((u32_at(atom.data, 0)?, record.data))
        })
        .collect()
}

/// Where what was saved lies: a later edit hides what an earlier one saved under the same number.
#[derive(Default)]
struct Saved {
    places: HashMap<u32, usize>,
    document: u32,
    encrypted: bool,
}

impl Saved {
    fn read(user: &[u8], stream: &[u8]) -> Self {
        let mut saved = Self::default();
        let mut seen = HashSet::new();
        let mut at = u32_at(user, 16).unwrap_or(0) as usize;
        while seen.len() < EDITS && seen.insert(at) {
            let Some(edit) = one(stream, at).filter(|record| record.kind == USER_EDIT) else { break };
            let number = |at: usize| u32_at(edit.data, at).unwrap_or(0);
            if seen.len() == 1 {
                saved.document = number(16);
                saved.encrypted = number(28) != 0;
            }
            if let Some(directory) = one(stream, number(12) as usize).filter(|record| record.kind == DIRECTORY) {
                saved.take(directory.data);
            }
            at = number(8) as usize;
            if at == 0 {
                break;
            }
        }
        saved
    }

    fn take(&mut self, directory: &[u8]) {
        let mut rest = directory;
        while let Some(head) = u32_at(rest, 0) {
            let (first, count) = (head & 0xf_ffff, (head >> 20) as usize);
            let places = (0..count).map_while(|index| u32_at(rest, 4 + 4 * index));
            for (id, place) in (first..).zip(places) {
                self.places.entry(id).or_insert(place as usize);
            }
            rest = rest.get(4 + 4 * count..).unwrap_or_default();
        }
    }

    fn record<'a>(&self, stream: &'a [u8], id: u32) -> Option<Record<'a>> {
        one(stream, *self.places.get(&id)?)
    }
}

fn one(stream: &[u8], at: usize) -> Option<Record<'_>> {
    Records(stream.get(at..)?).next()
}
