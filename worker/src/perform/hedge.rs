//! Stragglers: a call that takes longer than most of its kind is made a second time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tributary_protocol::task::Kind;

/// How long calls have taken lately, by model and kind of work.
pub(super) struct Hedges {
    /// The share of calls that are given time to end; 0 gives it to all.
    share: f64,
    recent: Mutex<HashMap<(String, Kind), VecDeque<Duration>>>,
}

impl Hedges {
    /// What is told by fewer calls is chance.
    const FEWEST: usize = 20;

    /// A provider is as quick as it has been lately.
    const MOST: usize = 200;

    pub fn new(share: f64) -> Self {
        Self { share, recent: Mutex::default() }
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<(String, Kind), VecDeque<Duration>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long such a call is waited for before it is made a second time; none where it never is.
    pub fn patience(&self, model: &str, kind: Kind) -> Option<Duration> {
        if self.share <= 0.0 {
            return None;
        }
        let recent = self.recent();
        let took = recent.get(&(model.to_owned(), kind)).filter(|took| took.len() >= Self::FEWEST)?;
        let mut took: Vec<Duration> = took.iter().copied().collect();
        let place = ((took.len() as f64 * self.share) as usize).min(took.len() - 1);
        Some(*took.select_nth_unstable(place).1)
    }

    /// A call was answered after so long. Of two that were made for one, the time since the first counts: were it the
    /// second's own, calls would seem the quicker the more of them are made twice.
    pub fn answered(&self, model: &str, kind: Kind, after: Duration) {
        if self.share <= 0.0 {
            return;
        }
        let mut recent = self.recent();
        let took = recent.entry((model.to_owned(), kind)).or_default();
        took.push_back(after);
        if took.len() > Self::MOST {
            took.pop_front();
        }
    }
}
