//! Room for reasoning: tokens of a model's replies beside the visible text.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The tokens that a model may spend on reasoning in each reply: none, until a reply was cut off while the model reasoned.
#[derive(Default)]
pub struct ReasoningRoom(AtomicU32);

impl ReasoningRoom {
    const FIRST: u32 = 4_096;
    const MOST: u32 = 32_768;

    /// The room, as far as `spare` tokens allow.
    pub(super) fn within(&self, spare: u32) -> u32 {
        self.0.load(Relaxed).min(spare)
    }

    /// Raises the room after a reply with `had` tokens of room was cut off. True where the next reply gets more.
    pub(super) fn was_too_little(&self, had: u32, spare: u32) -> bool {
        let more = had.saturating_mul(4).clamp(Self::FIRST, Self::MOST);
        if self.0.fetch_max(more, Relaxed) < more {
            tracing::info!(tokens = more, "the model reasons before it answers; the ceiling of its replies is raised");
        }
        self.within(spare) > had
    }
}
