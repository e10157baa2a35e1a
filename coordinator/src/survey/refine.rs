//! Refine: criticise the outline, mend it, score the result, and keep the best ("self-refine, best of N").
//!
//! The attempts are chains. A round mends the best outline known before it, of the chain itself or of the convolution.
//! The last layers of the convolution are in flight meanwhile: before each round the convolution reports its best
//! outline.

use std::fmt;

use tributary_protocol::{
    survey::{SurveyProduct, SurveyStage, SurveyWork, outline::SharedOutline, settings::RefineSettings},
    task::Stage,
};

use super::{
    context::{Ask, PhaseWith, SurveyContext, block_suffix},
    convolution::score_of,
};
use crate::tasks::Place;

/// The position of an outcome within this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RefinePlace {
    block: usize,
    round: u32,
    attempt: usize,
    step: RefineStep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RefineStep {
    Mend,
    Score,
}

/// Formatted for people: numbers from 1.
impl fmt::Display for RefinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, round, attempt, step } = *self;
        let step = match step {
            RefineStep::Mend => "",
            RefineStep::Score => " score",
        };
        write!(f, "refine {}/{}{step}{}", round + 1, attempt + 1, block_suffix(block))
    }
}

impl Place for RefinePlace {
    fn stage(self) -> Stage {
        SurveyStage::Refine.into()
    }

    fn instead(self) -> &'static str {
        "the other attempts stand"
    }
}

pub(crate) struct Refinement {
    block: usize,
    settings: RefineSettings,
    /// For each round that may begin, the best version that the convolution had found before it.
    leaders: Vec<Version>,
    chains: Vec<Chain>,
    /// Rounds of all chains that were skipped, since a round had brought no improvement.
    pub(crate) rounds_saved: u32,
}

/// An attempt.
#[derive(Default)]
struct Chain {
    /// The versions made by the chain, round by round.
    versions: Vec<Version>,
    step: Step,
}

#[derive(Default)]
enum Step {
    /// The next round begins as soon as its leader is known.
    #[default]
    Waiting,
    Mending,
    Judging(SharedOutline),
    Ended,
}

/// An outline and its score.
pub(crate) struct Version {
    pub(crate) outline: SharedOutline,
    pub(crate) score: f64,
}

impl Refinement {
    pub(crate) fn new(context: &SurveyContext, block: usize) -> Self {
        let settings = context.settings.refine;
        let mut chains: Vec<Chain> = (0..settings.best_of).map(|_| Chain::default()).collect();
        if settings.rounds == 0 {
            chains.clear();
        }
        Self { block, settings, leaders: Vec::new(), chains, rounds_saved: 0 }
    }

    /// Returns the number of rounds that still lack a leader from the convolution.
    pub(crate) fn rounds_ahead(&self) -> usize {
        self.settings.rounds as usize - self.leaders.len()
    }

    /// Takes the leader of the next round from the convolution. The round can begin in chains that have ended the round
    /// before.
    pub(crate) fn lead<P: PhaseWith<RefinePlace>>(&mut self, ask: &mut Ask<'_, P>, leader: Version) {
        self.leaders.push(leader);
        for attempt in 0..self.chains.len() {
            self.go_on(ask, attempt);
        }
    }

    /// Begins a chain's next round, if its leader is known and the chain is idle.
    fn go_on<P: PhaseWith<RefinePlace>>(&mut self, ask: &mut Ask<'_, P>, attempt: usize) {
        let round = self.chains[attempt].versions.len();
        if !matches!(self.chains[attempt].step, Step::Waiting) || round >= self.leaders.len() {
            return;
        }
        let outline = self.base(attempt, round).outline.clone();
        self.chains[attempt].step = Step::Mending;
        let work = SurveyWork::Refine { outline, round: round as u32, attempt: attempt as u32 };
        ask.ask(self.place(round as u32, attempt, RefineStep::Mend), work);
    }

    /// Returns the version that a chain mends in a round: the best known before it.
    fn base(&self, attempt: usize, round: usize) -> &Version {
        best_of(self.chains[attempt].versions[..round].iter().chain([&self.leaders[round]])).expect("there is a leader")
    }

    fn place(&self, round: u32, attempt: usize, step: RefineStep) -> RefinePlace {
        RefinePlace { block: self.block, round, attempt, step }
    }

    /// Takes an outcome. Without a product a round has failed: its chain ends, the others go on.
    pub(crate) fn accept<P: PhaseWith<RefinePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: RefinePlace,
        product: Option<SurveyProduct>,
    ) {
        let RefinePlace { round, attempt, step, .. } = place;
        let chain = &mut self.chains[attempt];
        match (step, product) {
            (RefineStep::Mend, Some(SurveyProduct::Candidate(candidate))) => {
                let outline = candidate.outline;
                chain.step = Step::Judging(outline.clone());
                ask.ask(self.place(round, attempt, RefineStep::Score), SurveyWork::Score { outline });
            }
            (RefineStep::Mend, _) => chain.step = Step::Ended,
            (RefineStep::Score, product) => {
                if let Step::Judging(outline) = std::mem::take(&mut chain.step) {
                    chain.versions.push(Version { outline, score: score_of(product) });
                    self.judged(ask, attempt, round);
                }
            }
        }
    }

    /// Ends a round. The next round follows, unless this was the last, or brought no improvement and the settings stop
    /// early.
    fn judged<P: PhaseWith<RefinePlace>>(&mut self, ask: &mut Ask<'_, P>, attempt: usize, round: u32) {
        let left = self.settings.rounds - round - 1;
        let score = self.chains[attempt].versions[round as usize].score;
        let stops = self.settings.stop_early && score <= self.base(attempt, round as usize).score;
        if left == 0 || stops {
            self.chains[attempt].step = Step::Ended;
            self.rounds_saved += left;
        } else {
            self.go_on(ask, attempt);
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.chains.iter().all(|chain| matches!(chain.step, Step::Ended))
    }

    /// Returns the best of all versions of all chains.
    pub(crate) fn best(&self) -> Option<&Version> {
        best_of(self.chains.iter().flat_map(|chain| &chain.versions))
    }
}

/// Returns the best version, the first of equals.
fn best_of<'a>(versions: impl Iterator<Item = &'a Version>) -> Option<&'a Version> {
    versions.reduce(|best, next| if next.score > best.score { next } else { best })
}
