//! What a pool does and has done, in figures.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tributary_protocol::task::{Kind, Verdict};

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Done,
    Degraded,
    Failed,
    Stopped,
}

impl Done {
    pub const ALL: [Self; 4] = [Self::Done, Self::Degraded, Self::Failed, Self::Stopped];

    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Done(_) => Self::Done,
            Verdict::Degraded { .. } => Self::Degraded,
            Verdict::Failed { .. } => Self::Failed,
            Verdict::Stopped { .. } => Self::Stopped,
        }
    }
}

/// A pool's figures since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Tasks that run now.
    pub in_flight: u64,
    ended: [[u64; Done::ALL.len()]; Kind::ALL.len()],
}

impl Stats {
    /// Tasks of a kind that ended in this way.
    pub fn ended(&self, kind: Kind, how: Done) -> u64 {
        self.ended[kind as usize][how as usize]
    }
}

#[derive(Default)]
pub(super) struct Counters {
    in_flight: AtomicU64,
    ended: [[AtomicU64; Done::ALL.len()]; Kind::ALL.len()],
}

/// Counts a task as in flight, however it ends.
pub(super) struct Running(Arc<Counters>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Counters {
    pub fn begin(self: &Arc<Self>) -> Running {
        self.in_flight.fetch_add(1, Relaxed);
        Running(Arc::clone(self))
    }

    pub fn count(&self, kind: Kind, how: Done) {
        self.ended[kind as usize][how as usize].fetch_add(1, Relaxed);
    }

    pub fn snapshot(&self) -> Stats {
        Stats {
            in_flight: self.in_flight.load(Relaxed),
            ended: self.ended.each_ref().map(|kind| kind.each_ref().map(|count| count.load(Relaxed))),
        }
    }
}
