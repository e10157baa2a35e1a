//! Decides the fate of an attempt at a call: a good reply, a bad reply, a failure, or no reply.

use super::answer::Answer;
use super::settings::{FailureKind, GarbageKind, Settings};
use super::stats;
use super::words::char_floor;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// The fate of an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    Answer,
    Garbage(GarbageKind),
    Cut,
    Refusal,
    Failure(FailureKind),
    Stall,
}

impl Fate {
    /// Draws a fate according to the settings' rates.
    pub fn draw(settings: &Settings, rng: &mut ChaCha8Rng) -> Self {
        let mut draw = rng.random::<f64>();
        let kind = rng.random::<u32>() as usize;
        let mut falls_under = |rate: f64| {
            draw -= rate;
            draw < 0.0
        };
        if falls_under(settings.failure_rate) {
            one_of(&settings.failure_kinds, kind).map_or(Self::Answer, Self::Failure)
        } else if falls_under(settings.garbage_rate) {
            one_of(&settings.garbage_kinds, kind).map_or(Self::Answer, Self::Garbage)
        } else if falls_under(settings.cut_rate) {
            Self::Cut
        } else if falls_under(settings.refusal_rate) {
            Self::Refusal
        } else if falls_under(settings.stall_rate) {
            Self::Stall
        } else {
            Self::Answer
        }
    }

    /// Returns the name of the fate in statistics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => stats::OK,
            Self::Garbage(kind) => kind.name(),
            Self::Cut => "cut",
            Self::Refusal => "refusal",
            Self::Failure(kind) => kind.name(),
            Self::Stall => "stall",
        }
    }
}

fn one_of<T: Copy>(kinds: &[T], draw: usize) -> Option<T> {
    kinds.get(draw.checked_rem(kinds.len())?).copied()
}

/// Turns a good reply into garbage.
pub fn garble(kind: GarbageKind, value: &Value, rng: &mut ChaCha8Rng) -> Answer {
    let text = value.to_string();
    match kind {
        GarbageKind::NotJson => Answer::of("I have read the material with care, and there is much to say about it."),
        GarbageKind::Truncated => {
            let share = rng.random_range(0.2..0.95);
            Answer::of(&text[..char_floor(&text, (text.len() as f64 * share) as usize)])
        }
        GarbageKind::WrongTypes => Answer::of(&mistyped(value, rng).to_string()),
        GarbageKind::EmptyChoices => Answer { choices: false, ..Answer::of("") },
        GarbageKind::NullContent => Answer { content: None, ..Answer::of("") },
        GarbageKind::Prose => Answer::of(&format!("Sure! Here is what you asked for:\n\n{text}\n\nShall I go on?")),
        GarbageKind::UnknownHandles | GarbageKind::FakeCitations => Answer::of(&text),
    }
}

/// Returns the value with at least one part of a wrong type.
fn mistyped(value: &Value, rng: &mut ChaCha8Rng) -> Value {
    let Value::Object(fields) = value else { return other_type(value) };
    let sure = rng.random_range(0..fields.len().max(1));
    let part = |(at, (name, value)): (usize, (&String, &Value))| {
        let wrong = at == sure || rng.random_bool(0.3);
        (name.clone(), if wrong { other_type(value) } else { value.clone() })
    };
    Value::Object(fields.iter().enumerate().map(part).collect())
}

/// Returns a value of a different type.
fn other_type(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({ "text": text }),
        Value::Array(_) => json!("none"),
        Value::Object(_) => json!([1, 2, 3]),
        Value::Number(_) => json!("rather high"),
        Value::Bool(_) | Value::Null => json!({ "value": [value] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn fates_come_at_their_rates() {
        let settings = Settings { failure_rate: 0.2, garbage_rate: 0.3, stall_rate: 0.1, ..Settings::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let fates: Vec<_> = (0..10_000).map(|_| Fate::draw(&settings, &mut rng)).collect();
        let share = |is: fn(&Fate) -> bool| fates.iter().filter(|fate| is(fate)).count() as f64 / 10_000.0;
        assert!((share(|fate| matches!(fate, Fate::Failure(_))) - 0.2).abs() < 0.02);
        assert!((share(|fate| matches!(fate, Fate::Garbage(_))) - 0.3).abs() < 0.02);
        assert!((share(|fate| matches!(fate, Fate::Stall)) - 0.1).abs() < 0.02);
    }
}
