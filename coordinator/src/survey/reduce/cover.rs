//! Coverage: cites a source whose notes no section used, by a note of its own.
//!
//! A digest's note is a statement with its source, so adding a note invents nothing. It is a last resort, for sources
//! that a writer left out, and the report names each source added.

use std::collections::HashSet;

use tributary_protocol::{
    source::SourceId,
    survey::{
        article::{Article, Paragraph, Sentence, WrittenSection},
        digest::Note,
    },
};

use unicode_segmentation::UnicodeSegmentation as _;

use super::{number::Numbering, words::words_of};
use crate::survey::finished::FinishedSurvey;

/// Adds a note of each uncited source to the note's section, in a paragraph of its own. Returns the added sources. The
/// additions are never longer than the article was before: an article of fixed length can't cite any number of sources.
pub fn cover(article: &mut Article, finished: &FinishedSurvey) -> Vec<String> {
    let mut cited: HashSet<SourceId> = Numbering::of(article).cited().iter().copied().collect();
    let mut room = words_of(article);
    let mut added = Vec::new();
    let mut notes = finished.notes.iter();
    for chapter in &mut article.sections {
        cover_section(chapter, &mut notes, &mut cited, &mut room, &mut added);
    }
    added
}

/// Covers a section and its children. Sections take their notes from `notes` in reading order, as the machine lists
/// them.
fn cover_section<'a>(
    section: &mut WrittenSection,
    notes: &mut impl Iterator<Item = &'a Vec<Note>>,
    cited: &mut HashSet<SourceId>,
    room: &mut usize,
    added: &mut Vec<String>,
) {
    let mut sentences = Vec::new();
    for note in notes.next().into_iter().flatten() {
        let words = note.text.unicode_words().count();
        if note.sources.iter().all(|source| cited.contains(source)) || words > *room {
            continue;
        }
        *room -= words;
        added.extend(note.sources.iter().filter(|source| cited.insert(**source)).map(SourceId::to_string));
        sentences.push(Sentence { text: note.text.clone(), sources: note.sources.clone() });
    }
    if !sentences.is_empty() {
        section.passage.paragraphs.push(Paragraph { sentences });
    }
    for child in &mut section.children {
        cover_section(child, notes, cited, room, added);
    }
}
