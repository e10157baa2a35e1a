//! Outlines: what the article will say, and where.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{budget, source::SourceId};

/// A section's number in the outline that the digests were made for, from 1 in reading order. Its handle is `A4`.
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
    /// The section of the digested outline that this one descends from: what was digested for that one serves this one.
    /// None for a section that no source has been digested for.
    pub origin: Option<SectionId>,
    pub title: String,
    /// What to extract from sources for it.
    pub extract: String,
    /// How to analyse what was extracted, together.
    pub analyse: String,
    /// Sources known to bear on it, ascending; what a stage doesn't know, it leaves as it is.
    pub sources: Vec<SourceId>,
    pub children: Vec<Section>,
}

impl Section {
    pub fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }
}

/// A section and where it stands in its outline.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// 0 for a chapter.
    pub depth: usize,
    pub section: &'a Section,
}

impl Outline {
    /// Every section in reading order, parents before their children.
    pub fn walk(&self) -> impl Iterator<Item = Placed<'_>> {
        let mut stack: Vec<Placed<'_>> =
            self.sections.iter().rev().map(|section| Placed { depth: 0, section }).collect();
        std::iter::from_fn(move || {
            let next = stack.pop()?;
            stack.extend(next.section.children.iter().rev().map(|section| Placed { depth: next.depth + 1, section }));
            Some(next)
        })
    }

    /// The sections that sources are digested for and that are written from digests.
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

    /// The same outline with its sections numbered anew, each its own origin: what sources are digested against.
    pub fn numbered(mut self) -> Self {
        let mut next = 0;
        self.walk_mut(|section| {
            next += 1;
            section.origin = Some(SectionId(next));
        });
        self
    }

    /// Builds the tree from sections in reading order with their depths. A depth that skips a level is taken as one
    /// below its predecessor, so any list makes a tree.
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

    /// Tokens of the outline as it is shown to a model, handles included.
    pub fn tokens(&self) -> u32 {
        self.walk()
            .map(|Placed { section, .. }| {
                8 + budget::count(&section.title) + budget::count(&section.extract) + budget::count(&section.analyse)
            })
            .sum()
    }
}
