//! A call: read from the reply cache, or made within the provider's limits until an answer comes or retries end.

use tokio::time::{Instant, sleep};
use tributary_protocol::{
    budget::Window,
    bus::{Bus, BusError},
};

use super::{
    answer::{CallEnd, PaidAnswer},
    bill::TaskBill,
    health::ModelHealth,
    hedge::{CallLatencies, issue_hedged},
    reply_cache::{keep_answer, kept_answer},
    retry::CallRetries,
    single_flight::SingleFlight,
    telemetry,
};
use crate::{
    model::{ModelCall, ModelError},
    throttle::CallPermit,
};

/// Calls a model for the tasks of one kind.
pub(super) struct ModelCaller<'a> {
    pub bus: &'a dyn Bus,
    pub flights: &'a SingleFlight,
    pub latencies: &'a CallLatencies,
    pub health: ModelHealth<'a>,
}

impl ModelCaller<'_> {
    /// The number of times a flawed reply is sent back.
    pub fn repairs(&self) -> u32 {
        self.health.patience.repairs
    }

    /// Makes the call, unless its answer is in the reply cache.
    pub async fn call(&self, call: &ModelCall, window: Window, bill: &mut TaskBill) -> Result<CallEnd, BusError> {
        let issuer = self.health.issuer;
        let id = call.id(issuer.model_name());
        let _turn = self.flights.turn(id).await;
        if let Some(answer) = kept_answer(self.bus, id).await? {
            bill.usage.calls_from_cache += 1;
            telemetry::call_from_cache(issuer.kind, issuer.model_name());
            return Ok(CallEnd::Answered(answer));
        }
        let prompt_tokens = u64::from(call.prompt_tokens());
        let spare = window.usable().saturating_sub(call.prompt_tokens()).saturating_sub(call.max_reply_tokens);
        let reasoning = &issuer.model.reasoning_room;
        let mut retries = CallRetries::new();
        loop {
            let room = reasoning.within(spare);
            let call = &ModelCall { max_reply_tokens: call.max_reply_tokens + room, ..call.clone() };
            let result = match issuer.admit(prompt_tokens + u64::from(call.max_reply_tokens)).await {
                Ok(permit) => self.attempt(call, permit, prompt_tokens, &retries, bill).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(PaidAnswer { in_thought: true, .. }) if reasoning.was_too_little(room, spare) => {}
                Ok(PaidAnswer { answer, .. }) => {
                    keep_answer(self.bus, id, &answer).await;
                    return Ok(CallEnd::Answered(answer));
                }
                Err(error) => match retries.pause_after(error, &self.health, bill).await {
                    Ok(pause) => sleep(pause).await,
                    Err(end) => return Ok(end),
                },
            }
        }
    }

    /// Makes an attempt, hedged, and bills the cost.
    async fn attempt(
        &self,
        call: &ModelCall,
        permit: CallPermit,
        prompt_tokens: u64,
        retries: &CallRetries,
        bill: &mut TaskBill,
    ) -> Result<PaidAnswer, ModelError> {
        let issuer = self.health.issuer;
        let started = Instant::now();
        let span = || telemetry::call_span(issuer.model_name(), retries.next_attempt());
        let result = issue_hedged(issuer, self.latencies, call, permit, prompt_tokens, span, bill).await;
        bill.usage.call_millis += started.elapsed().as_millis() as u64;
        match &result {
            Ok(paid) => {
                self.latencies.record(issuer.model_name(), issuer.kind, started.elapsed());
                self.health.note_answer();
                bill.add_call(paid.usage(prompt_tokens), &issuer.model.price);
            }
            Err(_) => bill.add_failed_call(),
        }
        result
    }
}
