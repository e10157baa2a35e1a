//! One call: from the reply cache, or made within the provider's limits, again and again where it may help.

use std::pin::pin;

use futures::{
    FutureExt,
    future::{Either, select},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument as _, Span};
use tributary_protocol::{
    budget::{Window, count},
    bus::{Bus, BusError},
    id::CallId,
    task::Kind,
    wire,
};

use super::{
    Bill, Others, hedge::Hedges, measure, models::Connected, outage::Outages, patience::Patience, span, tries::Tries,
    turns::Turns,
};
use crate::{
    model::{Call, ModelError, Reply, Usage},
    throttle::{Outcome, Permit},
};

/// A model as a task reaches it.
pub(super) struct Line<'a> {
    pub kind: Kind,
    pub bus: &'a dyn Bus,
    pub model: &'a Connected,
    pub patience: &'a Patience,
    pub outages: &'a Outages,
    pub hedges: &'a Hedges,
    pub turns: &'a Turns,
    pub others: Option<&'a Others>,
}

/// What was paid for, and is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answered {
    Text(String),
    Cut,
    Empty,
    Refused(String),
}

/// An answer, with what it took.
pub(super) struct Paid {
    pub answered: Answered,
    pub usage: Usage,
    /// It was cut off before there was much to be seen of it: with more room it may come.
    pub in_thought: bool,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Ended {
    Answered(Answered),
    TooLong {
        reason: String,
    },
    /// No answer, however often it was asked.
    Unanswered {
        reason: String,
    },
    Stopped {
        reason: String,
    },
    /// Others can use the model, and this worker can't.
    Left,
}

impl Line<'_> {
    pub(super) fn name(&self) -> &str {
        self.model.model.name()
    }

    /// Makes the call, unless its answer is known.
    pub async fn call(&self, call: &Call, window: Window, bill: &mut Bill) -> Result<Ended, BusError> {
        let name = self.name();
        let id = call.id(name);
        let _turn = self.turns.of(id).await;
        if let Some(bytes) = self.bus.reply(id).await?
            && let Ok(answered) = wire::decode(&bytes)
        {
            bill.usage.calls_from_cache += 1;
            measure::cached(self.kind, name);
            return Ok(Ended::Answered(answered));
        }
        let tokens = u64::from(call.prompt_tokens());
        let room = window.usable().saturating_sub(call.prompt_tokens()).saturating_sub(call.max_reply_tokens);
        let mut tries = Tries::new();
        loop {
            let headroom = self.model.headroom.within(room);
            let call = &Call { max_reply_tokens: call.max_reply_tokens + headroom, ..call.clone() };
            let made = match self.admit(tokens + u64::from(call.max_reply_tokens)).await {
                Ok(permit) => self.make(call, permit, tokens, &tries, bill).await,
                Err(error) => Err(error),
            };
            match made {
                Ok(Paid { in_thought: true, .. }) if self.model.headroom.was_too_little(headroom, room) => {}
                Ok(Paid { answered, .. }) => {
                    self.keep(id, &answered).await;
                    return Ok(Ended::Answered(answered));
                }
                Err(error) => match tries.go_on(self, error, bill).await {
                    Ok(wait) => sleep(wait).await,
                    Err(ended) => return Ok(ended),
                },
            }
        }
    }

    /// Leave to make a call of so many tokens, prompt and reply, unless the provider asks to wait for too long.
    pub(super) async fn admit(&self, tokens: u64) -> Result<Permit, ModelError> {
        let throttle = &self.model.throttle;
        tokio::select! {
            biased;
            permit = throttle.admit(tokens) => Ok(permit),
            asked = throttle.exhausted() => {
                let message = format!("{}: the provider asks to wait for {} s", self.name(), asked.as_secs());
                Err(ModelError::RateLimited { retry_after: Some(asked), message })
            }
        }
    }

    /// Makes the call once, and books what it cost.
    async fn make(
        &self,
        call: &Call,
        permit: Permit,
        tokens: u64,
        tries: &Tries,
        bill: &mut Bill,
    ) -> Result<Paid, ModelError> {
        let (started, span) = (Instant::now(), || span::of_call(self.name(), tries.number()));
        let result = self.answer(call, permit, tokens, span, bill).await;
        bill.usage.call_millis += started.elapsed().as_millis() as u64;
        match &result {
            Ok(paid) => {
                self.hedges.answered(self.name(), self.kind, started.elapsed());
                self.answered();
                self.pay(known(paid, tokens), bill);
            }
            Err(_) => bill.usage.calls_failed += 1,
        }
        result
    }

    /// Makes the call, and where it takes longer than most of its kind a second time, if the provider's limits have room
    /// for that at once. The first answer is taken; the other call is dropped, and has to be paid for all the same.
    async fn answer(
        &self,
        call: &Call,
        permit: Permit,
        tokens: u64,
        span: impl Fn() -> Span,
        bill: &mut Bill,
    ) -> Result<Paid, ModelError> {
        let mut first = pin!(self.attempt(call, permit, span()));
        let Some(patience) = self.hedges.patience(self.name(), self.kind) else { return first.await };
        if let Ok(result) = timeout(patience, &mut first).await {
            return result;
        }
        let room = self.model.throttle.admit(tokens + u64::from(call.max_reply_tokens)).now_or_never();
        let Some(permit) = room else { return first.await };
        bill.usage.calls_hedged += 1;
        let second = pin!(self.attempt(call, permit, span()));
        match select(first, second).await {
            Either::Left((Ok(answer), _)) | Either::Right((Ok(answer), _)) => {
                // What the dropped one would have said is not known; that it was asked is.
                self.pay(Usage { prompt_tokens: tokens, ..Usage::default() }, bill);
                Ok(answer)
            }
            Either::Left((Err(_), other)) => {
                bill.usage.calls_failed += 1;
                other.await
            }
            Either::Right((Err(_), other)) => {
                bill.usage.calls_failed += 1;
                other.await
            }
        }
    }

    pub(super) async fn attempt(&self, call: &Call, permit: Permit, span: Span) -> Result<Paid, ModelError> {
        let result = self.model.model.complete(call).instrument(span.clone()).await;
        span::tell(&span, &result);
        permit.done(outcome(&result));
        let result = paid(result);
        match &result {
            Ok(_) => measure::answered(self.kind, self.name()),
            Err(_) => measure::failed(self.kind, self.name()),
        }
        result
    }

    /// Before an answer is used, it is made safe: nobody pays for it twice. Where it can't be kept, it serves this task all
    /// the same.
    async fn keep(&self, id: CallId, answered: &Answered) {
        if let Err(error) = self.bus.keep_reply(id, wire::encode(answered).into()).await {
            tracing::warn!(call = %id, %error, "an answer that was paid for can't be kept");
        }
    }

    pub(super) fn pay(&self, usage: Usage, bill: &mut Bill) {
        bill.usage.calls += 1;
        bill.usage.prompt_tokens += usage.prompt_tokens;
        bill.usage.prompt_tokens_cached += usage.cached_prompt_tokens;
        bill.usage.reply_tokens += usage.reply_tokens;
        bill.usage.cost_micros += self.model.price.micros(usage);
    }
}

/// What the server says that was used, or where it says nothing what we count.
pub(super) fn known(paid: &Paid, prompt_tokens: u64) -> Usage {
    if paid.usage != Usage::default() {
        return paid.usage;
    }
    let reply_tokens = match &paid.answered {
        Answered::Text(text) => u64::from(count(text)),
        Answered::Cut | Answered::Empty | Answered::Refused(_) => 0,
    };
    Usage { prompt_tokens, reply_tokens, cached_prompt_tokens: 0 }
}

/// What the provider's limits learn from a call.
fn outcome(result: &Result<Reply, ModelError>) -> Outcome {
    match result {
        Err(ModelError::RateLimited { retry_after, .. }) => Outcome::RateLimited { retry_after: *retry_after },
        Err(ModelError::Unavailable { .. }) => Outcome::Unavailable,
        _ => Outcome::Ok,
    }
}

/// Parts what was answered, and so paid for, from what wasn't.
fn paid(result: Result<Reply, ModelError>) -> Result<Paid, ModelError> {
    let (answered, usage, in_thought) = match result {
        Ok(reply) => (Answered::Text(reply.text), reply.usage, false),
        Err(ModelError::Cut { in_thought, usage, .. }) => (Answered::Cut, usage, in_thought),
        Err(ModelError::Empty { usage, .. }) => (Answered::Empty, usage, false),
        Err(ModelError::Refused { reason, usage, .. }) => (Answered::Refused(reason), usage, false),
        Err(error) => return Err(error),
    };
    Ok(Paid { answered, usage, in_thought })
}
