//! Feedback: merges each group's digests and suggestions into a single suggestion, and improves the outline by it.

use std::{collections::HashMap, fmt, sync::Arc};

use tributary_protocol::{
    budget::pack,
    source::SourceId,
    survey::{SurveyProduct, SurveyStage, SurveyWork, digest::SourceDigest, suggestion::Candidate},
    task::Stage,
};

use super::{
    context::{Ask, PhaseWith, block_suffix},
    digest::Reading,
};
use crate::tasks::Place;

/// A batch of a group's digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FeedbackPlace {
    block: usize,
    group: usize,
    batch: usize,
}

/// Formatted for people: numbers from 1.
impl fmt::Display for FeedbackPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, group, batch } = *self;
        write!(f, "feedback {}/{}{}", group + 1, batch + 1, block_suffix(block))
    }
}

impl Place for FeedbackPlace {
    fn stage(self) -> Stage {
        SurveyStage::Feedback.into()
    }

    fn instead(self) -> &'static str {
        "these sources suggest nothing"
    }
}

/// The result of the stage: the candidates of a group, a single one if the digests fit a prompt. Empty if no candidate
/// was made.
pub(crate) struct GroupCandidates {
    pub(crate) group: usize,
    pub(crate) candidates: Vec<Arc<Candidate>>,
}

pub(crate) struct Feedback {
    block: usize,
    groups: Vec<FeedbackGroup>,
    group_of: HashMap<SourceId, usize>,
}

struct FeedbackGroup {
    sources: Vec<SourceId>,
    /// Sources that are still being read.
    waiting: usize,
    batches: Vec<Option<Arc<Candidate>>>,
    missing: usize,
}

impl Feedback {
    /// Starts the feedback of a pass. Groups without a source to read in this pass are left out.
    pub(crate) fn new(block: usize, groups: &[Vec<SourceId>], digest: &Reading) -> Self {
        let read = |group: &Vec<SourceId>| -> Vec<SourceId> {
            group.iter().copied().filter(|source| digest.reads(*source)).collect()
        };
        let groups: Vec<FeedbackGroup> = groups
            .iter()
            .map(read)
            .filter(|sources| !sources.is_empty())
            .map(|sources| FeedbackGroup { waiting: sources.len(), sources, batches: Vec::new(), missing: 0 })
            .collect();
        let group_of =
            groups.iter().enumerate().flat_map(|(i, group)| group.sources.iter().map(move |id| (*id, i))).collect();
        Self { block, groups, group_of }
    }

    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Takes note of a source read to the end. The last source of a group starts the group's feedback.
    pub(crate) fn digested<P: PhaseWith<FeedbackPlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        digest: &mut Reading,
        source: SourceId,
    ) -> Option<GroupCandidates> {
        let number = self.group_of[&source];
        let group = &mut self.groups[number];
        group.waiting -= 1;
        if group.waiting > 0 {
            return None;
        }
        let digests: Vec<SourceDigest> = group
            .sources
            .iter()
            .flat_map(|source| digest.hand_on(ask.context, *source))
            .filter(|of| !of.digest.notes.is_empty() || !of.digest.suggestion.is_empty())
            .collect();
        let tokens: Vec<_> = digests.iter().map(SourceDigest::tokens).collect();
        let batches = pack(&tokens, ask.context.budget.digests, usize::MAX);
        group.batches = vec![None; batches.len()];
        group.missing = batches.len();
        if batches.is_empty() {
            return Some(GroupCandidates { group: number, candidates: Vec::new() });
        }
        for (batch, range) in batches.into_iter().enumerate() {
            let work = SurveyWork::Feedback { outline: digest.outline().clone(), digests: digests[range].to_vec() };
            ask.ask(FeedbackPlace { block: self.block, group: number, batch }, work);
        }
        None
    }

    /// Takes a batch's candidate. A batch without a product gives no candidate; its notes are kept all the same.
    pub(crate) fn accept(&mut self, place: FeedbackPlace, product: Option<SurveyProduct>) -> Option<GroupCandidates> {
        let FeedbackPlace { group: number, batch, .. } = place;
        let group = &mut self.groups[number];
        if let Some(SurveyProduct::Candidate(candidate)) = product {
            group.batches[batch] = Some(Arc::new(candidate));
        }
        group.missing -= 1;
        let complete = group.missing == 0;
        complete.then(|| GroupCandidates {
            group: number,
            candidates: group.batches.iter_mut().filter_map(Option::take).collect(),
        })
    }
}
