//! Whether a model is there at all: what tells one call's bad luck from an outage.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{
    Bill,
    calling::{Ended, Line, known},
    span,
};
use crate::model::{ModelError, trial};

/// What came of a call within this time would come of another. An outage is older when the first call fails for good.
const JUST_NOW: Duration = Duration::from_secs(3);

/// The longest that a tiny call is waited for, for another worker's sake.
const PATIENCE: Duration = Duration::from_secs(50);

impl Line<'_> {
    /// How long a model is waited for that answers nobody.
    pub(super) fn longest_outage(&self) -> Duration {
        let has_answered = self.outages.has_answered(self.name());
        if has_answered { self.patience.outage } else { self.patience.first_answer }
    }

    /// Where the model answers others the call has had bad luck, and its task goes without. Otherwise nobody is there to
    /// answer, and no task should go without for that.
    pub(super) async fn unanswered(&self, since: Instant, reason: String, bill: &mut Bill) -> Ended {
        match self.is_there(since, bill).await {
            true => Ended::Unanswered { reason },
            false => self.stopped(format!("{} isn't answering: {reason}", self.name())).await,
        }
    }

    /// The model can't be used here. Its tasks are left to other workers, if any of them can use it.
    pub(super) async fn stopped(&self, reason: String) -> Ended {
        match self.others {
            Some(others) if others.can_use(self.name(), self.kind, &reason).await => Ended::Left,
            _ => Ended::Stopped { reason },
        }
    }

    /// Whether the model has answered anything since then, or answers a tiny call now.
    pub(super) async fn is_there(&self, since: Instant, bill: &mut Bill) -> bool {
        self.try_out(since, bill).await.is_ok()
    }

    /// Whether the model can be used, for the sake of another worker who has asked at this time. Who has too many calls is
    /// there.
    pub async fn is_usable(&self, asked: Instant) -> bool {
        let lately = asked.checked_sub(JUST_NOW).unwrap_or(asked);
        if self.outages.was_tried_in_vain_since(self.name(), lately) {
            return false;
        }
        match timeout(PATIENCE, self.try_out(lately, &mut Bill::default())).await {
            Ok(Ok(()) | Err(ModelError::RateLimited { retry_after: None, .. })) => true,
            Ok(Err(ModelError::RateLimited { retry_after: Some(asked), .. })) => asked <= self.patience.rate_limited,
            Ok(Err(_)) | Err(_) => {
                self.outages.tried_in_vain(self.name());
                false
            }
        }
    }

    /// Makes a tiny call, unless the model answers anything from `since` until its turn comes.
    async fn try_out(&self, since: Instant, bill: &mut Bill) -> Result<(), ModelError> {
        let (call, name) = (trial::call(), self.name());
        if self.outages.has_answered_since(name, since) {
            return Ok(());
        }
        let tokens = u64::from(call.prompt_tokens());
        let permit = self.admit(tokens + u64::from(call.max_reply_tokens)).await?;
        if self.outages.has_answered_since(name, since) {
            return Ok(());
        }
        match self.attempt(&call, permit, span::of_call(name, 1)).await {
            Ok(paid) => {
                self.answered();
                self.pay(known(&paid, tokens), bill);
                Ok(())
            }
            Err(error) => {
                bill.usage.calls_failed += 1;
                Err(error)
            }
        }
    }

    /// The model has answered.
    pub(super) fn answered(&self) {
        self.outages.answered(self.name());
        if let Some(others) = self.others {
            others.answered(self.name());
        }
    }
}
