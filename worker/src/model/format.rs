//! The format of a typed reply, and the lessons learned about a server's support for formats.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use super::{
    call::{ChatMessage, MessageRole},
    schema::{self, ReplySchema},
};

/// The ways to ask for a typed reply, from the strictest down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ReplyFormat {
    /// The server holds the model to the schema.
    Schema,
    /// The server holds the model to JSON; the prompt carries the schema.
    Object,
    /// The prompt alone describes the reply.
    Plain,
}

impl ReplyFormat {
    const ALL: [Self; 3] = [Self::Schema, Self::Object, Self::Plain];

    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Self::Schema => "by its schema, which the server enforces",
            Self::Object => "as a JSON object, with the schema in the prompt",
            Self::Plain => "by the prompt alone",
        }
    }

    fn below(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }
}

/// The scope of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalScope {
    /// The format, whatever the schema.
    Way,
    /// The schema alone.
    Schema,
}

/// The strictest format supported by a server, for all schemas and for single schemas.
#[derive(Default)]
pub(super) struct FormatLadder {
    floor: AtomicU8,
    by_schema: Mutex<HashMap<String, ReplyFormat>>,
}

impl FormatLadder {
    /// The format for a reply of this schema.
    pub fn format(&self, schema: &str) -> ReplyFormat {
        let floor = ReplyFormat::ALL[usize::from(self.floor.load(Ordering::Relaxed))];
        let by_schema = self.by_schema.lock().unwrap_or_else(PoisonError::into_inner);
        by_schema.get(schema).map_or(floor, |format| floor.max(*format))
    }

    /// Learns of a refusal of `refused`. False where no lower format is left.
    pub fn step_down(&self, refused: ReplyFormat, scope: RefusalScope, schema: &str, at: &str) -> bool {
        let Some(below) = refused.below() else { return false };
        let news = match scope {
            RefusalScope::Way => self.floor.fetch_max(below as u8, Ordering::Relaxed) < below as u8,
            RefusalScope::Schema => {
                let mut by_schema = self.by_schema.lock().unwrap_or_else(PoisonError::into_inner);
                by_schema.insert(schema.to_owned(), below).is_none_or(|known| known < below)
            }
        };
        if news {
            tracing::warn!(server = at, schema, ?scope, "typed replies step down from {refused:?} to {below:?}");
        }
        true
    }
}

/// The messages with the schema as an instruction at the end of the last one of the user's.
pub(super) fn instructed(messages: &[ChatMessage], reply: &ReplySchema) -> Vec<ChatMessage> {
    let mut messages = messages.to_vec();
    let instruction = format!(
        "Answer with a single JSON object and nothing around it: no remarks, no code fence. The object must be valid \
         against this JSON Schema:\n{}",
        schema::strict(&reply.schema)
    );
    match messages.iter_mut().rfind(|message| message.role == MessageRole::User) {
        Some(last) => {
            last.text.push_str("\n\n");
            last.text.push_str(&instruction);
        }
        None => messages.push(ChatMessage::user(instruction)),
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_way_counts_for_every_schema_and_a_refused_schema_for_itself() {
        let ladder = FormatLadder::default();
        assert!(ladder.step_down(ReplyFormat::Schema, RefusalScope::Schema, "outline", "a server"));
        assert_eq!([ladder.format("outline"), ladder.format("digest")], [ReplyFormat::Object, ReplyFormat::Schema]);
        assert!(ladder.step_down(ReplyFormat::Object, RefusalScope::Way, "digest", "a server"));
        assert_eq!([ladder.format("outline"), ladder.format("digest")], [ReplyFormat::Plain, ReplyFormat::Plain]);
    }

    #[test]
    fn two_calls_that_hear_the_same_refusal_take_one_step() {
        let ladder = FormatLadder::default();
        assert!(ladder.step_down(ReplyFormat::Schema, RefusalScope::Way, "a", "a server"));
        assert!(ladder.step_down(ReplyFormat::Schema, RefusalScope::Way, "b", "a server"));
        assert_eq!(ladder.format("a"), ReplyFormat::Object);
    }

    #[test]
    fn below_plain_text_there_is_nothing() {
        assert!(!FormatLadder::default().step_down(ReplyFormat::Plain, RefusalScope::Way, "a", "a server"));
    }
}
