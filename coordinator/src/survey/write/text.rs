//! All sections put together.

use tributary_protocol::survey::{
    article::{Article, Passage, WrittenSection},
    digest::Note,
};

use super::section::SectionState;

/// Between the titles of a section and of one below it.
pub(super) const BELOW: &str = " > ";

/// All that was written.
pub(crate) struct WrittenText {
    pub(crate) article: Article,
    /// The notes behind each of its sections, in their order, parents before children.
    pub(crate) notes: Vec<Vec<Note>>,
    /// Leaves of the outline that no source said anything for, by the titles down to them.
    pub(crate) left_out: Vec<String>,
}

/// Puts all that was written together. A leaf that in the end no source said anything for is left out, and so is a chapter of
/// nothing else.
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
