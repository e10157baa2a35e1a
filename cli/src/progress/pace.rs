//! Estimates the speed and the remaining time of a stage.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The period that counts for the speed: long enough to even out slow calls, short enough to notice a rate limit.
const WINDOW: Duration = Duration::from_secs(60);

/// The number of ended tasks at moments of the last [`WINDOW`]. Tasks that ended before the first observation, in an
/// earlier run, don't count for the speed.
#[derive(Default)]
pub struct Pace {
    seen: VecDeque<(Instant, u64)>,
}

impl Pace {
    pub fn observe(&mut self, now: Instant, ended: u64) {
        self.seen.push_back((now, ended));
        while self.seen.len() > 2 && now.duration_since(self.seen[1].0) >= WINDOW {
            self.seen.pop_front();
        }
    }

    /// Estimates the time for `remaining` tasks. `None` before a task has ended.
    pub fn left(&self, remaining: u64) -> Option<Duration> {
        let (&(first, before), &(last, ended)) = (self.seen.front()?, self.seen.back()?);
        let done = ended.checked_sub(before).filter(|done| *done > 0)?;
        let each = last.duration_since(first).as_secs_f64() / done as f64;
        Duration::try_from_secs_f64(each * remaining as f64).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_follows_the_pace_of_the_last_minute_and_not_of_an_earlier_run() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::default();
        pace.observe(at(0), 500);
        assert_eq!(pace.left(10), None);
        pace.observe(at(10), 520);
        assert_eq!(pace.left(10), Some(Duration::from_secs(5)));
        for seconds in 11..200 {
            pace.observe(at(seconds), 520 + (seconds - 10) * 10);
        }
        assert_eq!(pace.left(100), Some(Duration::from_secs(10)));
    }
}
