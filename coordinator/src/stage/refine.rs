//! Refine: criticise the outline, mend it, judge what came of it, and keep the best ("self-refine, best of N").
//!
//! The tries are chains. A round mends the best that is known before it, be it of the chain's own or of the convolution,
//! whose last layers are done meanwhile: before each round the convolution says what it has found by then.

use std::fmt;

use tributary_protocol::{
    outline::SharedOutline,
    settings,
    task::{Product, Work},
};

use super::{Asked, Context, convolution::score_of};

/// Where in this stage an outcome belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Mend { round: u32, attempt: usize },
    Score { round: u32, attempt: usize },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Mend { round, attempt } => write!(f, "{}/{}", round + 1, attempt + 1),
            Self::Score { round, attempt } => write!(f, "{}/{} score", round + 1, attempt + 1),
        }
    }
}

pub(crate) struct Refine {
    pass: usize,
    settings: settings::Refine,
    /// For each round that may begin, the best that the convolution had found before it.
    leaders: Vec<Version>,
    chains: Vec<Chain>,
    /// Rounds of all chains that were not done, since one had brought nothing better.
    pub(crate) rounds_saved: u32,
}

/// A try.
#[derive(Default)]
struct Chain {
    /// What it has made, round by round.
    versions: Vec<Version>,
    step: Step,
}

#[derive(Default)]
enum Step {
    /// The next round begins when it may.
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

impl Refine {
    pub(crate) fn new(context: &Context, pass: usize) -> Self {
        let settings = context.job.settings.refine;
        let mut chains: Vec<Chain> = (0..settings.best_of).map(|_| Chain::default()).collect();
        if settings.rounds == 0 {
            chains.clear();
        }
        Self { pass, settings, leaders: Vec::new(), chains, rounds_saved: 0 }
    }

    /// How many rounds have not been told what the convolution has found before them.
    pub(crate) fn rounds_ahead(&self) -> usize {
        self.settings.rounds as usize - self.leaders.len()
    }

    /// Takes what the convolution has found before the next round, which can begin where the one before has ended.
    pub(crate) fn lead(&mut self, context: &Context, asked: &mut Asked, leader: Version) {
        self.leaders.push(leader);
        for attempt in 0..self.chains.len() {
            self.go_on(context, asked, attempt);
        }
    }

    /// Begins a chain's next round, if its time has come.
    fn go_on(&mut self, context: &Context, asked: &mut Asked, attempt: usize) {
        let round = self.chains[attempt].versions.len();
        if !matches!(self.chains[attempt].step, Step::Waiting) || round >= self.leaders.len() {
            return;
        }
        let outline = self.base(attempt, round).outline.clone();
        self.chains[attempt].step = Step::Mending;
        let work = Work::Refine { outline, round: round as u32, attempt: attempt as u32 };
        self.ask(context, asked, Place::Mend { round: round as u32, attempt }, work);
    }

    /// What a chain mends in a round: the best known before it.
    fn base(&self, attempt: usize, round: usize) -> &Version {
        best_of(self.chains[attempt].versions[..round].iter().chain([&self.leaders[round]])).expect("there is a leader")
    }

    fn ask(&self, context: &Context, asked: &mut Asked, place: Place, work: Work) {
        asked.ask(context, super::Place::Refine { pass: self.pass, place }, work);
    }

    /// Without a product a round has failed: its chain ends, the others go on.
    pub(crate) fn accept(&mut self, context: &Context, asked: &mut Asked, place: Place, product: Option<Product>) {
        match place {
            Place::Mend { round, attempt } => match product {
                Some(Product::Candidate(candidate)) => {
                    let outline = candidate.outline;
                    self.chains[attempt].step = Step::Judging(outline.clone());
                    self.ask(context, asked, Place::Score { round, attempt }, Work::Score { outline });
                }
                _ => self.chains[attempt].step = Step::Ended,
            },
            Place::Score { round, attempt } => {
                let chain = &mut self.chains[attempt];
                if let Step::Judging(outline) = std::mem::take(&mut chain.step) {
                    chain.versions.push(Version { outline, score: score_of(product) });
                    self.judged(context, asked, attempt, round);
                }
            }
        }
    }

    /// A round has ended. The next follows, unless there is none or this one brought nothing better where that is the end.
    fn judged(&mut self, context: &Context, asked: &mut Asked, attempt: usize, round: u32) {
        let left = self.settings.rounds - round - 1;
        let score = self.chains[attempt].versions[round as usize].score;
        let stops = self.settings.stop_early && score <= self.base(attempt, round as usize).score;
        if left == 0 || stops {
            self.chains[attempt].step = Step::Ended;
            self.rounds_saved += left;
        } else {
            self.go_on(context, asked, attempt);
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.chains.iter().all(|chain| matches!(chain.step, Step::Ended))
    }

    /// The best of all versions of all chains.
    pub(crate) fn best(&self) -> Option<&Version> {
        best_of(self.chains.iter().flat_map(|chain| &chain.versions))
    }
}

/// The first of equals.
fn best_of<'a>(versions: impl Iterator<Item = &'a Version>) -> Option<&'a Version> {
    versions.reduce(|best, next| if next.score > best.score { next } else { best })
}
