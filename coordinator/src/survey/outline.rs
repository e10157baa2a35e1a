//! Outline: makes a first outline for each batch of groups, then merges all of them into one, in the order of arrival.

use std::fmt;

use tributary_protocol::{
    budget::pack,
    source::{CardRef, SourceId},
    survey::{
        SurveyLimits, SurveyProduct, SurveyStage, SurveyWork,
        outline::{Outline as Sections, Section, SharedOutline},
    },
    task::Stage,
};

use super::{
    context::{Ask, PhaseWith, SurveyContext},
    group::ToOutline,
    prompt_budget::{HANDLE, HANDLE_IN_REPLY, MOST_OUTLINES},
};
use crate::tasks::Place;

/// Tokens of a merged outline's section besides its text: its handle is shown, offered, and named in the reply.
const SECTION: u32 = 2 * HANDLE + HANDLE_IN_REPLY;

/// The position of an outcome within this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OutlinePlace {
    /// A first outline: its batch of titles, and its number in the batch.
    First { batch: usize, number: usize },
    /// A merge of outlines of a level.
    Merge { level: usize, field: usize },
}

/// Formatted for people: numbers from 1.
impl fmt::Display for OutlinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::First { batch: 0, number } => write!(f, "outline {}", number + 1),
            Self::First { batch, number } => write!(f, "outline {}/{}", batch + 1, number + 1),
            Self::Merge { level, field } => write!(f, "outline merge {}/{}", level + 1, field + 1),
        }
    }
}

impl Place for OutlinePlace {
    fn stage(self) -> Stage {
        SurveyStage::Outline.into()
    }

    fn instead(self) -> &'static str {
        match self {
            Self::First { .. } => "the titles of the sources are the outline",
            Self::Merge { .. } => "the outlines stand one after the other, folded where they are too long",
        }
    }
}

pub(crate) struct FirstOutlines {
    /// The sources of each first outline, by batch of titles and number in the batch.
    asked_for: Vec<Vec<Vec<SourceId>>>,
    /// First outlines of batches that wait for earlier batches, by batch; none before a batch is asked for.
    waiting: Vec<Option<Vec<Option<SharedOutline>>>>,
    /// The start of each batch's first outlines in the lowest level, for the batches that have joined it.
    starts: Vec<usize>,
    levels: Vec<Level>,
}

/// The outlines of a level, merged in fields of neighbours.
#[derive(Default)]
struct Level {
    outlines: Vec<Option<SharedOutline>>,
    /// True if no more outlines will be added.
    complete: bool,
    /// The number of outlines that are part of fields.
    taken: usize,
    /// Fields made so far, with their outlines (kept for the fallback).
    fields: Vec<Vec<SharedOutline>>,
}

impl FirstOutlines {
    pub(crate) fn new(batches: usize) -> Self {
        Self {
            asked_for: vec![Vec::new(); batches],
            waiting: vec![None; batches],
            starts: Vec::new(),
            levels: vec![Level::default()],
        }
    }

    /// Asks for the first outlines of a batch of titles.
    pub(crate) fn add<P: PhaseWith<OutlinePlace>>(&mut self, ask: &mut Ask<'_, P>, to_outline: ToOutline) {
        let batch = to_outline.batch;
        let mut firsts = Vec::new();
        for sources in to_outline.together {
            let tokens: Vec<_> = sources
                .iter()
                .map(|id| ask.context.source(*id).card_tokens + 2 * HANDLE + 2 * HANDLE_IN_REPLY)
                .collect();
            for range in pack(&tokens, ask.context.budget.leads, usize::MAX) {
                firsts.push(sources[range].to_vec());
            }
        }
        for (number, sources) in firsts.iter().enumerate() {
            let place = OutlinePlace::First { batch, number };
            let cards = sources.iter().map(|id| CardRef { id: *id, card: ask.context.source(*id).card }).collect();
            ask.ask(place, SurveyWork::Outline { sources: cards });
        }
        self.waiting[batch] = Some(vec![None; firsts.len()]);
        self.asked_for[batch] = firsts;
        self.place_known();
    }

    /// Takes an outcome. Returns the merged outline once complete.
    pub(crate) fn accept<P: PhaseWith<OutlinePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: OutlinePlace,
        product: Option<SurveyProduct>,
    ) -> Option<SharedOutline> {
        match place {
            OutlinePlace::First { batch, number } => self.accept_first(ask, (batch, number), product),
            OutlinePlace::Merge { level, field } => self.accept_merged(ask, (level, field), product),
        }
    }

    /// Takes a first outline; without a product its sources' titles make one.
    fn accept_first<P: PhaseWith<OutlinePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        (batch, number): (usize, usize),
        product: Option<SurveyProduct>,
    ) -> Option<SharedOutline> {
        let outline = match product {
            Some(SurveyProduct::Outline(outline)) => outline,
            _ => within(of_titles(ask.context, &self.asked_for[batch][number]), ask.context.budget.limits).into(),
        };
        let slot = match self.starts.get(batch) {
            Some(start) => self.levels[0].outlines.get_mut(start + number),
            None => self.waiting[batch].as_mut().and_then(|waiting| waiting.get_mut(number)),
        };
        *slot.expect("a first outline is asked for once its batch is known") = Some(outline);
        self.merge(ask, 0)
    }

    /// Takes a merged outline; without a product the outlines to merge are concatenated.
    fn accept_merged<P: PhaseWith<OutlinePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        (level, field): (usize, usize),
        product: Option<SurveyProduct>,
    ) -> Option<SharedOutline> {
        let members = std::mem::take(&mut self.levels[level].fields[field]);
        let outline = match product {
            Some(SurveyProduct::Outline(outline)) => outline,
            _ => within(one_after_the_other(&members), ask.context.budget.limits).into(),
        };
        self.levels[level + 1].outlines[field] = Some(outline);
        self.merge(ask, level + 1)
    }

    /// Moves known batches into the lowest level, which lists first outlines in the order of batches: a batch joins
    /// once all earlier batches are known.
    fn place_known(&mut self) {
        let lowest = &mut self.levels[0];
        while let Some(waiting) = self.waiting.get_mut(self.starts.len()).and_then(Option::take) {
            self.starts.push(lowest.outlines.len());
            lowest.outlines.extend(waiting);
        }
        lowest.complete = self.starts.len() == self.waiting.len();
    }

    /// Makes fields of the outlines of a level, in order, and asks for their merges.
    fn merge<P: PhaseWith<OutlinePlace>>(&mut self, ask: &mut Ask<'_, P>, number: usize) -> Option<SharedOutline> {
        let level = &mut self.levels[number];
        if level.complete && level.outlines.len() == 1 {
            return level.outlines[0].clone();
        }
        let mut merged = Vec::new();
        loop {
            // A field is closed by an outline that no longer fits, or by the end of a complete level.
            let mut end = level.taken;
            let mut tokens = 0;
            let closed = loop {
                let Some(slot) = level.outlines.get(end) else { break level.complete };
                let Some(outline) = slot else { break false };
                tokens += outline.tokens() + SECTION * outline.walk().count() as u32;
                let members = end - level.taken;
                if members >= MOST_OUTLINES || (members >= 2 && tokens > ask.context.budget.outlines) {
                    break true;
                }
                end += 1;
            };
            if !closed || end == level.taken {
                break;
            }
            let members: Vec<_> = level.outlines[level.taken..end].iter_mut().filter_map(Option::take).collect();
            level.taken = end;
            merged.push((level.fields.len(), members.clone()));
            level.fields.push(members);
        }
        let complete = level.complete && level.taken == level.outlines.len();
        if self.levels.len() == number + 1 {
            self.levels.push(Level::default());
        }
        let mut alone = false;
        for (field, members) in merged {
            let next = &mut self.levels[number + 1];
            next.outlines.push(None);
            if members.len() == 1 {
                next.outlines[field] = members.into_iter().next();
                alone = true;
            } else {
                let place = OutlinePlace::Merge { level: number, field };
                ask.ask(place, SurveyWork::MergeOutlines { outlines: members });
            }
        }
        self.levels[number + 1].complete = complete;
        if alone { self.merge(ask, number + 1) } else { None }
    }
}

/// Makes an outline without a model: a chapter for each source.
fn of_titles(context: &SurveyContext, sources: &[SourceId]) -> Sections {
    let section = |id: &SourceId| Section {
        origin: None,
        title: context.source(*id).title.clone(),
        extract: String::new(),
        analyse: String::new(),
        sources: vec![*id],
        children: Vec::new(),
    };
    Sections { sections: sources.iter().map(section).collect() }
}

/// Concatenates the chapters of all outlines.
fn one_after_the_other(outlines: &[SharedOutline]) -> Sections {
    Sections { sections: outlines.iter().flat_map(|outline| outline.sections.clone()).collect() }
}

/// Folds an outline from its end until it is as small as a model's would have to be.
fn within(mut outline: Sections, limits: SurveyLimits) -> Sections {
    let (mut sections, mut tokens) = (outline.walk().count(), outline.tokens());
    while sections > limits.sections as usize || tokens > limits.outline {
        let Some(folded) = fold_last(&mut outline.sections) else { break };
        sections -= folded.walk().count();
        tokens -= folded.tokens();
    }
    outline
}

/// Takes out the last children, or the last chapter if none has children. Their sources go to the parent, or to the
/// chapter before.
fn fold_last(chapters: &mut Vec<Section>) -> Option<Sections> {
    if let Some(parent) = last_parent(chapters) {
        let children = std::mem::take(&mut parent.children);
        return Some(fold(children, parent));
    }
    let last = if chapters.len() > 1 { chapters.pop()? } else { return None };
    Some(fold(vec![last], chapters.last_mut()?))
}

fn fold(sections: Vec<Section>, into: &mut Section) -> Sections {
    let folded = Sections { sections };
    into.sources.extend(folded.walk().flat_map(|placed| &placed.section.sources));
    into.sources.sort_unstable();
    into.sources.dedup();
    folded
}

/// Returns the last section that has children, all of them leaves.
fn last_parent(sections: &mut [Section]) -> Option<&mut Section> {
    let parent = sections.iter_mut().rev().find(|section| !section.is_leaf())?;
    if parent.children.iter().all(Section::is_leaf) { Some(parent) } else { last_parent(&mut parent.children) }
}
