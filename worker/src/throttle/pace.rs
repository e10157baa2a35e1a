//! What was admitted within the last minute.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// A minute, and a second for calls that dawdle on their way into the provider's next one.
pub const WINDOW: Duration = Duration::from_secs(61);

/// Requests and tokens of a sliding window: however the provider lays its minutes, none holds more than the limits.
pub struct Pace {
    requests: usize,
    tokens: u64,
    admitted: VecDeque<(Instant, u64)>,
    tokens_admitted: u64,
}

impl Pace {
    /// 0 is no limit.
    pub fn new(requests: u32, tokens: u64) -> Self {
        Self { requests: requests as usize, tokens, admitted: VecDeque::new(), tokens_admitted: 0 }
    }

    /// Counts a call in, or says when it is worth asking again.
    pub fn admit(&mut self, now: Instant, tokens: u64) -> Result<(), Instant> {
        if self.requests == 0 && self.tokens == 0 {
            return Ok(());
        }
        self.forget(now);
        // A call that outgrows a whole minute's tokens has one of its own: the provider may say no, the throttle can't.
        let fits = |limit: u64, used: u64, more: u64| limit == 0 || used == 0 || used.saturating_add(more) <= limit;
        let requests_fit = self.requests == 0 || self.admitted.len() < self.requests;
        match self.admitted.front() {
            Some((first, _)) if !requests_fit || !fits(self.tokens, self.tokens_admitted, tokens) => {
                Err(*first + WINDOW)
            }
            _ => {
                self.admitted.push_back((now, tokens));
                self.tokens_admitted = self.tokens_admitted.saturating_add(tokens);
                Ok(())
            }
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(&(at, tokens)) = self.admitted.front()
            && now.duration_since(at) >= WINDOW
        {
            self.admitted.pop_front();
            self.tokens_admitted = self.tokens_admitted.saturating_sub(tokens);
        }
    }
}
