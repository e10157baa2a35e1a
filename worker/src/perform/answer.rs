//! The answers of a model to one call, and the ways in which a call ends.

use serde::{Deserialize, Serialize};
use tributary_protocol::budget::count;

use crate::model::{ModelError, ModelReply, ReplyText, TokenUsage};

/// The answer of a model, paid for and kept in the reply cache. The cache holds answers for long: their written form stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum ModelAnswer {
    Text(ReplyText),
    /// A reply cut off at its ceiling.
    Cut,
    Empty,
    /// A refusal, with the model's reason.
    Refused(String),
}

/// An answer with its tokens.
pub(super) struct PaidAnswer {
    pub answer: ModelAnswer,
    /// Zero throughout where the server doesn't report its usage.
    reported: TokenUsage,
    /// The reply was cut off while the model still reasoned: a higher ceiling may bring an answer.
    pub in_thought: bool,
}

impl PaidAnswer {
    /// Separates answers, which are paid for, from failures.
    pub fn of(result: Result<ModelReply, ModelError>) -> Result<Self, ModelError> {
        let (answer, reported, in_thought) = match result {
            Ok(reply) => (ModelAnswer::Text(reply.text), reply.usage, false),
            Err(ModelError::Cut { in_thought, usage, .. }) => (ModelAnswer::Cut, usage, in_thought),
            Err(ModelError::Empty { usage, .. }) => (ModelAnswer::Empty, usage, false),
            Err(ModelError::Refused { reason, usage, .. }) => (ModelAnswer::Refused(reason), usage, false),
            Err(error) => return Err(error),
        };
        Ok(Self { answer, reported, in_thought })
    }

    /// The usage that the server reports, or else an estimate for a prompt of so many tokens.
    pub fn usage(&self, prompt_tokens: u64) -> TokenUsage {
        if self.reported != TokenUsage::default() {
            return self.reported;
        }
        let reply_tokens = match &self.answer {
            ModelAnswer::Text(text) => u64::from(count(text.as_str())),
            ModelAnswer::Cut | ModelAnswer::Empty | ModelAnswer::Refused(_) => 0,
        };
        TokenUsage { prompt_tokens, reply_tokens, cached_prompt_tokens: 0 }
    }
}

/// The end of a call, after all its retries.
#[derive(Debug)]
pub(super) enum CallEnd {
    Answered(ModelAnswer),
    TooLong {
        reason: String,
    },
    /// No retry brought an answer to this call, though the model answers other calls.
    Unanswered {
        reason: String,
    },
    /// The model answers nobody: the job stops.
    Stopped {
        reason: String,
    },
    /// Peers can use the model, and this worker can't.
    LeftToPeers,
}
