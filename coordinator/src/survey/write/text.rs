//! Puts the sections of an article together.

use tributary_protocol::survey::{
    article::{Article, Passage, WrittenSection},
    digest::Note,
};

use super::section::SectionState;

/// The separator between the titles of a section and its child.
pub(super) const BELOW: &str = " > ";

/// The article and its notes.
pub(crate) struct WrittenText {
    pub(crate) article: Article,
    /// The notes behind each section of the article, in the same order, parents before children.
    pub(crate) notes: Vec<Vec<Note>>,
    /// Leaves of the outline without any notes, each given by the titles down to it.
    pub(crate) left_out: Vec<String>,
}

/// Puts the sections together. Leaves that remain without notes are left out, and so are chapters without any other
/// leaf.
pub(super) fn put_together(
    title: &str,
    summary: Passage,
    sections: &[SectionState],
    chapters: &[usize],
    left_out: &[String],
) -> WrittenText {
    let article = Article { title: title.to_owned(), summary, sections: Vec::new() };
    let mut text = WrittenText { article, notes: Vec::new(), left_out: left_out.to_vec() };
    text.article.sections = chapters.iter().filter_map(|chapter| section(sections, *chapter, &mut text)).collect();
    text
}

fn section(sections: &[SectionState], number: usize, text: &mut WrittenText) -> Option<WrittenSection> {
    let state = &sections[number];
    let place = text.notes.len();
    text.notes.push(state.notes.clone());
    let children: Vec<_> = state.children.iter().filter_map(|child| section(sections, *child, text)).collect();
    if children.is_empty() && state.notes.is_empty() {
        text.notes.truncate(place);
        if state.children.is_empty() {
            text.left_out.push(state.brief.path.join(BELOW));
        }
        return None;
    }
    Some(WrittenSection {
        title: state.brief.title().to_owned(),
        passage: state.passage().cloned().unwrap_or_default(),
        figure: state.figure.clone(),
        children,
    })
}
