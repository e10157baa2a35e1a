//! The middle phase, run once or more: a block from digest to refine. Sources are read against an outline, and the
//! digests improve it.

use tributary_protocol::{
    source::SourceId,
    survey::{SurveyProduct, outline::SharedOutline},
    task::Outcome,
};

use super::{outlining::Ready, places::places_of_phase};
use crate::{
    survey::{
        context::{Ask, SurveyContext},
        convolution::{Convolution, ConvolutionPlace, Leader},
        digest::{DigestPlace, Reading, Rereading},
        feedback::{Feedback, FeedbackPlace, GroupCandidates},
        refine::{RefinePlace, Refinement, Version},
    },
    tasks::{JobLedger, PhaseTasks},
};

places_of_phase! {
    /// The position of an outcome within a block.
    ImprovingPlace {
        Digest(DigestPlace),
        Feedback(FeedbackPlace),
        Convolution(ConvolutionPlace),
        Refine(RefinePlace),
    }
}

pub(crate) struct Improving {
    tasks: PhaseTasks<ImprovingPlace>,
    /// The number of the block, from 0.
    pub(crate) block: usize,
    /// The groups of sources that are fed back together.
    pub(crate) groups: Vec<Vec<SourceId>>,
    reading: Reading,
    feedback: Feedback,
    convolution: Convolution,
    refinement: Refinement,
}

impl Improving {
    /// Reads every source against the first outline.
    pub(crate) fn first(context: &SurveyContext, ledger: &mut JobLedger, ready: Ready) -> Self {
        let mut tasks = PhaseTasks::default();
        let mut ask = Ask::new(context, &mut tasks, ledger);
        let reading = Reading::first(&mut ask, &ready.outline, &ready.groups);
        Self::around(context, tasks, 0, ready.groups, reading)
    }

    /// Reads sources again, for an outline that an earlier block has improved.
    pub(crate) fn again(
        context: &SurveyContext,
        ledger: &mut JobLedger,
        block: usize,
        groups: Vec<Vec<SourceId>>,
        rereading: Rereading,
    ) -> Self {
        let mut tasks = PhaseTasks::default();
        let reading = rereading.start(&mut Ask::new(context, &mut tasks, ledger));
        Self::around(context, tasks, block, groups, reading)
    }

    fn around(
        context: &SurveyContext,
        tasks: PhaseTasks<ImprovingPlace>,
        block: usize,
        groups: Vec<Vec<SourceId>>,
        reading: Reading,
    ) -> Self {
        let feedback = Feedback::new(block, &groups, &reading);
        let convolution = Convolution::new(context, block, feedback.groups());
        let refinement = Refinement::new(context, block);
        Self { tasks, block, groups, reading, feedback, convolution, refinement }
    }

    pub(crate) fn tasks(&self) -> &PhaseTasks<ImprovingPlace> {
        &self.tasks
    }

    /// Takes an outcome. Returns false if its task isn't part of this phase.
    pub(crate) fn settle(&mut self, context: &SurveyContext, ledger: &mut JobLedger, outcome: &Outcome) -> bool {
        let Some((place, product)) = self.tasks.end::<SurveyProduct>(ledger, &context.job, outcome) else {
            return false;
        };
        let mut ask = Ask::new(context, &mut self.tasks, ledger);
        match place {
            ImprovingPlace::Digest(place) => {
                if self.reading.accept(place, product)
                    && let Some(from) = self.feedback.digested(&mut ask, &mut self.reading, place.source)
                {
                    self.fed_back(context, ledger, from);
                }
            }
            ImprovingPlace::Feedback(place) => {
                if let Some(from) = self.feedback.accept(place, product) {
                    self.fed_back(context, ledger, from);
                }
            }
            ImprovingPlace::Convolution(place) => {
                self.convolution.accept(&mut ask, place, product);
                self.lead(context, ledger);
            }
            ImprovingPlace::Refine(place) => self.refinement.accept(&mut ask, place, product),
        }
        true
    }

    fn fed_back(&mut self, context: &SurveyContext, ledger: &mut JobLedger, from: GroupCandidates) {
        self.convolution.offer(&mut Ask::new(context, &mut self.tasks, ledger), from);
        self.lead(context, ledger);
    }

    /// Refines candidates of the convolution while its last layers are still in flight, a layer per round.
    fn lead(&mut self, context: &SurveyContext, ledger: &mut JobLedger) {
        while let ahead @ 1.. = self.refinement.rounds_ahead()
            && let Some(leader) = self.convolution.leader(ahead)
        {
            let leader = self.version_of(leader);
            self.refinement.lead(&mut Ask::new(context, &mut self.tasks, ledger), leader);
        }
    }

    /// Returns a leader as a version. If no feedback led to a candidate, the outline that sources were read against
    /// stands.
    fn version_of(&self, leader: Leader) -> Version {
        match leader.0 {
            Some((candidate, score)) => Version { outline: candidate.outline.clone(), score },
            None => Version { outline: self.reading.outline().clone(), score: 0.0 },
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.refinement.is_complete() && self.convolution.is_complete()
    }

    /// Returns the best outline of convolution and refinement.
    pub(crate) fn improved_outline(&self) -> SharedOutline {
        let found = self.version_of(self.convolution.best());
        match self.refinement.best() {
            Some(refined) if refined.score > found.score => refined.outline.clone(),
            _ => found.outline,
        }
    }

    /// Returns the reading that the block rests on.
    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Returns the layers of the convolution that were skipped for lack of improvement.
    pub(crate) fn layers_saved(&self) -> u32 {
        self.convolution.layers_saved()
    }

    /// Returns the rounds of refinement that were skipped for lack of improvement.
    pub(crate) fn rounds_saved(&self) -> u32 {
        self.refinement.rounds_saved
    }
}
