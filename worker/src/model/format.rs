//! How a reply's shape is asked for, and what was learned about a server in this.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use super::{Message, ReplySchema, Role, schema};

/// The ways to ask for a typed reply, from the strictest down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    /// The server holds the model to the schema.
    Schema,
    /// The server holds the model to JSON; the prompt carries the schema.
    Object,
    /// The prompt alone says what to answer.
    Plain,
}

impl Format {
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

/// What a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// This way of asking, whatever the schema.
    Way,
    /// This one schema.
    Schema,
}

/// The strictest format that a server is known to take, for all schemas and for single ones.
#[derive(Default)]
pub(super) struct Ladder {
    floor: AtomicU8,
    by_schema: Mutex<HashMap<String, Format>>,
}

impl Ladder {
    /// The format to ask for a reply of this schema with.
    pub fn format(&self, schema: &str) -> Format {
        let floor = Format::ALL[usize::from(self.floor.load(Ordering::Relaxed))];
        let by_schema = self.by_schema.lock().unwrap_or_else(PoisonError::into_inner);
        by_schema.get(schema).map_or(floor, |format| floor.max(*format))
    }

    /// Learns that the server refused `refused`. False where there is nothing below to try.
    pub fn step_down(&self, refused: Format, scope: Scope, schema: &str, at: &str) -> bool {
        let Some(below) = refused.below() else { return false };
        let news = match scope {
            Scope::Way => self.floor.fetch_max(below as u8, Ordering::Relaxed) < below as u8,
            Scope::Schema => {
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
pub(super) fn instructed(messages: &[Message], reply: &ReplySchema) -> Vec<Message> {
    let mut messages = messages.to_vec();
    let instruction = format!(
        "Answer with a single JSON object and nothing around it: no remarks, no code fence. The object must be valid \
         against this JSON Schema:\n{}",
        schema::strict(&reply.schema)
    );
    match messages.iter_mut().rfind(|message| message.role == Role::User) {
        Some(last) => {
            last.text.push_str("\n\n");
            last.text.push_str(&instruction);
        }
        None => messages.push(Message::user(instruction)),
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_way_counts_for_every_schema_and_a_refused_schema_for_itself() {
        let ladder = Ladder::default();
        assert!(ladder.step_down(Format::Schema, Scope::Schema, "outline", "a server"));
        assert_eq!([ladder.format("outline"), ladder.format("digest")], [Format::Object, Format::Schema]);
        assert!(ladder.step_down(Format::Object, Scope::Way, "digest", "a server"));
        assert_eq!([ladder.format("outline"), ladder.format("digest")], [Format::Plain, Format::Plain]);
    }

    #[test]
    fn two_calls_that_hear_the_same_refusal_take_one_step() {
        let ladder = Ladder::default();
        assert!(ladder.step_down(Format::Schema, Scope::Way, "a", "a server"));
        assert!(ladder.step_down(Format::Schema, Scope::Way, "b", "a server"));
        assert_eq!(ladder.format("a"), Format::Object);
    }

    #[test]
    fn below_plain_text_there_is_nothing() {
        assert!(!Ladder::default().step_down(Format::Plain, Scope::Way, "a", "a server"));
    }
}
