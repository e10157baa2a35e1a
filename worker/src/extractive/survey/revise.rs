//! Revisions of an outline: by digests, by several candidates together, by its own gaps.

use std::{collections::BTreeMap, sync::Arc};

use tributary_protocol::{
    budget::count,
    survey::{
        SurveyBrief,
        digest::SourceDigest,
        outline::{Outline, Section, SharedOutline},
        suggestion::Candidate,
    },
};

use super::{
    amend::{self, MOST_TERMS},
    judge,
};
use crate::extractive::{
    cluster::{chain, likeness},
    phrasing,
    phrasing::PhrasedSuggestion,
    terms::terms,
    titles,
    vectors::{TermSpace, greatest},
};

/// The most terms added to a leaf by a group's digests.
const ADDED: usize = 3;
/// The number of digests in agreement on a term without a fitting leaf, for a new leaf.
const AGREED: usize = 3;
/// The least similarity of redundant leaves.
const REDUNDANT: f64 = 0.8;

fn candidate(suggestion: &PhrasedSuggestion, outline: Outline, brief: &SurveyBrief) -> Candidate {
    let outline = SharedOutline::new(amend::fit(outline, brief));
    let suggestion = suggestion.text(brief.language, brief.limits.suggestion);
    let tokens = count(&suggestion) + outline.tokens();
    Candidate { suggestion, outline, tokens }
}

/// Joins a group's digests into a suggestion of their most wanted terms, and revises the outline.
pub fn feedback(outline: &Outline, digests: &[SourceDigest], brief: &SurveyBrief) -> Candidate {
    let mut suggestion = PhrasedSuggestion::default();
    let mut support: BTreeMap<(String, String), (usize, String)> = BTreeMap::new();
    for digest in digests {
        let own = PhrasedSuggestion::read(&digest.digest.suggestion);
        for (title, wanted) in own.wanted {
            for term in wanted {
                support.entry((title.clone(), term.to_lowercase())).or_insert((0, term)).0 += 1;
            }
        }
        suggestion.join(PhrasedSuggestion { wanted: Vec::new(), said: own.said });
    }
    let mut wanted: Vec<_> = support.into_iter().map(|((title, _), (count, term))| (count, title, term)).collect();
    wanted.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (&a.1, &a.2).cmp(&(&b.1, &b.2))));
    for (_, title, term) in wanted {
        if suggestion.wanted.iter().find(|(other, _)| *other == title).is_none_or(|(_, terms)| terms.len() < ADDED) {
            suggestion.want(&title, vec![term]);
        }
    }
    let mut revised = apply(outline, &suggestion, brief);
    found_leaf(&mut revised, digests, brief);
    candidate(&suggestion, revised, brief)
}

/// The outline with the suggested terms in its sections.
fn apply(outline: &Outline, suggestion: &PhrasedSuggestion, brief: &SurveyBrief) -> Outline {
    let mut outline = outline.clone();
    outline.walk_mut(|section| {
        let wanted = suggestion.wanted.iter().find(|(title, _)| section.is_leaf() && *title == section.title);
        if let Some((_, terms)) = wanted {
            amend::extend(section, terms, brief.language);
        }
    });
    outline
}

/// Adds a leaf for a phrase common to several digests and missing in the outline, if there is room.
fn found_leaf(outline: &mut Outline, digests: &[SourceDigest], brief: &SurveyBrief) {
    if outline.walk().count() >= brief.limits.sections as usize || digests.len() < AGREED {
        return;
    }
    let known = amend::vocabulary(outline);
    let mut speakers: BTreeMap<String, (Vec<usize>, String)> = BTreeMap::new();
    for (i, digest) in digests.iter().enumerate() {
        let said = digest.digest.notes.iter().map(|(_, note)| note.text.as_str()).collect::<Vec<_>>().join("\n");
        for (key, surface, _) in titles::phrases(&said) {
            // A phrase of one word is too vague to found a section.
            if key.contains(' ') && terms(&key).iter().all(|term| !known.contains(term)) {
                speakers.entry(key).or_insert_with(|| (Vec::new(), surface)).0.push(i);
            }
        }
    }
    let agreed =
        greatest(speakers.values().map(|(own, _)| own.len() as f64)).and_then(|at| speakers.into_values().nth(at));
    let Some((own, term)) = agreed.filter(|(own, _)| own.len() >= AGREED) else { return };
    let sources = own.iter().map(|&i| digests[i].source.id).collect();
    let title = titles::title_case(&term);
    let leaf = super::outline::section(title, std::slice::from_ref(&term), sources, brief);
    place(outline, leaf);
}

/// Puts a leaf under the most similar chapter with children, or else after the last chapter.
fn place(outline: &mut Outline, leaf: Section) {
    let said = |section: &Section| [terms(&section.title), terms(&section.extract)].concat();
    let mut words: Vec<_> = outline.sections.iter().map(said).collect();
    words.push(said(&leaf));
    let rows = likeness(&TermSpace::with_vectors(&words).1);
    let near = |at: usize| if outline.sections[at].is_leaf() { f64::NAN } else { rows[at][outline.sections.len()] };
    match greatest((0..outline.sections.len()).map(near)) {
        Some(at) => outline.sections[at].children.push(leaf),
        None => outline.sections.push(leaf),
    }
}

/// Joins candidates: the outline with the highest score, with the leaves and suggestions of the others.
pub fn convolve(members: &[Arc<Candidate>], brief: &SurveyBrief) -> Candidate {
    let Some(best) = greatest(members.iter().map(|member| judge::score(&member.outline).value())) else {
        return candidate(&PhrasedSuggestion::default(), Outline::default(), brief);
    };
    let mut outline = Outline::clone(&members[best].outline);
    let mut suggestion = PhrasedSuggestion::read(&members[best].suggestion);
    for (_, member) in members.iter().enumerate().filter(|(i, _)| *i != best) {
        suggestion.join(PhrasedSuggestion::read(&member.suggestion));
        for leaf in member.outline.leaves() {
            adopt(&mut outline, leaf, brief);
        }
    }
    candidate(&suggestion, outline, brief)
}

/// Adopts another outline's leaf: its terms go to the leaf of the same origin or title; a new leaf is added whole, if
/// there is room.
fn adopt(outline: &mut Outline, leaf: &Section, brief: &SurveyBrief) {
    let same = |own: &Section| {
        own.is_leaf() && own.origin == leaf.origin && (leaf.origin.is_some() || own.title == leaf.title)
    };
    let mut found = false;
    outline.walk_mut(|own| {
        if !found && same(own) {
            found = true;
            if let Some(terms) = phrasing::extracted(&leaf.extract) {
                amend::extend(own, &terms, brief.language);
            }
        }
    });
    let room = outline.walk().count() < brief.limits.sections as usize;
    if !found && leaf.origin.is_none() && room && !is_said(outline, leaf) {
        place(outline, leaf.clone());
    }
}

/// Tells whether some leaf already covers the same.
fn is_said(outline: &Outline, leaf: &Section) -> bool {
    let said = |section: &Section| [terms(&section.title), terms(&section.extract)].concat();
    let mut words: Vec<_> = outline.leaves().map(said).collect();
    words.push(said(leaf));
    let rows = likeness(&TermSpace::with_vectors(&words).1);
    let own = words.len() - 1;
    rows[own][..own].iter().any(|alike| *alike >= REDUNDANT)
        || outline.walk().any(|other| other.section.title == leaf.title)
}

/// Repairs an outline on its own; each attempt repairs something else, and the best attempt is kept.
pub fn refine(outline: &Outline, attempt: u32, brief: &SurveyBrief) -> Candidate {
    let mut mended = outline.clone();
    match attempt % 3 {
        0 => mended.walk_mut(|section| amend::shorten(section, MOST_TERMS, brief.language)),
        1 => separate(&mut mended, brief),
        _ => {
            amend::merge_alike(&mut mended, REDUNDANT, brief.language);
            mended.sections.iter_mut().for_each(reorder);
        }
    }
    candidate(&PhrasedSuggestion::default(), mended, brief)
}

/// Removes terms named by several extracts from all but the first, where enough terms remain.
fn separate(outline: &mut Outline, brief: &SurveyBrief) {
    let mut named = std::collections::BTreeSet::new();
    outline.walk_mut(|section| {
        let Some(list) = phrasing::extracted(&section.extract).filter(|_| section.is_leaf()) else { return };
        let own: Vec<String> = list.iter().filter(|term| named.insert(term.to_lowercase())).cloned().collect();
        if own.len() >= 3 {
            section.extract = phrasing::extract(&own, brief.language);
        }
    });
}

/// Puts each leaf of a chapter before its most similar leaf.
fn reorder(chapter: &mut Section) {
    if chapter.children.is_empty() {
        return;
    }
    let said = |section: &Section| [terms(&section.title), terms(&section.extract)].concat();
    let words: Vec<_> = chapter.children.iter().map(said).collect();
    let rows = likeness(&TermSpace::with_vectors(&words).1);
    chapter.children = chain(&rows, 0).into_iter().map(|at| chapter.children[at].clone()).collect();
}
