//! Outlines: the planned sections of an article.

use std::{
    fmt,
    ops::Deref,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};

use crate::{
    budget,
    id::{Hasher, OutlineId},
    source::SourceId,
    wire,
};

/// A section's number in the digested outline, from 1 in reading order. Its handle is `A4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SectionId(pub u32);

impl fmt::Display for SectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A{}", self.0)
    }
}

impl FromStr for SectionId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().trim_start_matches('[').trim_end_matches(']');
        let digits = text.strip_prefix(['A', 'a']).ok_or(())?;
        match digits.parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(()),
        }
    }
}

/// A tree of sections. V2 calls it a skeleton.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    pub sections: Vec<Section>,
}

/// A section that is not written yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The section of the digested outline from which this section descends, and whose digests it inherits. None for a
    /// section without digests.
    pub origin: Option<SectionId>,
    pub title: String,
    /// Instructions for the extraction from sources.
    pub extract: String,
    /// Instructions for the analysis of the extracts together.
    pub analyse: String,
    /// Sources known to bear on the section, ascending. A stage without new knowledge leaves the list unchanged. Long
    /// lists are thinned: see [`Outline::thinned`].
    pub sources: Vec<SourceId>,
    pub children: Vec<Section>,
}

impl Section {
    pub fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }
}

/// A section and its depth in the outline.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// The depth, 0 for a chapter.
    pub depth: usize,
    pub section: &'a Section,
}

impl Outline {
    /// Returns every section in reading order, parents before their children.
    pub fn walk(&self) -> impl Iterator<Item = Placed<'_>> {
        let mut stack: Vec<Placed<'_>> =
            self.sections.iter().rev().map(|section| Placed { depth: 0, section }).collect();
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(next.section.children.iter().rev().map(|section| Placed { depth: next.depth + 1, section }));
            Some(next)
        })
    }

    /// Returns the leaves: sources are digested for them, and they are written from digests.
    pub fn leaves(&self) -> impl Iterator<Item = &Section> {
        self.walk().map(|placed| placed.section).filter(|section| section.is_leaf())
    }

    /// Changes every section, parents before their children.
    pub fn walk_mut(&mut self, mut change: impl FnMut(&mut Section)) {
        fn visit(sections: &mut [Section], change: &mut impl FnMut(&mut Section)) {
            for section in sections {
                change(section);
                visit(&mut section.children, change);
            }
        }
        visit(&mut self.sections, &mut change);
    }

    /// Renumbers the sections, each its own origin: the form that sources are digested against.
    pub fn numbered(mut self) -> Self {
        let mut next = 0;
        self.walk_mut(|section| {
            next += 1;
            section.origin = Some(SectionId(next));
        });
        self
    }

    /// Limits the sources of each section to `most`, evenly taken. Every digest carries the outline: if each section
    /// named its share of the corpus, the tasks would grow with the square of the corpus.
    pub fn thinned(mut self, most: usize) -> Self {
        self.walk_mut(|section| {
            let sources = std::mem::take(&mut section.sources);
            let every = sources.len().div_ceil(most.max(1)).max(1);
            section.sources = sources.into_iter().step_by(every).collect();
        });
        self
    }

    /// Builds the tree from sections in reading order with their depths. A depth that skips a level is taken for the
    /// level below its predecessor, so any list makes a tree.
    pub fn from_flat(flat: impl IntoIterator<Item = (usize, Section)>) -> Self {
        let mut outline = Self::default();
        for (depth, section) in flat {
            let mut level = &mut outline.sections;
            for _ in 0..depth {
                if level.is_empty() {
                    break;
                }
                level = &mut level.last_mut().expect("not empty").children;
            }
            level.push(section);
        }
        outline
    }

    /// Returns the tokens of the outline in a prompt, handles included.
    pub fn tokens(&self) -> u32 {
        self.walk()
            .map(|Placed { section, .. }| {
                8 + budget::count(&section.title) + budget::count(&section.extract) + budget::count(&section.analyse)
            })
            .sum()
    }
}

/// An immutable outline with cached properties: its tokens, counted once by its maker, and its id, computed on demand.
/// Clones share the outline, since many tasks carry the same outline.
#[derive(Clone, Debug)]
pub struct SharedOutline(Arc<Known>);

#[derive(Debug)]
struct Known {
    outline: Outline,
    tokens: u32,
    id: OnceLock<OutlineId>,
}

/// A shared outline on the wire. Its id is not sent, but computed by the reader.
#[derive(Serialize, Deserialize)]
struct Sent<O> {
    outline: O,
    tokens: u32,
}

impl SharedOutline {
    /// Shares an outline; counts its tokens.
    pub fn new(outline: Outline) -> Self {
        let tokens = outline.tokens();
        Self::counted(outline, tokens)
    }

    fn counted(outline: Outline, tokens: u32) -> Self {
        Self(Arc::new(Known { outline, tokens, id: OnceLock::new() }))
    }

    pub fn id(&self) -> OutlineId {
        *self.0.id.get_or_init(|| {
            let mut hasher = Hasher::new("outline");
            hasher.part(&wire::fields(&self.0.outline));
            OutlineId::of(&hasher)
        })
    }

    /// Returns the tokens as [`Outline::tokens`] does, without counting.
    pub fn tokens(&self) -> u32 {
        self.0.tokens
    }
}

impl From<Outline> for SharedOutline {
    fn from(outline: Outline) -> Self {
        Self::new(outline)
    }
}

impl Deref for SharedOutline {
    type Target = Outline;

    fn deref(&self) -> &Outline {
        &self.0.outline
    }
}

impl PartialEq for SharedOutline {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Serialize for SharedOutline {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Sent { outline: &self.0.outline, tokens: self.0.tokens }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedOutline {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Sent::deserialize(deserializer).map(|Sent { outline, tokens }| Self::counted(outline, tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(sources: u32) -> Outline {
        let section = Section {
            origin: None,
            title: "Tides".to_owned(),
            extract: "what the moon pulls".to_owned(),
            analyse: String::new(),
            sources: (1..=sources).map(SourceId).collect(),
            children: Vec::new(),
        };
        Outline { sections: vec![section] }
    }

    #[test]
    fn a_shared_outline_arrives_as_it_was_sent() {
        let sent = SharedOutline::new(outline(3));
        let arrived: SharedOutline = wire::decode(&wire::encode(&sent)).unwrap();
        assert_eq!((arrived.id(), arrived.tokens()), (sent.id(), sent.tokens()));
        assert_eq!(*arrived, outline(3));
        assert_ne!(arrived, SharedOutline::new(outline(4)));
    }

    #[test]
    fn sections_that_name_many_sources_are_thinned_evenly() {
        let named = |sources, most| outline(sources).thinned(most).sections[0].sources.clone();
        assert_eq!(named(3, 4), [1, 2, 3].map(SourceId));
        assert_eq!(named(9, 4), [1, 4, 7].map(SourceId));
        assert_eq!(named(100_000, 64).len(), 64);
    }
}
