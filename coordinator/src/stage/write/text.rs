//! All sections put together.

use tributary_protocol::{
    article::{Article, WrittenSection},
    digest::Note,
};

use super::Write;

/// Between the titles of a section and of one below it.
pub(super) const BELOW: &str = " > ";

/// All that was written.
pub(crate) struct Text {
    pub(crate) article: Article,
    /// The notes behind each of its sections, in their order, parents before children.
    pub(crate) notes: Vec<Vec<Note>>,
    /// Leaves of the outline that no source said anything for, by the titles down to them.
    pub(crate) left_out: Vec<String>,
}

impl Write {
    /// All that was written. A leaf that in the end no source said anything for is left out, and so is a chapter of
    /// nothing else.
    pub(crate) fn text(&self, title: &str) -> Text {
        let article = Article {
            title: title.to_owned(),
            summary: self.summary.clone().unwrap_or_default(),
            sections: Vec::new(),
        };
        let mut text = Text { article, notes: Vec::new(), left_out: self.left_out.clone() };
        text.article.sections = self.chapters.iter().filter_map(|chapter| self.section(*chapter, &mut text)).collect();
        text
    }

    fn section(&self, number: usize, text: &mut Text) -> Option<WrittenSection> {
        let writing = &self.sections[number];
        let place = text.notes.len();
        text.notes.push(writing.notes.clone());
        let children: Vec<_> = writing.children.iter().filter_map(|child| self.section(*child, text)).collect();
        if children.is_empty() && writing.notes.is_empty() {
            text.notes.truncate(place);
            if writing.children.is_empty() {
                text.left_out.push(writing.brief.path.join(BELOW));
            }
            return None;
        }
        Some(WrittenSection {
            title: writing.brief.title().to_owned(),
            passage: writing.passage().cloned().unwrap_or_default(),
            figure: writing.figure.clone(),
            children,
        })
    }
}
