//! Refine: criticise the outline, mend it, judge what came of it, and keep the best ("self-refine, best of N").

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

/// What this stage ends with.
pub(crate) struct Refined {
    pub(crate) outline: SharedOutline,
    /// Rounds that were not done, since one had brought nothing better.
    pub(crate) rounds_saved: u32,
}

pub(crate) struct Refine {
    pass: usize,
    settings: settings::Refine,
    round: u32,
    best: SharedOutline,
    score: f64,
    attempts: Vec<Option<SharedOutline>>,
    scores: Vec<f64>,
    missing: usize,
}

impl Refine {
    /// `score` is what the convolution gave the outline.
    pub(crate) fn start(
        context: &Context,
        asked: &mut Asked,
        pass: usize,
        outline: SharedOutline,
        score: f64,
    ) -> (Self, Option<Refined>) {
        let settings = context.job.settings.refine;
        let mut refine = Self {
            pass,
            settings,
            round: 0,
            best: outline,
            score,
            attempts: Vec::new(),
            scores: Vec::new(),
            missing: 0,
        };
        let end = refine.next_round(context, asked);
        (refine, end)
    }

    fn next_round(&mut self, context: &Context, asked: &mut Asked) -> Option<Refined> {
        if self.round == self.settings.rounds {
            return Some(Refined { outline: self.best.clone(), rounds_saved: 0 });
        }
        let attempts = self.settings.best_of as usize;
        self.attempts = vec![None; attempts];
        self.scores = vec![0.0; attempts];
        self.missing = attempts;
        for attempt in 0..attempts {
            let work = Work::Refine { outline: self.best.clone(), round: self.round, attempt: attempt as u32 };
            self.ask(context, asked, Place::Mend { round: self.round, attempt }, work);
        }
        None
    }

    fn ask(&self, context: &Context, asked: &mut Asked, place: Place, work: Work) {
        asked.ask(context, super::Place::Refine { pass: self.pass, place }, work);
    }

    /// Without a product an attempt has failed; the others stand.
    pub(crate) fn accept(
        &mut self,
        context: &Context,
        asked: &mut Asked,
        place: Place,
        product: Option<Product>,
    ) -> Option<Refined> {
        match place {
            Place::Mend { round, attempt } => {
                if let Some(Product::Candidate(candidate)) = product {
                    let outline = candidate.outline;
                    self.attempts[attempt] = Some(outline.clone());
                    self.ask(context, asked, Place::Score { round, attempt }, Work::Score { outline });
                    return None;
                }
            }
            Place::Score { attempt, .. } => self.scores[attempt] = score_of(product),
        }
        self.missing -= 1;
        if self.missing > 0 { None } else { self.round_done(context, asked) }
    }

    fn round_done(&mut self, context: &Context, asked: &mut Asked) -> Option<Refined> {
        let mut better = None;
        for (outline, score) in self.attempts.iter().zip(&self.scores) {
            if let Some(outline) = outline
                && *score > better.as_ref().map_or(self.score, |(_, best)| *best)
            {
                better = Some((outline.clone(), *score));
            }
        }
        self.round += 1;
        match better {
            Some((outline, score)) => {
                (self.best, self.score) = (outline, score);
                self.next_round(context, asked)
            }
            // Another round would start from the same outline and be told the same.
            None if self.settings.stop_early => {
                Some(Refined { outline: self.best.clone(), rounds_saved: self.settings.rounds - self.round })
            }
            None => self.next_round(context, asked),
        }
    }
}
