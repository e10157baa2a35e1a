//! What was admitted within the last minute.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{share::Share, shares::ENDLESS};

/// A minute, and a second for calls that dawdle on their way into the provider's next one.
pub const WINDOW: Duration = Duration::from_secs(61);

/// Requests and tokens of a sliding window: however the provider lays its minutes, none holds more than the limits.
#[derive(Default)]
pub struct Pace {
    admitted: VecDeque<(Instant, u64)>,
    tokens_admitted: u64,
}

impl Pace {
    /// Counts a call in, or says when it is worth asking again: never by itself where there is none.
    pub fn admit(&mut self, now: Instant, tokens: u64, share: &Share) -> Result<(), Option<Instant>> {
        if share.requests == ENDLESS && share.tokens == ENDLESS {
            return Ok(());
        }
        self.forget(now);
        // A call that outgrows a whole minute's tokens has one of its own: the provider may say no, the throttle can't.
        let is_giant = tokens > share.all_tokens && share.tokens >= share.all_tokens && self.tokens_admitted == 0;
        let tokens_fit = is_giant || self.tokens_admitted.saturating_add(tokens) <= share.tokens;
        if !tokens_fit || self.admitted.len() as u64 >= share.requests {
            return Err(self.admitted.front().map(|(first, _)| *first + WINDOW));
        }
        self.admitted.push_back((now, tokens));
        self.tokens_admitted = self.tokens_admitted.saturating_add(tokens);
        Ok(())
    }

    /// The requests and tokens of the last minute, and the most tokens of one of them.
    pub fn used(&mut self, now: Instant) -> (u64, u64, u64) {
        self.forget(now);
        let largest = self.admitted.iter().map(|(_, tokens)| *tokens).max().unwrap_or(0);
        (self.admitted.len() as u64, self.tokens_admitted, largest)
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
