//! The health of a model: distinguishes an outage from a single failed call.

mod outages;

use std::time::Duration;

use tokio::time::{Instant, timeout};

pub(super) use self::outages::ModelOutages;
use super::{
    answer::CallEnd, bill::TaskBill, issuer::CallIssuer, peers::Peers, retry::patience::RetryPatience, telemetry,
};
use crate::model::{ModelError, trial};

/// The time for which a call's result holds for other calls too. By the final failure of a first call, an outage is
/// older.
const JUST_NOW: Duration = Duration::from_secs(3);

/// The longest wait for a tiny call on behalf of a peer.
const PEER_PATIENCE: Duration = Duration::from_secs(50);

/// Tells whether a model answers at all, to this worker or to a peer.
pub(super) struct ModelHealth<'a> {
    pub issuer: CallIssuer<'a>,
    pub outages: &'a ModelOutages,
    pub patience: &'a RetryPatience,
    pub peers: Option<&'a Peers>,
}

impl ModelHealth<'_> {
    /// The longest outage of this model tolerated by calls.
    pub fn longest_outage(&self) -> Duration {
        let has_answered = self.outages.has_answered(self.issuer.model_name());
        if has_answered { self.patience.outage } else { self.patience.first_answer }
    }

    /// Records that a call failed for want of an answer. True for the first such call since the model answered.
    pub fn note_failure(&self) -> bool {
        self.outages.begins(self.issuer.model_name())
    }

    /// Records an answer of the model.
    pub fn note_answer(&self) {
        self.outages.answered(self.issuer.model_name());
        if let Some(peers) = self.peers {
            peers.model_answered(self.issuer.model_name());
        }
    }

    /// The end of a call without an answer. Where the model answers other calls, this task alone goes without a reply.
    /// Otherwise the model is out of order, and no task should suffer for that.
    pub async fn unanswered(&self, since: Instant, reason: String, bill: &mut TaskBill) -> CallEnd {
        match self.answers(since, bill).await {
            true => CallEnd::Unanswered { reason },
            false => self.stopped(format!("{} isn't answering: {reason}", self.issuer.model_name())).await,
        }
    }

    /// The end of a call to a model unusable for this worker: the task is left to a capable peer, or the job stops.
    pub async fn stopped(&self, reason: String) -> CallEnd {
        match self.peers {
            Some(peers) if peers.can_use(self.issuer.model_name(), self.issuer.kind, &reason).await => {
                CallEnd::LeftToPeers
            }
            _ => CallEnd::Stopped { reason },
        }
    }

    /// Reports whether the model has answered any call since then, or answers a tiny call now.
    pub async fn answers(&self, since: Instant, bill: &mut TaskBill) -> bool {
        self.try_out(since, bill).await.is_ok()
    }

    /// Reports whether the model can be used, to a peer with a question since `asked`. Refusals for a rate limit count
    /// as usable.
    pub async fn is_usable(&self, asked: Instant) -> bool {
        let lately = asked.checked_sub(JUST_NOW).unwrap_or(asked);
        let model = self.issuer.model_name();
        if self.outages.was_tried_in_vain_since(model, lately) {
            return false;
        }
        match timeout(PEER_PATIENCE, self.try_out(lately, &mut TaskBill::default())).await {
            Ok(Ok(()) | Err(ModelError::RateLimited { retry_after: None, .. })) => true,
            Ok(Err(ModelError::RateLimited { retry_after: Some(asked), .. })) => asked <= self.patience.rate_limited,
            Ok(Err(_)) | Err(_) => {
                self.outages.tried_in_vain(model);
                false
            }
        }
    }

    /// Makes a tiny call, unless the model answers any call from `since` until the tiny call is admitted.
    async fn try_out(&self, since: Instant, bill: &mut TaskBill) -> Result<(), ModelError> {
        let (call, model) = (trial::call(), self.issuer.model_name());
        if self.outages.has_answered_since(model, since) {
            return Ok(());
        }
        let prompt_tokens = u64::from(call.prompt_tokens());
        let permit = self.issuer.admit(prompt_tokens + u64::from(call.max_reply_tokens)).await?;
        if self.outages.has_answered_since(model, since) {
            return Ok(());
        }
        match self.issuer.issue(&call, permit, telemetry::call_span(model, 1)).await {
            Ok(paid) => {
                self.note_answer();
                bill.add_call(paid.usage(prompt_tokens), &self.issuer.model.price);
                Ok(())
            }
            Err(error) => {
                bill.add_failed_call();
                Err(error)
            }
        }
    }
}
