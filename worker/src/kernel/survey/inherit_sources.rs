//! Inheritance of sources: the sections of a new outline get the sources of the sections they descend from.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use tributary_protocol::{
    source::SourceId,
    survey::outline::{Outline, Section},
};

use super::lexicon::Lexicon;

/// A possible ancestor of sections in the new outline, under the handle offered in the call.
pub(super) struct SectionAncestor {
    pub handle: String,
    /// The place of the ancestor above, used where no section descends from this ancestor.
    pub parent: Option<usize>,
    /// The subject, in words.
    pub about: String,
    pub sources: Vec<SourceId>,
}

/// The sections of an outline as ancestors, in reading order.
pub(super) fn ancestors(outline: &Outline, handle: impl Fn(usize, &Section) -> String) -> Vec<SectionAncestor> {
    let mut open: Vec<usize> = Vec::new();
    let sections = outline.walk().enumerate();
    let ancestor = |(place, placed): (usize, tributary_protocol::survey::outline::Placed<'_>)| {
        open.truncate(placed.depth);
        let parent = open.last().copied();
        open.push(place);
        SectionAncestor {
            handle: handle(place, placed.section),
            parent,
            about: about(placed.section),
            sources: placed.section.sources.clone(),
        }
    };
    sections.map(ancestor).collect()
}

/// The sections of several outlines in a row, under handles with the outline's number.
pub(super) fn ancestors_of_all<'a>(
    outlines: impl IntoIterator<Item = &'a Outline>,
    handle: impl Fn(usize, usize, &Section) -> String,
) -> Vec<SectionAncestor> {
    let mut all: Vec<SectionAncestor> = Vec::new();
    for (number, outline) in outlines.into_iter().enumerate() {
        let before = all.len();
        let own = ancestors(outline, |place, section| handle(number, place, section));
        let moved = |ancestor: SectionAncestor| SectionAncestor {
            parent: ancestor.parent.map(|place| place + before),
            ..ancestor
        };
        all.extend(own.into_iter().map(moved));
    }
    all
}

pub(super) fn about(section: &Section) -> String {
    format!("{} {} {}", section.title, section.extract, section.analyse)
}

/// Gives the sources of every ancestor to leaves of the outline: to the descendants of the ancestor, or to leaves below
/// them; else to the descendants of the ancestor above; else to the most similar leaf. `taken[i]` are the handles named
/// by section `i`.
pub(super) fn inherit(ancestors: &[SectionAncestor], taken: &[Vec<String>], outline: &mut Outline) {
    let depths: Vec<usize> = outline.walk().map(|placed| placed.depth).collect();
    let below = |place: usize| -> Range<usize> {
        let length = depths[place + 1..].iter().take_while(|depth| **depth > depths[place]).count();
        place + 1..place + 1 + length
    };
    let leaves: Vec<usize> = (0..depths.len()).filter(|place| below(*place).is_empty()).collect();
    let lexicon = Lexicon::new(outline.walk().map(|placed| about(placed.section)));
    let mut takers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, handles) in taken.iter().enumerate() {
        for handle in handles {
            takers.entry(handle).or_default().push(place);
        }
    }
    let mut sources: Vec<BTreeSet<SourceId>> = vec![BTreeSet::new(); depths.len()];
    for ancestor in ancestors.iter().filter(|ancestor| !ancestor.sources.is_empty()) {
        let line = std::iter::successors(Some(ancestor), |ancestor| ancestor.parent.map(|place| &ancestors[place]));
        let heirs = line.filter_map(|ancestor| takers.get(ancestor.handle.as_str())).next();
        let of_taker = |taker: &usize| {
            let under = below(*taker);
            if under.is_empty() {
                return Some(*taker);
            }
            lexicon.closest(&ancestor.about, leaves.iter().copied().filter(|leaf| under.contains(leaf)))
        };
        let heirs: Vec<usize> = match heirs {
            Some(takers) => takers.iter().filter_map(of_taker).collect(),
            None => lexicon.closest(&ancestor.about, leaves.iter().copied()).into_iter().collect(),
        };
        for heir in heirs {
            sources[heir].extend(&ancestor.sources);
        }
    }
    let mut sources = sources.into_iter();
    outline.walk_mut(|section| section.sources = sources.next().unwrap_or_default().into_iter().collect());
}
