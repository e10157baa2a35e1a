//! A piece of work's conversation with a model: asked, and where the reply is flawed, asked again with the reason.

use minijinja::{Value, context};
use tributary_protocol::{budget::count, bus::BusError, task::Product};

use super::{
    Bill,
    calling::{Answered, Ended, Line},
    piece::Piece,
};
use crate::{
    kernel::{self, Flaw, Made},
    model::{Call, Message, json::find_json},
    prompt,
};

/// How a conversation ended.
pub(super) enum Answer {
    Good(Product),
    /// The model failed; `usable` is what is good of its best reply.
    Poor {
        usable: Option<Product>,
        reason: String,
    },
    TooLong {
        reason: String,
    },
    Stopped {
        reason: String,
    },
    /// Others can use the model, and this worker can't.
    Left,
}

/// What the conversation has brought so far.
#[derive(Default)]
struct Harvest {
    /// What is good of the last flawed reply.
    usable: Option<Box<Made>>,
    /// A reply with but a light flaw, which was told: it will do.
    enough: Option<Box<Made>>,
    cuts: u32,
    silences: u32,
    sent_back: u32,
}

impl Harvest {
    fn poor(self, reason: String, bill: &mut Bill) -> Answer {
        match self.enough {
            Some(made) => good(*made, bill),
            None => Answer::Poor { usable: self.usable.map(|made| booked(*made, bill)), reason },
        }
    }
}

fn booked(made: Made, bill: &mut Bill) -> Product {
    bill.citations_removed += made.citations_removed;
    made.product
}

fn good(made: Made, bill: &mut Bill) -> Answer {
    Answer::Good(booked(made, bill))
}

pub(super) async fn converse(line: &Line<'_>, piece: &Piece, bill: &mut Bill) -> Result<Answer, BusError> {
    let window = piece.task.work.window();
    let asking = kernel::of(piece.work(), &piece.blobs)?;
    let first = asking.call();
    if first.prompt_tokens() + Call::LEAST_REPLY > window.usable() {
        return Ok(Answer::TooLong { reason: "the prompt outgrows the model's window".to_owned() });
    }
    let mut call = first.clone();
    let mut harvest = Harvest::default();
    loop {
        let answered = match line.call(&call, window, bill).await? {
            Ended::Answered(answered) => answered,
            Ended::TooLong { .. } if harvest.enough.is_some() => return Ok(harvest.poor(String::new(), bill)),
            Ended::TooLong { reason } => return Ok(Answer::TooLong { reason }),
            Ended::Unanswered { reason } => return Ok(harvest.poor(reason, bill)),
            Ended::Stopped { reason } => return Ok(Answer::Stopped { reason }),
            Ended::Left => return Ok(Answer::Left),
        };
        match answered {
            Answered::Text(text) => match asking.read(&text) {
                Ok(made) => return Ok(good(made, bill)),
                Err(flaw) => {
                    let Flaw { reason, light, usable } = flaw;
                    let told_before = harvest.enough.is_some();
                    if light {
                        harvest.enough = usable;
                    } else {
                        harvest.usable = usable.or(harvest.usable);
                    }
                    if told_before || harvest.sent_back >= line.patience.repairs {
                        return Ok(harvest.poor(format!("the reply was no use: {reason}"), bill));
                    }
                    harvest.sent_back += 1;
                    call = sent_back(&first, &text, &reason, piece);
                    // A flaw that comes back unchanged would make the same call, and get the same reply.
                    call.seed = first.seed.map(|seed| seed.wrapping_add(u64::from(harvest.sent_back)));
                }
            },
            Answered::Cut if harvest.cuts > 0 => {
                return Ok(harvest.poor("the reply was cut off at its ceiling".to_owned(), bill));
            }
            Answered::Cut => {
                harvest.cuts += 1;
                call = shorter(&call, piece);
            }
            Answered::Empty | Answered::Refused(_) if harvest.silences > 0 => {
                let reason = match answered {
                    Answered::Refused(reason) => format!("the model refuses: {reason}"),
                    _ => "the model answers nothing".to_owned(),
                };
                return Ok(harvest.poor(reason, bill));
            }
            Answered::Empty | Answered::Refused(_) => {
                harvest.silences += 1;
                call.seed = call.seed.map(|seed| seed ^ 0x5eed_5eed);
            }
        }
    }
}

/// The call again, with the flawed reply and what is wrong with it. A reply that isn't even JSON, or for which there is no
/// room, is told of but not shown.
fn sent_back(first: &Call, text: &str, reason: &str, piece: &Piece) -> Call {
    let (language, window) = (piece.task.work.language(), piece.task.work.window());
    let reason = prompt::line(reason);
    let shown = find_json(text)
        .filter(|json| first.prompt_tokens() + count(json) + first.max_reply_tokens + 128 <= window.usable());
    let mut call = first.clone();
    match shown {
        Some(json) => {
            call.messages.push(Message::assistant(json));
            call.messages.push(Message::user(prompt::render(language, "mend", context! { reason })));
        }
        None => append(&mut call, &prompt::render(language, "afresh", context! { reason })),
    }
    call.fit(window);
    call
}

/// The call again, for less, with twice the room.
fn shorter(call: &Call, piece: &Piece) -> Call {
    let (language, window) = (piece.task.work.language(), piece.task.work.window());
    let mut call = call.clone();
    append(&mut call, &prompt::render(language, "shorter", Value::UNDEFINED));
    call.max_reply_tokens = call.max_reply_tokens.saturating_mul(2);
    call.fit(window);
    call
}

/// Adds to the last message, which is the user's.
fn append(call: &mut Call, text: &str) {
    if let Some(last) = call.messages.last_mut() {
        last.text.push_str("\n\n");
        last.text.push_str(text);
    }
}
