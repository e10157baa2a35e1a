//! Numbers for citations: `[1]` is the first source that a reader meets.

use std::collections::HashMap;

use tributary_protocol::{
    source::SourceId,
    survey::article::{Article, Figure, Row, Sentence, WrittenSection},
};

/// A part of the article that can cite.
pub enum Part<'a> {
    Sentence(&'a Sentence),
    Row(&'a Row),
    Diagram(&'a [SourceId]),
}

impl Part<'_> {
    pub fn sources(&self) -> &[SourceId] {
        match self {
            Self::Sentence(sentence) => &sentence.sources,
            Self::Row(row) => &row.sources,
            Self::Diagram(sources) => sources,
        }
    }
}

/// Calls `see` with every part that can cite, in reading order.
pub fn walk<'a>(article: &'a Article, see: &mut impl FnMut(Part<'a>)) {
    fn walk_section<'a>(section: &'a WrittenSection, see: &mut impl FnMut(Part<'a>)) {
        section.passage.sentences().for_each(|sentence| see(Part::Sentence(sentence)));
        match &section.figure {
            Some(Figure::Table { rows, .. }) => rows.iter().for_each(|row| see(Part::Row(row))),
            Some(Figure::Diagram { sources, .. }) => see(Part::Diagram(sources)),
            None => {}
        }
        for child in &section.children {
            walk_section(child, see);
        }
    }
    article.summary.sentences().for_each(|sentence| see(Part::Sentence(sentence)));
    article.sections.iter().for_each(|chapter| walk_section(chapter, see));
}

/// The numbers of the cited sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbering {
    order: Vec<SourceId>,
    numbers: HashMap<SourceId, usize>,
    citations: usize,
}

impl Numbering {
    pub fn of(article: &Article) -> Self {
        let mut numbering = Self::default();
        walk(article, &mut |part| {
            for source in part.sources() {
                numbering.citations += 1;
                if !numbering.numbers.contains_key(source) {
                    numbering.order.push(*source);
                    numbering.numbers.insert(*source, numbering.order.len());
                }
            }
        });
        numbering
    }

    /// Returns the cited sources by number: the first is `[1]`.
    pub fn cited(&self) -> &[SourceId] {
        &self.order
    }

    /// Returns the number of citations in all.
    pub fn citations(&self) -> usize {
        self.citations
    }

    /// Returns the mark of a citation, `[3,17]`, ascending; empty for no sources.
    pub fn mark(&self, sources: &[SourceId]) -> String {
        let mut numbers: Vec<usize> = sources.iter().filter_map(|source| self.numbers.get(source)).copied().collect();
        if numbers.is_empty() {
            return String::new();
        }
        numbers.sort_unstable();
        numbers.dedup();
        format!("[{}]", numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
    }
}
