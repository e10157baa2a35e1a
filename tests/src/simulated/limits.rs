//! The provider's ceilings: calls in flight, and calls and tokens in any minute.

use super::settings::Settings;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a refused call is told.
#[derive(Debug)]
pub struct Refused {
    /// The ceiling that it hit.
    pub ceiling: &'static str,
    /// When it may try again.
    pub retry_after: Duration,
}

/// What is counted against the ceilings. The minute slides: no span of that length holds more than the ceiling.
#[derive(Default)]
pub struct Ceilings {
    in_flight: usize,
    requests: VecDeque<Instant>,
    spendings: VecDeque<(Instant, usize)>,
    spent: usize,
}

impl Ceilings {
    /// Lets a call in, or says which ceiling it hit. Returns the calls in flight with it.
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

    /// Spends an entered call's tokens, or takes its request back and says that they are too many.
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

    /// An entered call has ended.
    pub fn leave(&mut self) {
        self.in_flight -= 1;
    }

    /// The calls in flight now.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Drops what is more than a minute old.
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

    /// How long until so many tokens may be spent.
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

/// How long the provider's minute lasts.
fn minute(settings: &Settings) -> Duration {
    Duration::try_from_secs_f64(settings.minute).unwrap_or(Duration::from_secs(60))
}

/// How long something of `then` still counts.
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
