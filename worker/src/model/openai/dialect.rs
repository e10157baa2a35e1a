//! What was learned about one server: which parts of a request it takes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::failure::Feature;
use crate::model::format::{Format, Ladder};

/// Shared by all calls of one model, and written once for each thing that the server refuses.
pub struct Dialect {
    ladder: Ladder,
    completion_tokens: AtomicBool,
    temperature: AtomicBool,
    seed: AtomicBool,
    reply_ceiling: AtomicU32,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            ladder: Ladder::default(),
            completion_tokens: false.into(),
            temperature: true.into(),
            seed: true.into(),
            reply_ceiling: u32::MAX.into(),
        }
    }
}

/// The dialect of one request.
#[derive(Clone, Copy, Debug)]
pub struct Spoken {
    pub format: Format,
    /// Whether the reply's ceiling goes by `max_completion_tokens`, not `max_tokens`.
    pub completion_tokens: bool,
    pub temperature: bool,
    pub seed: bool,
    /// The highest reply ceiling that the server takes, in tokens.
    pub reply_ceiling: u32,
}

impl Dialect {
    /// What the next request for a reply of this schema is to say.
    pub fn spoken(&self, schema: &str) -> Spoken {
        Spoken {
            format: self.ladder.format(schema),
            completion_tokens: self.completion_tokens.load(Relaxed),
            temperature: self.temperature.load(Relaxed),
            seed: self.seed.load(Relaxed),
            reply_ceiling: self.reply_ceiling.load(Relaxed),
        }
    }

    /// Learns from a refusal of what was `spoken`. False where asking again would say the same.
    pub fn learn(&self, refused: Feature, spoken: Spoken, schema: &str, at: &str) -> bool {
        let (news, possible) = match refused {
            Feature::Format(scope) => return self.ladder.step_down(spoken.format, scope, schema, at),
            Feature::MaxTokens => (!self.completion_tokens.swap(true, Relaxed), !spoken.completion_tokens),
            Feature::Temperature => (self.temperature.swap(false, Relaxed), spoken.temperature),
            Feature::Seed => (self.seed.swap(false, Relaxed), spoken.seed),
            Feature::ReplyCeiling(most) => {
                (self.reply_ceiling.fetch_min(most, Relaxed) > most, spoken.reply_ceiling > most)
            }
        };
        if news {
            tracing::info!(
                server = at,
                "the server does not take {refused:?} as asked; requests go without it from now on"
            );
        }
        possible
    }
}
