//! The calls admitted within the last minute.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{ceiling::ENDLESS, share::LimitShare};

/// A minute, and a second for slow requests counted in the provider's next minute.
pub const WINDOW: Duration = Duration::from_secs(61);

/// Requests and tokens of a sliding window: however the provider lays its minutes, none holds more than the limits.
#[derive(Default)]
pub struct MinuteWindow {
    admitted: VecDeque<(Instant, u64)>,
    tokens_admitted: u64,
}

impl MinuteWindow {
    /// Counts a call in, or says when it is worth asking again: never by itself where there is none.
    pub fn admit(&mut self, now: Instant, tokens: u64, share: &LimitShare) -> Result<(), Option<Instant>> {
        if share.requests == ENDLESS && share.tokens == ENDLESS {
            return Ok(());
        }
        self.forget(now);
        // A call larger than a whole minute's tokens gets a minute of its own: only the provider may refuse such a call.
        let is_giant = tokens > share.all_tokens && share.tokens >= share.all_tokens && self.tokens_admitted == 0;
        let tokens_fit = is_giant || self.tokens_admitted.saturating_add(tokens) <= share.tokens;
        if !tokens_fit || self.admitted.len() as u64 >= share.requests {
            return Err(self.admitted.front().map(|(first, _)| *first + WINDOW));
        }
        self.admitted.push_back((now, tokens));
        self.tokens_admitted = self.tokens_admitted.saturating_add(tokens);
        Ok(())
    }

    /// The requests and tokens of the last minute, and the tokens of the largest request.
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
