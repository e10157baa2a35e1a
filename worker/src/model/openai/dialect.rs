//! The dialect of a server: the parts of a request supported by the server.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::failure::ChatFeature;
use crate::model::format::{FormatLadder, ReplyFormat};

/// The dialect learned so far, shared by all calls of a model, and written once for each refusal.
pub struct ServerDialect {
    ladder: FormatLadder,
    completion_tokens: AtomicBool,
    temperature: AtomicBool,
    seed: AtomicBool,
    reply_ceiling: AtomicU32,
}

impl Default for ServerDialect {
    fn default() -> Self {
        Self {
            ladder: FormatLadder::default(),
            completion_tokens: false.into(),
            temperature: true.into(),
            seed: true.into(),
            reply_ceiling: u32::MAX.into(),
        }
    }
}

/// The dialect of one request.
#[derive(Clone, Copy, Debug)]
pub struct RequestDialect {
    pub format: ReplyFormat,
    /// Names the reply's ceiling `max_completion_tokens`, not `max_tokens`.
    pub completion_tokens: bool,
    pub temperature: bool,
    pub seed: bool,
    /// The highest reply ceiling accepted by the server, in tokens.
    pub reply_ceiling: u32,
}

impl ServerDialect {
    /// The dialect of the next request for a reply of this schema.
    pub fn spoken(&self, schema: &str) -> RequestDialect {
        RequestDialect {
            format: self.ladder.format(schema),
            completion_tokens: self.completion_tokens.load(Relaxed),
            temperature: self.temperature.load(Relaxed),
            seed: self.seed.load(Relaxed),
            reply_ceiling: self.reply_ceiling.load(Relaxed),
        }
    }

    /// Learns from a refusal of a request in the dialect `spoken`. False where the next request would be the same.
    pub fn learn(&self, refused: ChatFeature, spoken: RequestDialect, schema: &str, at: &str) -> bool {
        let (news, possible) = match refused {
            ChatFeature::ReplyFormat(scope) => return self.ladder.step_down(spoken.format, scope, schema, at),
            ChatFeature::MaxTokens => (!self.completion_tokens.swap(true, Relaxed), !spoken.completion_tokens),
            ChatFeature::Temperature => (self.temperature.swap(false, Relaxed), spoken.temperature),
            ChatFeature::Seed => (self.seed.swap(false, Relaxed), spoken.seed),
            ChatFeature::ReplyCeiling(most) => {
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
