//! Hedging: a call slower than most of its kind is made a second time.

use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{Either, select},
};
use tokio::time::timeout;
use tracing::Span;
use tributary_protocol::task::Kind;

use super::{answer::PaidAnswer, bill::TaskBill, issuer::CallIssuer};
use crate::{
    model::{ModelCall, ModelError, TokenUsage},
    throttle::CallPermit,
};

/// The recent latencies of calls, by model and kind of task.
pub(super) struct CallLatencies {
    /// The share of calls given time to end; 0 gives every call all the time.
    share: f64,
    recent: Mutex<HashMap<(String, Kind), VecDeque<Duration>>>,
}

impl CallLatencies {
    /// Fewer calls than these tell too little of a model's speed.
    const FEWEST: usize = 20;

    /// Older latencies are forgotten: a provider is as fast as its latest calls.
    const MOST: usize = 200;

    pub fn new(share: f64) -> Self {
        Self { share, recent: Mutex::default() }
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<(String, Kind), VecDeque<Duration>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latency after which such a call is made a second time; none where calls are never hedged, or too few are known.
    fn hedge_after(&self, model: &str, kind: Kind) -> Option<Duration> {
        if self.share <= 0.0 {
            return None;
        }
        let recent = self.recent();
        let took = recent.get(&(model.to_owned(), kind)).filter(|took| took.len() >= Self::FEWEST)?;
        let mut took: Vec<Duration> = took.iter().copied().collect();
        let place = ((took.len() as f64 * self.share) as usize).min(took.len() - 1);
        Some(*took.select_nth_unstable(place).1)
    }

    /// Records the latency of a call. A hedged call counts from its first attempt: counted from the second, calls would
    /// seem faster with every hedge.
    pub fn record(&self, model: &str, kind: Kind, latency: Duration) {
        if self.share <= 0.0 {
            return;
        }
        let mut recent = self.recent();
        let took = recent.entry((model.to_owned(), kind)).or_default();
        took.push_back(latency);
        if took.len() > Self::MOST {
            took.pop_front();
        }
    }
}

/// Makes a call, and makes the call a second time where the first takes longer than most and the provider's limits admit
/// another at once. The first answer wins; the other call is dropped, and is paid for all the same.
pub(super) async fn issue_hedged(
    issuer: CallIssuer<'_>,
    latencies: &CallLatencies,
    call: &ModelCall,
    permit: CallPermit,
    prompt_tokens: u64,
    span: impl Fn() -> Span,
    bill: &mut TaskBill,
) -> Result<PaidAnswer, ModelError> {
    let mut first = pin!(issuer.issue(call, permit, span()));
    let Some(patience) = latencies.hedge_after(issuer.model_name(), issuer.kind) else { return first.await };
    if let Ok(result) = timeout(patience, &mut first).await {
        return result;
    }
    let room = issuer.model.throttle.admit(prompt_tokens + u64::from(call.max_reply_tokens)).now_or_never();
    let Some(permit) = room else { return first.await };
    bill.usage.calls_hedged += 1;
    let second = pin!(issuer.issue(call, permit, span()));
    match select(first, second).await {
        Either::Left((Ok(answer), _)) | Either::Right((Ok(answer), _)) => {
            // The reply of the dropped call will never be known; its prompt was sent.
            bill.add_call(TokenUsage { prompt_tokens, ..TokenUsage::default() }, &issuer.model.price);
            Ok(answer)
        }
        Either::Left((Err(_), other)) => {
            bill.add_failed_call();
            other.await
        }
        Either::Right((Err(_), other)) => {
            bill.add_failed_call();
            other.await
        }
    }
}
