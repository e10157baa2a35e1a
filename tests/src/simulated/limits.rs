//! The provider's limits: calls in flight, and calls and tokens per minute.

use super::settings::Settings;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The reason for refusing a call.
#[derive(Debug)]
pub struct Refused {
    /// The limit reached by the call.
    pub ceiling: &'static str,
    /// The time to wait before a retry.
    pub retry_after: Duration,
}

/// The counts checked against the limits. The minute slides: no span of a minute exceeds a limit.
#[derive(Default)]
pub struct Ceilings {
    in_flight: usize,
    requests: VecDeque<Instant>,
    spendings: VecDeque<(Instant, usize)>,
    spent: usize,
}

impl Ceilings {
    /// Admits a call and returns the calls in flight, including the new call. The error names the limit reached.
    pub fn enter(&mut self, settings: &Settings, now: Instant) -> Result<usize, Refused> {
        if settings.max_in_flight.is_some_and(|most| self.in_flight >= most) {
            return Err(Refused { ceiling: "calls in flight", retry_after: Duration::from_millis(500) });
        }
        self.forget(settings, now);
        if let Some(most) = settings.requests_per_minute {
            if self.requests.len() >= most {
                let retry_after = self.requests.front().map_or(minute(settings), |&first| left(settings, first, now));
                return Err(Refused { ceiling: "requests per minute", retry_after });
            }
            self.requests.push_back(now);
        }
        self.in_flight += 1;
        Ok(self.in_flight)
    }

    /// Counts an admitted call's tokens. If the tokens exceed the limit, uncounts the request and returns an error.
    pub fn spend(&mut self, settings: &Settings, now: Instant, tokens: usize) -> Result<(), Refused> {
        let Some(most) = settings.tokens_per_minute else { return Ok(()) };
        self.forget(settings, now);
        if self.spent + tokens > most {
            self.requests.pop_back();
            return Err(Refused { ceiling: "tokens per minute", retry_after: self.wait_for(settings, now, tokens) });
        }
        self.spendings.push_back((now, tokens));
        self.spent += tokens;
        Ok(())
    }

    /// Records the end of an admitted call.
    pub fn leave(&mut self) {
        self.in_flight -= 1;
    }

    /// Returns the current calls in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Drops all counts older than a minute.
    fn forget(&mut self, settings: &Settings, now: Instant) {
        let is_old = |then: Instant| now.duration_since(then) >= minute(settings);
        while self.requests.front().is_some_and(|&then| is_old(then)) {
            self.requests.pop_front();
        }
        while let Some(&(_, tokens)) = self.spendings.front().filter(|spending| is_old(spending.0)) {
            self.spent -= tokens;
            self.spendings.pop_front();
        }
    }

    /// Returns the time until `tokens` tokens are allowed.
    fn wait_for(&self, settings: &Settings, now: Instant, tokens: usize) -> Duration {
        let mut excess = (self.spent + tokens).saturating_sub(settings.tokens_per_minute.unwrap_or(usize::MAX));
        for &(then, spent) in &self.spendings {
            if spent >= excess {
                return left(settings, then, now);
            }
            excess -= spent;
        }
        minute(settings)
    }
}

/// Returns the length of the provider's minute.
fn minute(settings: &Settings) -> Duration {
    Duration::try_from_secs_f64(settings.minute).unwrap_or(Duration::from_secs(60))
}

/// Returns the time for which a count from `then` stays relevant.
fn left(settings: &Settings, then: Instant, now: Instant) -> Duration {
    minute(settings).saturating_sub(now.duration_since(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_holds_more_requests_than_the_ceiling() {
        let settings = Settings { requests_per_minute: Some(2), ..Settings::default() };
        let (mut ceilings, start) = (Ceilings::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(ceilings.enter(&settings, at(0)).is_ok());
        assert!(ceilings.enter(&settings, at(40)).is_ok());
        let refused = ceilings.enter(&settings, at(50)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(10));
        assert!(ceilings.enter(&settings, at(60)).is_ok());
        assert!(ceilings.enter(&settings, at(61)).is_err());
    }

    #[test]
    fn tokens_come_back_after_a_minute() {
        let settings = Settings { tokens_per_minute: Some(100), ..Settings::default() };
        let (mut ceilings, start) = (Ceilings::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(ceilings.spend(&settings, at(0), 30).is_ok());
        assert!(ceilings.spend(&settings, at(10), 60).is_ok());
        let refused = ceilings.spend(&settings, at(20), 50).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(50));
        assert!(ceilings.spend(&settings, at(70), 50).is_ok());
    }
}
