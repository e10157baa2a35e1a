//! A call that failed: made again, given up, or left to others.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Bill,
    calling::{Ended, Line},
};
use crate::model::ModelError;

/// How a call has fared so far.
pub(super) struct Tries {
    began: Instant,
    /// When the provider first had too many calls.
    refused: Option<Instant>,
    refusals: u32,
    failures: u32,
}

impl Tries {
    pub fn new() -> Self {
        Self { began: Instant::now(), refused: None, refusals: 0, failures: 0 }
    }

    /// The number of the next try, from 1.
    pub fn number(&self) -> u32 {
        1 + self.failures + self.refusals
    }

    /// After what time the call is to be made again that failed like this, or how it has ended.
    pub async fn go_on(&mut self, line: &Line<'_>, error: ModelError, bill: &mut Bill) -> Result<Duration, Ended> {
        let reason = error.to_string();
        let (model, patience) = (line.name(), line.patience);
        let wait = match error {
            ModelError::TooLong { .. } => return Err(Ended::TooLong { reason }),
            ModelError::RateLimited { retry_after: Some(asked), .. } if asked > patience.rate_limited => {
                return Err(line.stopped(reason).await);
            }
            ModelError::RateLimited { retry_after, .. } => {
                // What came before the first refusal was waiting in line, not for the provider.
                let since = *self.refused.get_or_insert_with(Instant::now);
                self.refusals += 1;
                let wait = retry_after.unwrap_or_default().saturating_add(patience.pause(self.refusals));
                if since.elapsed().saturating_add(wait) > patience.rate_limited {
                    return Err(line.unanswered(since, reason, bill).await);
                }
                wait
            }
            ModelError::Unavailable { .. } => {
                self.failures += 1;
                if line.outages.begins(model) {
                    tracing::warn!(model, reason, "no answer; trying again");
                }
                let wait = patience.pause(self.failures);
                if self.failures >= patience.attempts {
                    let ended = line.unanswered(self.began, reason.clone(), bill).await;
                    let is_for_long = self.began.elapsed() + wait > line.longest_outage();
                    if !matches!(ended, Ended::Stopped { .. }) || is_for_long {
                        return Err(ended);
                    }
                }
                wait
            }
            ModelError::Rejected { .. } if line.is_there(self.began, bill).await => {
                return Err(Ended::Unanswered { reason });
            }
            // What no repetition will mend may be this one request's affair as well: a filter, a gateway. A key that was good
            // until now is not, so what the model answered before tells nothing.
            ModelError::Fatal { .. } if line.is_there(Instant::now(), bill).await => {
                return Err(Ended::Unanswered { reason });
            }
            _ => return Err(line.stopped(reason).await),
        };
        tracing::debug!(model, reason, ?wait, "the call will be made again");
        Ok(wait)
    }
}
