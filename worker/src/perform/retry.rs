//! Retries: a failed call is made again, given up, or left to peers.

pub(super) mod patience;

use std::time::Duration;

use tokio::time::Instant;

use super::{answer::CallEnd, bill::TaskBill, health::ModelHealth};
use crate::model::ModelError;

/// The failures of a call so far.
pub(super) struct CallRetries {
    began: Instant,
    /// The time of the provider's first refusal for a rate limit.
    first_refusal: Option<Instant>,
    refusals: u32,
    failures: u32,
}

impl CallRetries {
    pub fn new() -> Self {
        Self { began: Instant::now(), first_refusal: None, refusals: 0, failures: 0 }
    }

    /// The number of the next attempt, from 1.
    pub fn next_attempt(&self) -> u32 {
        1 + self.failures + self.refusals
    }

    /// The pause before the next attempt after this error, or the end of the call.
    pub async fn pause_after(
        &mut self,
        error: ModelError,
        health: &ModelHealth<'_>,
        bill: &mut TaskBill,
    ) -> Result<Duration, CallEnd> {
        let reason = error.to_string();
        let (model, patience) = (health.issuer.model_name(), health.patience);
        let pause = match error {
            ModelError::TooLong { .. } => return Err(CallEnd::TooLong { reason }),
            ModelError::RateLimited { retry_after: Some(asked), .. } if asked > patience.rate_limited => {
                return Err(health.stopped(reason).await);
            }
            ModelError::RateLimited { retry_after, .. } => {
                // Before the first refusal the call waited in line here, not for the provider.
                let since = *self.first_refusal.get_or_insert_with(Instant::now);
                self.refusals += 1;
                let pause = retry_after.unwrap_or_default().saturating_add(patience.pause(self.refusals));
                if since.elapsed().saturating_add(pause) > patience.rate_limited {
                    return Err(health.unanswered(since, reason, bill).await);
                }
                pause
            }
            ModelError::Unavailable { .. } => {
                self.failures += 1;
                if health.note_failure() {
                    tracing::warn!(model, reason, "the model does not answer; calls are retried");
                }
                let pause = patience.pause(self.failures);
                if self.failures >= patience.attempts {
                    let end = health.unanswered(self.began, reason.clone(), bill).await;
                    let is_too_long = self.began.elapsed() + pause > health.longest_outage();
                    if !matches!(end, CallEnd::Stopped { .. }) || is_too_long {
                        return Err(end);
                    }
                }
                pause
            }
            ModelError::Rejected { .. } if health.answers(self.began, bill).await => {
                return Err(CallEnd::Unanswered { reason });
            }
            // A final failure may concern this request alone: a filter, a gateway. A key may have been good until now
            // and bad from now on, so earlier answers prove nothing.
            ModelError::Fatal { .. } if health.answers(Instant::now(), bill).await => {
                return Err(CallEnd::Unanswered { reason });
            }
            _ => return Err(health.stopped(reason).await),
        };
        tracing::debug!(model, reason, ?pause, "the call will be retried");
        Ok(pause)
    }
}
