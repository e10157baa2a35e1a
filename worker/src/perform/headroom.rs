//! Room for thought: models that reason before they answer do so below the reply's ceiling.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Tokens that a model's replies may have beside what is to be seen of them. None, until one was cut off in thought.
#[derive(Default)]
pub struct Headroom(AtomicU32);

impl Headroom {
    const FIRST: u32 = 4_096;
    const MOST: u32 = 32_768;

    /// As much of it as there is room for.
    pub(super) fn within(&self, room: u32) -> u32 {
        self.0.load(Relaxed).min(room)
    }

    /// A reply was cut off in thought that had so much. Returns whether the next has more.
    pub(super) fn was_too_little(&self, had: u32, room: u32) -> bool {
        let more = had.saturating_mul(4).clamp(Self::FIRST, Self::MOST);
        if self.0.fetch_max(more, Relaxed) < more {
            tracing::info!(tokens = more, "the model reasons before it answers: its replies get more room");
        }
        self.within(room) > had
    }
}
