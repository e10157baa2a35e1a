//! Repair: a conversation in which a flawed reply is sent back with the reason, until a reply will do.

use minijinja::{Value, context};
use tributary_protocol::{budget::count, bus::BusError, task::Product};

use super::{
    answer::{CallEnd, ModelAnswer},
    bill::TaskBill,
    call::ModelCaller,
    piece::WorkPiece,
};
use crate::{
    kernel::{self, ReplyFlaw, ReplyProduct},
    model::{ChatMessage, ModelCall, ReplyText},
    prompt,
};

/// The end of a conversation about a piece of work.
pub(super) enum ConversationEnd {
    Good(Product),
    /// The model failed; `usable` is the good part of its best reply.
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
    /// Peers can use the model, and this worker can't.
    LeftToPeers,
}

/// The best replies and the failures of a conversation so far.
#[derive(Default)]
struct ConversationState {
    /// The good part of the last flawed reply.
    usable: Option<Box<ReplyProduct>>,
    /// A reply with a light flaw only, which was sent back once: the reply is good enough.
    good_enough: Option<Box<ReplyProduct>>,
    cut_off: u32,
    /// Empty and refused replies.
    unsaid: u32,
    sent_back: u32,
}

impl ConversationState {
    /// Ends the conversation with the best reply so far.
    fn end(self, reason: String, bill: &mut TaskBill) -> ConversationEnd {
        match self.good_enough {
            Some(made) => good(*made, bill),
            None => ConversationEnd::Poor { usable: self.usable.map(|made| booked(*made, bill)), reason },
        }
    }
}

/// The product, with its removed citations added to the bill.
fn booked(made: ReplyProduct, bill: &mut TaskBill) -> Product {
    bill.citations_removed += made.citations_removed;
    made.product
}

fn good(made: ReplyProduct, bill: &mut TaskBill) -> ConversationEnd {
    ConversationEnd::Good(booked(made, bill))
}

/// Asks the model for a piece of work, and asks again where the reply is flawed, cut off, empty or refused.
pub(super) async fn converse(
    caller: &ModelCaller<'_>,
    piece: &WorkPiece,
    bill: &mut TaskBill,
) -> Result<ConversationEnd, BusError> {
    let window = piece.task.work.window();
    let kernel = kernel::for_work(piece.work(), &piece.blobs)?;
    let first = kernel.call();
    if first.prompt_tokens() + ModelCall::LEAST_REPLY > window.usable() {
        return Ok(ConversationEnd::TooLong { reason: "the prompt outgrows the model's window".to_owned() });
    }
    let mut call = first.clone();
    let mut state = ConversationState::default();
    loop {
        let answer = match caller.call(&call, window, bill).await? {
            CallEnd::Answered(answer) => answer,
            CallEnd::TooLong { .. } if state.good_enough.is_some() => return Ok(state.end(String::new(), bill)),
            CallEnd::TooLong { reason } => return Ok(ConversationEnd::TooLong { reason }),
            CallEnd::Unanswered { reason } => return Ok(state.end(reason, bill)),
            CallEnd::Stopped { reason } => return Ok(ConversationEnd::Stopped { reason }),
            CallEnd::LeftToPeers => return Ok(ConversationEnd::LeftToPeers),
        };
        match answer {
            ModelAnswer::Text(text) => match kernel.read(&text) {
                Ok(made) => return Ok(good(made, bill)),
                Err(ReplyFlaw { reason, light, usable }) => {
                    let was_good_enough = state.good_enough.is_some();
                    if light {
                        state.good_enough = usable;
                    } else {
                        state.usable = usable.or(state.usable);
                    }
                    if was_good_enough || state.sent_back >= caller.repairs() {
                        return Ok(state.end(format!("the reply was no use: {reason}"), bill));
                    }
                    state.sent_back += 1;
                    call = sent_back(&first, &text, &reason, piece);
                    // With the same seed, an unchanged flaw would make the same call, and get the same reply.
                    call.seed = first.seed.map(|seed| seed.wrapping_add(u64::from(state.sent_back)));
                }
            },
            ModelAnswer::Cut if state.cut_off > 0 => {
                return Ok(state.end("the reply was cut off at its ceiling".to_owned(), bill));
            }
            ModelAnswer::Cut => {
                state.cut_off += 1;
                call = shorter(&call, piece);
            }
            ModelAnswer::Empty | ModelAnswer::Refused(_) if state.unsaid > 0 => {
                let reason = match answer {
                    ModelAnswer::Refused(reason) => format!("the model refuses: {reason}"),
                    _ => "the model answers nothing".to_owned(),
                };
                return Ok(state.end(reason, bill));
            }
            ModelAnswer::Empty | ModelAnswer::Refused(_) => {
                state.unsaid += 1;
                call.seed = call.seed.map(|seed| seed ^ 0x5eed_5eed);
            }
        }
    }
}

/// The call again, with the flawed reply and the reason. The reply itself is left out where the reply has no JSON, or the
/// window has no room for the reply.
fn sent_back(first: &ModelCall, text: &ReplyText, reason: &str, piece: &WorkPiece) -> ModelCall {
    let (language, window) = (piece.task.work.language(), piece.task.work.window());
    let reason = prompt::line(reason);
    let shown = text
        .json()
        .filter(|json| first.prompt_tokens() + count(json) + first.max_reply_tokens + 128 <= window.usable());
    let mut call = first.clone();
    match shown {
        Some(json) => {
            call.messages.push(ChatMessage::assistant(json));
            call.messages.push(ChatMessage::user(prompt::render(language, "mend", context! { reason })));
        }
        None => append(&mut call, &prompt::render(language, "afresh", context! { reason })),
    }
    call.fit(window);
    call
}

/// The call again, for a shorter reply under twice the ceiling.
fn shorter(call: &ModelCall, piece: &WorkPiece) -> ModelCall {
    let (language, window) = (piece.task.work.language(), piece.task.work.window());
    let mut call = call.clone();
    append(&mut call, &prompt::render(language, "shorter", Value::UNDEFINED));
    call.max_reply_tokens = call.max_reply_tokens.saturating_mul(2);
    call.fit(window);
    call
}

/// Adds a paragraph to the last message, which is the user's.
fn append(call: &mut ModelCall, text: &str) {
    if let Some(last) = call.messages.last_mut() {
        last.text.push_str("\n\n");
        last.text.push_str(text);
    }
}
