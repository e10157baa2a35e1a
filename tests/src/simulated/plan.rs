//! Plans an attempt at a call before any time passes. The plan depends only on the call, on the number of earlier
//! attempts, and on the settings.

use super::answer::Answer;
use super::call::{Call, Format, tokenizer};
use super::faults::{self, Fate};
use super::latency;
use super::reply::{self, Twist};
use super::settings::{GarbageKind, Settings};
use super::words::Words;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::time::Duration;

/// The planned course of an attempt.
pub struct Plan {
    pub fate: Fate,
    /// The status for the statistics.
    pub status: &'static str,
    pub answer: Answer,
    pub reply_tokens: usize,
    pub latency: Duration,
    /// Set if the reply follows an injected instruction.
    pub obeyed: bool,
}

/// Plans an attempt at a call with a prompt of `prompt` tokens: draws the latency and the fate, and writes the reply.
pub fn plan(settings: &Settings, call: &Call, attempt: u32, prompt: usize) -> Plan {
    let mut draws = rng(&[&call.id.0, &attempt.to_le_bytes(), &settings.seed.to_le_bytes()]);
    let latency = latency::draw(settings, &mut draws);
    let fate = Fate::draw(settings, &mut draws);
    let (mut answer, obeyed) = compose(settings, call, fate, &mut draws);
    let mut tokens = tokenizer().encode(answer.content.as_deref().unwrap_or_default());
    let room = settings.window.map_or(usize::MAX, |window| window.saturating_sub(prompt));
    let room = room.min(call.max_tokens.unwrap_or(usize::MAX));
    let room = if fate == Fate::Cut { room.min(tokens.len() * draws.random_range(2..=9) / 10) } else { room };
    let cut = tokens.len() > room || fate == Fate::Cut;
    if cut {
        tokens.truncate(room);
        let bytes = tokenizer().bpe.decode_tokens(&tokens);
        answer.content = Some(String::from_utf8_lossy(&bytes).into_owned());
        answer.finish_reason = "length";
    }
    let failed = matches!(fate, Fate::Failure(_));
    let latency = if failed { latency.mul_f64(draws.random()) } else { latency };
    let status = if cut && fate == Fate::Answer { Fate::Cut.name() } else { fate.name() };
    let reply_tokens = tokens.len();
    Plan { fate, status, answer, reply_tokens, latency: latency + latency::of_tokens(settings, reply_tokens), obeyed }
}

/// Writes the reply to a call with this fate. The flag is set if the reply follows an injected instruction.
fn compose(settings: &Settings, call: &Call, fate: Fate, draws: &mut ChaCha8Rng) -> (Answer, bool) {
    if fate == Fate::Refusal {
        return (Answer::refusal(), false);
    }
    let obeyed = settings.injection.as_ref().filter(|injection| injection.is_obeyed_in(call.texts()));
    let twist = match (fate, obeyed) {
        (Fate::Garbage(GarbageKind::UnknownHandles), _) => Twist::UnknownHandles,
        (Fate::Garbage(GarbageKind::FakeCitations), _) => Twist::FakeCitations,
        (_, Some(injection)) => Twist::Says(injection.answer.clone()),
        _ => Twist::None,
    };
    let any = json!({ "type": "object" });
    let schema = call.schema.as_ref().unwrap_or(&any);
    let (value, twisted) = reply::write(schema, Words::of(call.topic()), rng(&[&call.id.0]), twist.clone());
    let answer = match fate {
        Fate::Garbage(GarbageKind::UnknownHandles | GarbageKind::FakeCitations) if !twisted => {
            faults::garble(GarbageKind::WrongTypes, &value, draws)
        }
        Fate::Garbage(kind) => faults::garble(kind, &value, draws),
        _ if call.format == Format::Plain => Answer::of(&in_plain_text(&value, call)),
        _ => Answer::of(&value.to_string()),
    };
    (answer, obeyed.is_some() && matches!(twist, Twist::Says(_)))
}

/// Formats JSON like a model without constraints: bare, or in a fence, or in a fence after a sentence.
fn in_plain_text(value: &Value, call: &Call) -> String {
    match call.id.0[0] % 3 {
        0 => value.to_string(),
        1 => format!("```json\n{value:#}\n```"),
        _ => format!("Here is the result:\n\n```json\n{value:#}\n```\n"),
    }
}

/// Returns a random generator seeded by these parts.
fn rng(parts: &[&[u8]]) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}
