//! Outline: a first outline for each batch of groups, then all of them merged into one, as they come.

use tributary_protocol::{
    budget::pack,
    outline::{Outline as Sections, Section, SharedOutline},
    source::SourceId,
    task::{CardRef, Limits, Product, Work},
};

use super::{Asked, Context, Place, group::ToOutline};
use crate::rooms::{HANDLE, HANDLE_IN_REPLY, MOST_OUTLINES};

/// What a section of an outline that is merged costs besides its text: its handle is shown, offered, and named in the reply.
const SECTION: u32 = 2 * HANDLE + HANDLE_IN_REPLY;

pub(crate) struct Outline {
    /// The sources of each first outline, by batch of titles and its place in that.
    asked_for: Vec<Vec<Vec<SourceId>>>,
    /// First outlines by batch of titles, in the order of batches once those before are known.
    firsts: Vec<Firsts>,
    /// Batches from the first whose number of first outlines is known.
    known: usize,
    levels: Vec<Level>,
}

/// The first outlines of one batch of titles.
enum Firsts {
    /// Its groups aren't there yet.
    Unknown,
    /// Those before it aren't known: they wait here.
    Waiting(Vec<Option<SharedOutline>>),
    /// They stand in the lowest level from here on.
    Placed(usize),
}

/// Outlines of one level, merged in fields of neighbours.
#[derive(Default)]
struct Level {
    outlines: Vec<Option<SharedOutline>>,
    /// No more will be added.
    complete: bool,
    /// How many have gone into fields.
    taken: usize,
    /// Fields made so far, and the outlines that each stands for (kept for the fallback).
    fields: Vec<Vec<SharedOutline>>,
}

impl Outline {
    pub(crate) fn new(batches: usize) -> Self {
        Self {
            asked_for: vec![Vec::new(); batches],
            firsts: (0..batches).map(|_| Firsts::Unknown).collect(),
            known: 0,
            levels: vec![Level::default()],
        }
    }

    /// Asks for the first outlines of a batch of titles.
    pub(crate) fn add(&mut self, context: &Context, asked: &mut Asked, to_outline: ToOutline) {
        let batch = to_outline.batch;
        let mut firsts = Vec::new();
        for sources in to_outline.together {
            let tokens: Vec<_> =
                sources.iter().map(|id| context.source(*id).card_tokens + 2 * HANDLE + 2 * HANDLE_IN_REPLY).collect();
            for range in pack(&tokens, context.rooms.leads, usize::MAX) {
                firsts.push(sources[range].to_vec());
            }
        }
        for (number, sources) in firsts.iter().enumerate() {
            let place = Place::Outline { batch, number };
            let cards = sources.iter().map(|id| CardRef { id: *id, card: context.source(*id).card }).collect();
            asked.ask(context, place, Work::Outline { sources: cards });
        }
        self.firsts[batch] = Firsts::Waiting(vec![None; firsts.len()]);
        self.asked_for[batch] = firsts;
        self.place_known();
    }

    /// Takes a first outline; without a product its sources' titles make one. Returns the whole once it is merged.
    pub(crate) fn accept_first(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        (batch, number): (usize, usize),
        product: Option<Product>,
    ) -> Option<SharedOutline> {
        let outline = match product {
            Some(Product::Outline(outline)) => outline,
            _ => within(of_titles(context, &self.asked_for[batch][number]), context.rooms.limits).into(),
        };
        match &mut self.firsts[batch] {
            Firsts::Waiting(waiting) => waiting[number] = Some(outline),
            Firsts::Placed(start) => self.levels[0].outlines[*start + number] = Some(outline),
            Firsts::Unknown => unreachable!("a first outline is asked for once its batch is known"),
        }
        self.merge(context, asked, 0)
    }

    /// Takes a merged outline; without a product the outlines it should have merged stand one after the other.
    pub(crate) fn accept_merged(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        (level, field): (usize, usize),
        product: Option<Product>,
    ) -> Option<SharedOutline> {
        let members = std::mem::take(&mut self.levels[level].fields[field]);
        let outline = match product {
            Some(Product::Outline(outline)) => outline,
            _ => within(one_after_the_other(&members), context.rooms.limits).into(),
        };
        self.levels[level + 1].outlines[field] = Some(outline);
        self.merge(context, asked, level + 1)
    }

    /// The lowest level lists first outlines in the order of their batches: a batch joins once those before it are known.
    fn place_known(&mut self) {
        let lowest = &mut self.levels[0];
        while let Some(firsts @ Firsts::Waiting(_)) = self.firsts.get_mut(self.known) {
            let placed = Firsts::Placed(lowest.outlines.len());
            if let Firsts::Waiting(waiting) = std::mem::replace(firsts, placed) {
                lowest.outlines.extend(waiting);
            }
            self.known += 1;
        }
        lowest.complete = self.known == self.firsts.len();
    }

    /// Makes fields of what has come to a level, in order, and asks for their merging.
    fn merge(&mut self, context: &Context, asked: &mut Asked, number: usize) -> Option<SharedOutline> {
        let level = &mut self.levels[number];
        if level.complete && level.outlines.len() == 1 {
            return level.outlines[0].clone();
        }
        let mut merged = Vec::new();
        loop {
            // A field is closed by the outline that no longer fits, or by the end of a complete level.
            let mut end = level.taken;
            let mut tokens = 0;
            let closed = loop {
                let Some(slot) = level.outlines.get(end) else { break level.complete };
                let Some(outline) = slot else { break false };
                tokens += outline.tokens() + SECTION * outline.walk().count() as u32;
                let members = end - level.taken;
                if members >= MOST_OUTLINES || (members >= 2 && tokens > context.rooms.outlines) {
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
                let place = Place::MergeOutlines { level: number, field };
                asked.ask(context, place, Work::MergeOutlines { outlines: members });
            }
        }
        self.levels[number + 1].complete = complete;
        if alone { self.merge(context, asked, number + 1) } else { None }
    }
}

/// A chapter for each source: the outline that needs no model.
fn of_titles(context: &Context, sources: &[SourceId]) -> Sections {
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

/// The chapters of all outlines.
fn one_after_the_other(outlines: &[SharedOutline]) -> Sections {
    Sections { sections: outlines.iter().flat_map(|outline| outline.sections.clone()).collect() }
}

/// The outline, folded from its end until it is as small as a model's would have to be.
fn within(mut outline: Sections, limits: Limits) -> Sections {
    let (mut sections, mut tokens) = (outline.walk().count(), outline.tokens());
    while sections > limits.sections as usize || tokens > limits.outline {
        let Some(folded) = fold_last(&mut outline.sections) else { break };
        sections -= folded.walk().count();
        tokens -= folded.tokens();
    }
    outline
}

/// Takes out the last children, or the last chapter where none has any. Their sources go to their parent, or to the chapter
/// before.
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

/// The last section that has children. These have none.
fn last_parent(sections: &mut [Section]) -> Option<&mut Section> {
    let parent = sections.iter_mut().rev().find(|section| !section.is_leaf())?;
    if parent.children.iter().all(Section::is_leaf) { Some(parent) } else { last_parent(&mut parent.children) }
}
