//! Group: puts related sources into groups of a kernel's width.
//!
//! First outlines are also made of related sources, but don't wait for a model to relate them: titles that share words
//! are enough. The groups are digested and fed back together.

use std::fmt;

use rand::seq::SliceRandom;
use tributary_protocol::{
    budget::pack,
    settings::Models,
    source::{Source, SourceId, TitledSource},
    survey::{SurveyProduct, SurveyStage, SurveyWork, settings::GroupBy},
    task::Stage,
};

use super::{
    context::{Ask, PhaseWith, SurveyContext},
    prompt_budget::MOST_TITLES,
    similarity::Closest,
};
use crate::tasks::Place;

/// A batch of titles to group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupPlace {
    batch: usize,
}

/// Formatted for people: numbers from 1.
impl fmt::Display for GroupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.batch + 1)
    }
}

impl Place for GroupPlace {
    fn stage(self) -> Stage {
        SurveyStage::Group.into()
    }

    fn instead(self) -> &'static str {
        "neighbours in the input are the groups"
    }
}

/// A result of the stage: the groups of a batch of titles.
pub(crate) struct GroupedBatch {
    pub(crate) batch: usize,
    pub(crate) groups: Vec<Vec<SourceId>>,
}

/// A result of the stage: the sources of each first outline, for a batch of titles.
pub(crate) struct ToOutline {
    pub(crate) batch: usize,
    pub(crate) together: Vec<Vec<SourceId>>,
}

/// The results that need no task.
#[derive(Default)]
pub(crate) struct AtOnce {
    pub(crate) grouped: Vec<GroupedBatch>,
    pub(crate) to_outline: Vec<ToOutline>,
}

/// The grouping of titles, in separate batches that fit a prompt.
pub(crate) struct Grouping {
    /// Empty if no model is asked: then all sources are a single batch.
    batches: Vec<std::ops::Range<usize>>,
}

impl Grouping {
    /// Asks for groups, or makes them at once if the settings need no model.
    pub(crate) fn start<P: PhaseWith<GroupPlace>>(ask: &mut Ask<'_, P>) -> (Self, AtOnce) {
        let context = ask.context;
        let sources = &context.job.sources;
        let grouping = context.settings.grouping;
        if sources.len() <= grouping.size as usize {
            let groups = vec![sources.iter().map(|source| source.id).collect()];
            return Self::made(context, groups);
        }
        if grouping.by == GroupBy::Random {
            let mut ids: Vec<_> = sources.iter().map(|source| source.id).collect();
            ids.shuffle(&mut context.chance("group", 0));
            return Self::made(context, ids.chunks(grouping.size as usize).map(<[_]>::to_vec).collect());
        }
        let tokens: Vec<_> = sources.iter().map(|source| source.title_tokens + 6).collect();
        let batches = pack(&tokens, context.budget.titles, MOST_TITLES);
        let mut at_once = AtOnce::default();
        for (batch, range) in batches.iter().enumerate() {
            let sources = &sources[range.clone()];
            let work =
                SurveyWork::Group { sources: sources.iter().map(TitledSource::from).collect(), size: grouping.size };
            let place = GroupPlace { batch };
            if grouping.by == GroupBy::Lexical {
                ask.ask_model(place, work, Some(Models::EXTRACTIVE));
            } else {
                ask.ask(place, work);
                at_once.to_outline.push(ToOutline { batch, together: alike(context, sources) });
            }
        }
        (Self { batches }, at_once)
    }

    /// Wraps groups that were made without a task.
    fn made(context: &SurveyContext, groups: Vec<Vec<SourceId>>) -> (Self, AtOnce) {
        let grouped = GroupedBatch { batch: 0, groups };
        let to_outline = vec![grouped.to_outline(context)];
        (Self { batches: Vec::new() }, AtOnce { grouped: vec![grouped], to_outline })
    }

    pub(crate) fn batches(&self) -> usize {
        self.batches.len().max(1)
    }

    /// Takes the groups of a batch. Without a product, neighbours in the input make the groups. Returns the sources of
    /// the first outlines too, if these depend on the groups.
    pub(crate) fn accept(
        &mut self,
        context: &SurveyContext,
        GroupPlace { batch }: GroupPlace,
        product: Option<SurveyProduct>,
    ) -> (GroupedBatch, Option<ToOutline>) {
        let size = context.settings.grouping.size as usize;
        let groups = match product {
            Some(SurveyProduct::Groups(groups)) => groups,
            _ => context.job.sources[self.batches[batch].clone()]
                .chunks(size)
                .map(|group| group.iter().map(|source| source.id).collect())
                .collect(),
        };
        let grouped = GroupedBatch { batch, groups };
        let waited = context.settings.grouping.by == GroupBy::Lexical;
        let to_outline = waited.then(|| grouped.to_outline(context));
        (grouped, to_outline)
    }
}

impl GroupedBatch {
    fn to_outline(&self, context: &SurveyContext) -> ToOutline {
        let together = self.groups.chunks(context.settings.outline.batch as usize).map(<[_]>::concat).collect();
        ToOutline { batch: self.batch, together }
    }
}

/// Groups sources by similar titles, as many together as a first outline takes: the first source left, and the sources
/// most similar to it.
fn alike(context: &SurveyContext, sources: &[Source]) -> Vec<Vec<SourceId>> {
    let settings = &context.settings;
    let size = (settings.grouping.size * settings.outline.batch) as usize;
    let closest = Closest::new(sources.iter().map(|source| source.title.as_str()));
    let mut left: Vec<usize> = (0..sources.len()).collect();
    let mut together = Vec::new();
    while let Some(first) = left.first() {
        let likeness = closest.likeness([sources[*first].title.as_str()]);
        let mut nearest = left[1..].to_vec();
        nearest.sort_by(|a, b| likeness[*b].total_cmp(&likeness[*a]));
        nearest.truncate(size - 1);
        let mut taken = vec![*first];
        taken.extend(nearest);
        taken.sort_unstable();
        left.retain(|source| !taken.contains(source));
        together.push(taken.into_iter().map(|source| sources[source].id).collect());
    }
    together
}
