//! Changes to an outline, and its limits.

use tributary_protocol::{
    budget::count,
    settings::Language,
    survey::{
        SurveyBrief,
        outline::{Outline, Section, SectionId},
    },
};

use crate::extractive::{cluster::likeness, phrasing, terms::terms, vectors::TermSpace};

/// A leaf of an outline, prepared for digests.
pub struct OutlineLeaf<'a> {
    pub id: SectionId,
    pub section: &'a Section,
    /// The leaf's terms: its title's twice, its extract's, its chapter title's.
    pub terms: Vec<String>,
}

/// The leaves of an outline in reading order. Leaves without a number are numbered by their place.
pub fn leaves(outline: &Outline) -> Vec<OutlineLeaf<'_>> {
    let mut above: Vec<&str> = Vec::new();
    let mut leaves = Vec::new();
    for (placed, place) in outline.walk().zip(1..) {
        above.truncate(placed.depth);
        let section = placed.section;
        if section.is_leaf() {
            let id = section.origin.unwrap_or(SectionId(place));
            let title = terms(&section.title);
            let said =
                phrasing::extracted(&section.extract).map_or_else(|| section.extract.clone(), |list| list.join(", "));
            let chapter = above.iter().flat_map(|title| terms(title));
            let terms = title.iter().cloned().chain(title.iter().cloned()).chain(terms(&said)).chain(chapter).collect();
            leaves.push(OutlineLeaf { id, section, terms });
        }
        above.push(&section.title);
    }
    leaves
}

/// All terms of an outline.
pub fn vocabulary(outline: &Outline) -> std::collections::BTreeSet<String> {
    let said = |section: &Section| [terms(&section.title), terms(&section.extract)].concat();
    outline.walk().flat_map(|placed| said(placed.section)).collect()
}

/// The most terms of an `extract`.
pub const MOST_TERMS: usize = 14;

/// The number of leading terms, ahead of new terms.
const MAIN_TERMS: usize = 4;

/// Adds terms to a section's extract, unless already named, or the extract is long enough.
pub fn extend(section: &mut Section, new: &[String], language: Language) {
    let said = format!("{} {}", section.title, section.extract).to_lowercase();
    let new: Vec<String> = new.iter().filter(|term| !said.contains(&term.to_lowercase())).cloned().collect();
    if new.is_empty() {
        return;
    }
    match phrasing::extracted(&section.extract) {
        Some(mut list) => {
            // Terms at the end would be the first to go when the extract is shortened.
            let rest = list.split_off(list.len().min(MAIN_TERMS));
            list.extend(new.into_iter().chain(rest));
            list.truncate(MOST_TERMS);
            section.extract = phrasing::extract(&list, language);
        }
        None if section.extract.is_empty() => section.extract = phrasing::extract(&new, language),
        None if count(&section.extract) < 120 => section.extract.push_str(&phrasing::also(&new, language)),
        None => {}
    }
}

/// Keeps an outline within its limits: first leaves are merged, the most alike of a chapter, then descriptions shortened.
pub fn fit(mut outline: Outline, brief: &SurveyBrief) -> Outline {
    let most = brief.limits.sections.max(1) as usize;
    while outline.walk().count() > most && merge_alike(&mut outline, 0.0, brief.language) {}
    while outline.walk().count() > most {
        outline.sections.pop();
    }
    for terms in [8, 5, 3, 1] {
        if outline.tokens() <= brief.limits.outline {
            return outline;
        }
        outline.walk_mut(|section| shorten(section, terms, brief.language));
    }
    while outline.tokens() > brief.limits.outline && merge_alike(&mut outline, 0.0, brief.language) {}
    outline
}

/// Shortens a section's descriptions to so many terms, or to as many words as such terms have.
pub fn shorten(section: &mut Section, most: usize, language: Language) {
    match phrasing::extracted(&section.extract) {
        Some(mut list) => {
            list.truncate(most);
            section.extract = phrasing::extract(&list, language);
        }
        None => section.extract = first_words(&section.extract, 5 * most),
    }
    section.analyse = first_words(&section.analyse, 5 * most);
}

fn first_words(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() > most {
        return words[..most].join(" ");
    }
    // Without spaces there are no words to count.
    if words.len() <= 2 { text.chars().take(4 * most).collect() } else { text.to_owned() }
}

/// Merges the two most similar leaves of a chapter, if their similarity is at least `least`. Chapters without children
/// count as leaves. True after a merger.
pub fn merge_alike(outline: &mut Outline, least: f64, language: Language) -> bool {
    let mut best: Option<(f64, Option<usize>, usize, usize)> = None;
    let mut look = |chapter: Option<usize>, sections: &[Section]| {
        let words: Vec<_> =
            sections.iter().map(|section| [terms(&section.title), terms(&section.extract)].concat()).collect();
        let rows = likeness(&TermSpace::with_vectors(&words).1);
        for (i, row) in rows.iter().enumerate() {
            for (j, &alike) in row.iter().enumerate().skip(i + 1) {
                let leaves = sections[i].is_leaf() && sections[j].is_leaf();
                if leaves && alike >= least && best.is_none_or(|(most, ..)| alike > most) {
                    best = Some((alike, chapter, i, j));
                }
            }
        }
    };
    look(None, &outline.sections);
    for (at, chapter) in outline.sections.iter().enumerate() {
        look(Some(at), &chapter.children);
    }
    let Some((_, chapter, kept, gone)) = best else { return false };
    let sections = match chapter {
        Some(at) => &mut outline.sections[at].children,
        None => &mut outline.sections,
    };
    let other = sections.remove(gone);
    absorb(&mut sections[kept], other, language);
    if let Some(at) = chapter
        && outline.sections[at].children.len() == 1
    {
        let only = outline.sections[at].children.remove(0);
        let chapter = &mut outline.sections[at];
        (chapter.origin, chapter.extract, chapter.analyse) = (only.origin, only.extract, only.analyse);
        chapter.sources.extend(only.sources);
        chapter.sources.sort_unstable();
        chapter.sources.dedup();
    }
    true
}

/// Merges a leaf into another. Without an origin of its own, the kept leaf takes the other's origin too.
fn absorb(kept: &mut Section, other: Section, language: Language) {
    kept.origin = kept.origin.or(other.origin);
    let list = phrasing::extracted(&other.extract).unwrap_or_else(|| vec![other.title.clone()]);
    extend(kept, &list, language);
    kept.sources.extend(other.sources);
    kept.sources.sort_unstable();
    kept.sources.dedup();
}
