//! Outlines in replies: a flat list of sections becomes a tree within its limits.

use std::collections::HashSet;

use minijinja::{Value, context};
use tributary_protocol::{
    budget::count,
    survey::{
        SurveyBrief, SurveyLimits, SurveyProduct,
        outline::{Outline, Section, SectionId, SharedOutline},
        suggestion::Candidate,
    },
};

use super::inherit_sources::{self, SectionAncestor};
use crate::{
    kernel::{
        reply::{citations, lenient, schema::SchemaBuilder, truncate},
        verdict::{ReplyFlaw, ReplyProduct, ReplyVerdict},
    },
    prompt::{line, words},
};

/// A section of a reply.
pub(super) struct ReplySection {
    pub level: f64,
    pub title: String,
    pub extract: String,
    pub analyse: String,
    /// Handles of the section's ancestors.
    pub handles: Vec<String>,
}

/// A section of a reply, as a revision of a section before.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(super) struct RevisedSection {
    #[serde(deserialize_with = "lenient::number")]
    #[schemars(with = "u8")]
    level: f64,
    #[serde(default, deserialize_with = "lenient::handles")]
    #[schemars(with = "String")]
    origin: Vec<String>,
    title: String,
    #[serde(default, deserialize_with = "lenient::text")]
    extract: String,
    #[serde(default, deserialize_with = "lenient::text")]
    analyse: String,
}

impl From<RevisedSection> for ReplySection {
    fn from(section: RevisedSection) -> Self {
        let RevisedSection { level, origin, title, extract, analyse } = section;
        Self { level, title, extract, analyse, handles: origin }
    }
}

/// The multiple of its limit up to which an outline is shortened instead of sent back.
const TOLERATED: f64 = 1.25;

/// The values for `sections.md`, added to the values for the kernel's own template.
pub(super) fn context(brief: &SurveyBrief, own: Value) -> Value {
    let SurveyLimits { sections, suggestion, .. } = brief.limits;
    context! {
        title => line(&brief.title),
        sections,
        words => description_words(brief),
        suggestion_words => words(suggestion, brief.language),
        ..own
    }
}

/// The most words of a section's description.
fn description_words(brief: &SurveyBrief) -> u32 {
    /// Tokens of a section's handle and title.
    const TITLE: u32 = 18;
    let section = brief.limits.outline / brief.limits.sections.max(1);
    words((section.saturating_sub(TITLE) / 2).clamp(8, 80), brief.language)
}

/// The schema common to all replies with sections.
pub(super) fn sections_schema(schema: SchemaBuilder, brief: &SurveyBrief) -> SchemaBuilder {
    let most = description_words(brief);
    schema
        .least("sections", 1)
        .most("sections", brief.limits.sections as usize)
        .range("sections[].level", 1, 3)
        .words("sections[].title", 10)
        .words("sections[].extract", most)
        .words("sections[].analyse", most)
}

/// Tokens of an outline as a reply.
pub(super) fn reply_tokens(brief: &SurveyBrief) -> u32 {
    brief.limits.outline * 3 / 2 + brief.limits.sections * 20 + 128
}

/// The outline of a reply's sections. Where `ancestors` are sections, a section continues the first ancestor named.
pub(super) fn outline(
    flat: impl IntoIterator<Item = impl Into<ReplySection>>,
    ancestors: &[SectionAncestor],
    limits: SurveyLimits,
) -> ReplyVerdict<Outline> {
    let known: HashSet<&str> = ancestors.iter().map(|ancestor| ancestor.handle.as_str()).collect();
    let mut taken = Vec::new();
    let mut sections = Vec::new();
    let mut unknown = 0;
    for flat in flat {
        let flat: ReplySection = flat.into();
        let title = title(&flat.title);
        if title.is_empty() {
            continue;
        }
        let handles: Vec<String> = flat.handles.into_iter().map(|handle| handle.to_uppercase()).collect();
        let (handles, strange): (Vec<_>, Vec<_>) =
            handles.into_iter().partition(|handle| known.contains(handle.as_str()));
        unknown += strange.iter().filter(|handle| handle.starts_with('S')).count() as u32;
        let section = Section {
            origin: handles.iter().find_map(|handle| handle.parse::<SectionId>().ok()),
            title,
            extract: prose(&flat.extract),
            analyse: prose(&flat.analyse),
            sources: Vec::new(),
            children: Vec::new(),
        };
        taken.push(handles);
        sections.push((flat.level.clamp(1.0, 3.0) as usize - 1, section));
    }
    if sections.is_empty() {
        return Err(ReplyFlaw::fatal("`sections` holds no section with a title"));
    }
    let mut outline = Outline::from_flat(sections);
    inherit_sources::inherit(ancestors, &taken, &mut outline);
    within(outline, limits, unknown)
}

/// The candidate made of a suggestion and the sections after following the suggestion.
pub(super) fn candidate(
    suggestion: &str,
    sections: Vec<RevisedSection>,
    ancestors: &[SectionAncestor],
    limits: SurveyLimits,
) -> ReplyVerdict<SurveyProduct> {
    let suggestion = truncate::trim(&prose(suggestion), limits.suggestion);
    let candidate = |outline: Outline| {
        let outline = SharedOutline::new(outline);
        let tokens = outline.tokens() + count(&suggestion) + 8;
        SurveyProduct::Candidate(Candidate { suggestion, outline, tokens })
    };
    match outline(sections, ancestors, limits) {
        Ok(made) => Ok(made.map(candidate)),
        Err(flaw) => Err(flaw.map(candidate)),
    }
}

/// Text of a description or suggestion: in one line, without citations.
pub(super) fn prose(text: &str) -> String {
    line(&citations::strip(text).text)
}

/// The most tokens of a title. Titles stand in every prompt with the outline; the model is asked for ten words.
const TITLE: u32 = 40;

/// A title without a number in front, as some models write.
fn title(text: &str) -> String {
    let text = truncate::trim(&unnumbered(text), TITLE);
    text.trim().to_owned()
}

fn unnumbered(text: &str) -> String {
    let text = prose(text.trim_start_matches(['#', ' ']));
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | '、'));
    let number = &text[..text.len() - rest.len()];
    let numbered = number.starts_with(|c: char| c.is_ascii_digit()) && number.contains(['.', ')', '、']);
    if numbered { rest.trim().to_owned() } else { text }
}

/// The outline within its limits: shortened where slightly too long, and returned with a flaw where far too long.
fn within(outline: Outline, limits: SurveyLimits, citations_removed: u32) -> ReplyVerdict<Outline> {
    let (sections, tokens) = (outline.walk().count(), outline.tokens());
    let over = |value: f64, limit: u32| value > f64::from(limit) * TOLERATED;
    let many = over(sections as f64, limits.sections);
    let long = over(f64::from(tokens), limits.outline);
    let folded = if many { folded(outline, limits.sections as usize) } else { outline };
    let made = ReplyProduct { product: shortened(folded, limits.outline), citations_removed };
    if many {
        let most = limits.sections;
        return Err(ReplyFlaw::grave(
            format!("the outline has {sections} sections; at most {most} are asked for"),
            made,
        ));
    }
    if long {
        let most = description_share(&made.product, limits);
        return Err(ReplyFlaw::grave(
            format!("the descriptions are too long: at most {most} tokens each have room"),
            made,
        ));
    }
    Ok(made)
}

fn description_share(outline: &Outline, limits: SurveyLimits) -> u32 {
    limits.outline / (2 * outline.walk().count().max(1) as u32 + 1)
}

/// The outline with its longest descriptions shortened to fit the room.
fn shortened(mut outline: Outline, room: u32) -> Outline {
    if outline.tokens() <= room {
        return outline;
    }
    let fixed: u32 = outline.walk().map(|placed| 8 + count(&placed.section.title)).sum();
    let descriptions: Vec<u32> =
        outline.walk().flat_map(|placed| [count(&placed.section.extract), count(&placed.section.analyse)]).collect();
    let most = truncate::ceiling(&descriptions, room.saturating_sub(fixed));
    outline.walk_mut(|section| {
        section.extract = truncate::trim(&section.extract, most);
        section.analyse = truncate::trim(&section.analyse, most);
    });
    outline
}

/// The outline with at most so many sections: the deepest are taken up by their parents, chapters beyond by the last.
fn folded(mut outline: Outline, most: usize) -> Outline {
    for depth in [2, 1] {
        if outline.walk().count() > most {
            let mut surplus = outline.walk().count() - most;
            fold_below(&mut outline.sections, depth, &mut surplus);
        }
    }
    let beyond = outline.sections.split_off(outline.sections.len().min(most.max(1)));
    if let Some(last) = outline.sections.last_mut() {
        beyond.into_iter().for_each(|section| absorb(last, section));
    }
    outline
}

/// Folds sections at `depth` into their parents, the last parents first, until none is too many.
fn fold_below(sections: &mut [Section], depth: usize, surplus: &mut usize) {
    for section in sections.iter_mut().rev() {
        if depth > 1 {
            fold_below(&mut section.children, depth - 1, surplus);
        } else if *surplus > 0 {
            *surplus = surplus.saturating_sub(section.children.len());
            for child in std::mem::take(&mut section.children) {
                absorb(section, child);
            }
        }
    }
}

fn absorb(parent: &mut Section, child: Section) {
    parent.origin = parent.origin.or(child.origin);
    parent.extract =
        [parent.extract.as_str(), child.title.as_str()].join(if parent.extract.is_empty() { "" } else { "; " });
    parent.sources.extend(child.sources);
    parent.sources.sort_unstable();
    parent.sources.dedup();
    child.children.into_iter().for_each(|child| absorb(parent, child));
}
