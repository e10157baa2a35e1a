//! One call: from the reply cache, or made within the provider's limits, again and again where it may help.

use std::{pin::pin, time::Duration};

use futures::{
    FutureExt,
    future::{Either, select},
};
use metrics::counter;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};
use tracing::{Instrument as _, Span};
use tributary_protocol::{
    budget::count,
    bus::{Bus, BusError},
    id::CallId,
    task::Kind,
    wire,
};

use super::{Bill, hedge::Hedges, models::Connected, outage::Outages, patience::Patience, span, turns::Turns};
use crate::{
    kernel::prompt_tokens,
    model::{Call, ModelError, Reply, Usage, trial},
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
}

/// What was paid for, and is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answered {
    Text(String),
    Cut,
    Empty,
    Refused(String),
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
}

impl Line<'_> {
    /// Makes the call, unless its answer is known.
    pub async fn call(&self, call: &Call, bill: &mut Bill) -> Result<Ended, BusError> {
        let name = self.model.model.name();
        let id = call.id(name);
        let _turn = self.turns.of(id).await;
        if let Some(bytes) = self.bus.reply(id).await?
            && let Ok(answered) = wire::decode(&bytes)
        {
            bill.usage.calls_from_cache += 1;
            return Ok(Ended::Answered(answered));
        }
        let tokens = u64::from(prompt_tokens(call));
        let (began, mut refused, mut failures, mut pauses) = (Instant::now(), None::<Instant>, 0, 0);
        loop {
            let permit = self.model.throttle.admit(tokens + u64::from(call.max_reply_tokens)).await;
            let (started, span) = (Instant::now(), || span::of_call(name, 1 + failures + pauses));
            let result = self.answer(call, permit, tokens, span, bill).await;
            bill.usage.call_millis += started.elapsed().as_millis() as u64;
            if result.is_ok() {
                self.hedges.answered(name, self.kind, started.elapsed());
            }
            let error = match result {
                Ok((answered, usage)) => {
                    self.keep(id, &answered).await;
                    self.outages.answered(name);
                    self.pay(known(usage, tokens, &answered), bill);
                    return Ok(Ended::Answered(answered));
                }
                Err(error) => error,
            };
            bill.usage.calls_failed += 1;
            let reason = error.to_string();
            let wait = match error {
                ModelError::TooLong { .. } => return Ok(Ended::TooLong { reason }),
                ModelError::RateLimited { retry_after, .. } => {
                    // What came before the first refusal was waiting in line, not for the provider.
                    let since = *refused.get_or_insert_with(Instant::now);
                    pauses += 1;
                    let wait = retry_after.unwrap_or_default().saturating_add(self.patience.pause(pauses));
                    if since.elapsed().saturating_add(wait) > self.patience.rate_limited {
                        return Ok(self.unanswered(since, reason, bill).await);
                    }
                    wait
                }
                ModelError::Unavailable { .. } => {
                    failures += 1;
                    if self.outages.begins(name) {
                        tracing::warn!(model = name, reason, "no answer; trying again");
                    }
                    let wait = self.patience.pause(failures);
                    if failures >= self.patience.attempts {
                        let ended = self.unanswered(began, reason.clone(), bill).await;
                        if matches!(ended, Ended::Unanswered { .. }) || began.elapsed() + wait > self.longest_outage() {
                            return Ok(ended);
                        }
                    }
                    wait
                }
                ModelError::Rejected { .. } if self.is_there(began, bill).await => {
                    return Ok(Ended::Unanswered { reason });
                }
                _ => return Ok(Ended::Stopped { reason }),
            };
            tracing::debug!(model = name, reason, ?wait, "the call will be made again");
            sleep(wait).await;
        }
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
    ) -> Result<(Answered, Usage), ModelError> {
        let mut first = pin!(self.attempt(call, permit, span()));
        let Some(patience) = self.hedges.patience(self.model.model.name(), self.kind) else { return first.await };
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

    async fn attempt(&self, call: &Call, permit: Permit, span: Span) -> Result<(Answered, Usage), ModelError> {
        let result = self.model.model.complete(call).instrument(span.clone()).await;
        span::tell(&span, &result);
        permit.done(outcome(&result));
        let result = told(result);
        if result.is_err() {
            // At once: a task that waits for a model which is away may not end for long.
            counter!("tributary_calls_total", "kind" => self.kind.name(), "result" => "failed").increment(1);
        }
        result
    }

    /// Before anything else is done with an answer, it is made safe: nobody pays for it twice. Where it can't be kept, it
    /// serves this task all the same.
    async fn keep(&self, id: CallId, answered: &Answered) {
        if let Err(error) = self.bus.keep_reply(id, wire::encode(answered).into()).await {
            tracing::warn!(call = %id, %error, "an answer that was paid for can't be kept");
        }
    }

    fn pay(&self, usage: Usage, bill: &mut Bill) {
        bill.usage.calls += 1;
        bill.usage.prompt_tokens += usage.prompt_tokens;
        bill.usage.prompt_tokens_cached += usage.cached_prompt_tokens;
        bill.usage.reply_tokens += usage.reply_tokens;
        bill.usage.cost_micros += self.model.price.micros(usage);
    }

    /// How long a model is waited for that answers nobody.
    fn longest_outage(&self) -> Duration {
        let has_answered = self.outages.has_answered(self.model.model.name());
        if has_answered { self.patience.outage } else { self.patience.first_answer }
    }

    /// Where the model answers others the call has had bad luck, and its task goes without. Otherwise nobody is there to
    /// answer, and no task should go without for that.
    async fn unanswered(&self, since: Instant, reason: String, bill: &mut Bill) -> Ended {
        match self.is_there(since, bill).await {
            true => Ended::Unanswered { reason },
            false => Ended::Stopped { reason: format!("{} isn't answering: {reason}", self.model.model.name()) },
        }
    }

    /// Whether the model has answered anything since then, or answers a tiny call now.
    pub async fn is_there(&self, since: Instant, bill: &mut Bill) -> bool {
        let (call, name) = (trial::call(), self.model.model.name());
        if self.outages.has_answered_since(name, since) {
            return true;
        }
        let tokens = u64::from(prompt_tokens(&call));
        let permit = self.model.throttle.admit(tokens + u64::from(call.max_reply_tokens)).await;
        match self.attempt(&call, permit, span::of_call(name, 1)).await {
            Ok((answered, usage)) => {
                self.outages.answered(name);
                self.pay(known(usage, tokens, &answered), bill);
                true
            }
            Err(_) => {
                bill.usage.calls_failed += 1;
                false
            }
        }
    }
}

/// What the server says that was used, or where it says nothing what we count.
fn known(usage: Usage, prompt_tokens: u64, answered: &Answered) -> Usage {
    if usage != Usage::default() {
        return usage;
    }
    let reply_tokens = match answered {
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
fn told(result: Result<Reply, ModelError>) -> Result<(Answered, Usage), ModelError> {
    match result {
        Ok(reply) => Ok((Answered::Text(reply.text), reply.usage)),
        Err(ModelError::Cut { usage, .. }) => Ok((Answered::Cut, usage)),
        Err(ModelError::Empty { usage, .. }) => Ok((Answered::Empty, usage)),
        Err(ModelError::Refused { reason, usage, .. }) => Ok((Answered::Refused(reason), usage)),
        Err(error) => Err(error),
    }
}
