//! Refine: criticise the outline, mend it, judge what came of it, and keep the best ("self-refine, best of N").
//!
//! The tries are chains: each mends the outline again and again, round after round, and what it made is judged beside its
//! next round. The best of all versions of all chains stays.

use std::fmt;

use tributary_protocol::{
    outline::SharedOutline,
    settings,
    task::{Product, Work},
};

use super::{Asked, Context, convolution::score_of};

/// Where in this stage an outcome belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    start: SharedOutline,
    /// What the convolution gave the outline.
    score: f64,
    chains: Vec<Chain>,
    /// Rounds of all chains that were not done, since one had brought nothing better.
    pub(crate) rounds_saved: u32,
    /// Tasks that have not ended.
    open: usize,
}

/// What a try has made so far, round by round.
#[derive(Default)]
struct Chain {
    versions: Vec<Version>,
}

struct Version {
    outline: SharedOutline,
    score: Option<f64>,
}

impl Refine {
    /// `score` is what the convolution gave the outline.
    pub(crate) fn start(context: &Context, asked: &mut Asked, pass: usize, outline: SharedOutline, score: f64) -> Self {
        let settings = context.job.settings.refine;
        let chains: Vec<Chain> = (0..settings.best_of).map(|_| Chain::default()).collect();
        let mut refine = Self { pass, settings, start: outline, score, chains, rounds_saved: 0, open: 0 };
        for attempt in 0..refine.chains.len() {
            refine.go_on(context, asked, attempt);
        }
        refine
    }

    /// Asks for a chain's next round, if there is one.
    fn go_on(&mut self, context: &Context, asked: &mut Asked, attempt: usize) {
        let versions = &self.chains[attempt].versions;
        let round = versions.len() as u32;
        let outline = versions.last().map_or(&self.start, |last| &last.outline).clone();
        if round < self.settings.rounds {
            self.ask(
                context,
                asked,
                Place::Mend { round, attempt },
                Work::Refine { outline, round, attempt: attempt as u32 },
            );
        }
    }

    fn ask(&mut self, context: &Context, asked: &mut Asked, place: Place, work: Work) {
        self.open += 1;
        asked.ask(context, super::Place::Refine { pass: self.pass, place }, work);
    }

    /// Without a product a round has failed: its chain ends, the others go on.
    pub(crate) fn accept(&mut self, context: &Context, asked: &mut Asked, place: Place, product: Option<Product>) {
        self.open -= 1;
        match place {
            Place::Mend { round, attempt } => {
                if let Some(Product::Candidate(candidate)) = product {
                    let outline = candidate.outline;
                    self.chains[attempt].versions.push(Version { outline: outline.clone(), score: None });
                    self.ask(context, asked, Place::Score { round, attempt }, Work::Score { outline });
                    self.weigh(context, asked, attempt);
                }
            }
            Place::Score { round, attempt } => {
                let versions = &mut self.chains[attempt].versions;
                versions[round as usize].score = Some(score_of(product));
                // The chain's next step waits for this where the next version is there already.
                if versions.len() as u32 > round + 1 {
                    self.weigh(context, asked, attempt);
                }
            }
        }
    }

    /// A chain has a new version. Once what that was made from is judged the chain goes on, unless that was no better than
    /// what it was made from in turn.
    fn weigh(&mut self, context: &Context, asked: &mut Asked, attempt: usize) {
        let done = self.chains[attempt].versions.len();
        let Some(from) = self.score_after(attempt, done - 1) else { return };
        let before = done.checked_sub(2).and_then(|rounds| self.score_after(attempt, rounds));
        if self.settings.stop_early && before.is_some_and(|before| from <= before) {
            self.rounds_saved += self.settings.rounds - done as u32;
        } else {
            self.go_on(context, asked, attempt);
        }
    }

    /// The score of what a chain had after so many rounds, if that is judged.
    fn score_after(&self, attempt: usize, rounds: usize) -> Option<f64> {
        match rounds.checked_sub(1) {
            Some(version) => self.chains[attempt].versions[version].score,
            None => Some(self.score),
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// The best of all versions that are judged, the first of equals.
    pub(crate) fn best(&self) -> (&SharedOutline, f64) {
        let versions = self.chains.iter().flat_map(|chain| &chain.versions);
        let judged = versions.filter_map(|version| Some((&version.outline, version.score?)));
        judged.fold((&self.start, self.score), |best, next| if next.1 > best.1 { next } else { best })
    }
}
