//! Statistics of the served calls.

use super::call::CallId;
use super::log::Entry;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The status of a call with a good reply.
pub const OK: &str = "ok";

/// The statistics of a simulated model. Also served as JSON at `GET /stats`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The received calls, with any result.
    pub received: u64,
    /// The calls with a good reply.
    pub answered: u64,
    /// The distinct calls with a good reply.
    pub answered_distinct: u64,
    /// The good replies to calls that had a good reply before: calls paid twice.
    pub answered_again: u64,
    /// The calls without a good reply, by result: `500`, `503`, `hang_up`, `torn_reply`, `stall`, `cut`, `refusal`,
    /// `garbage:...`, `rate_limited`, `window`, `response_format`, `unauthorised`, `bad_request`, `abandoned`.
    pub failed: BTreeMap<String, u64>,
    /// The calls refused with a 429.
    pub rate_limited: u64,
    /// The replies that followed an injected instruction.
    pub injections_obeyed: u64,
    /// The prompt tokens of calls with a reply, good or bad.
    pub prompt_tokens: u64,
    /// The prompt tokens served from the prefix cache.
    pub cached_tokens: u64,
    /// The reply tokens, of good and bad replies.
    pub reply_tokens: u64,
    /// The calls in flight at the time of reading.
    pub in_flight: u64,
    /// The most calls ever in flight together.
    pub max_in_flight: u64,
    /// The seconds in flight, summed over calls.
    pub busy_seconds: f64,
    /// The time of the first call, in seconds since 1970.
    pub first_call: Option<f64>,
    /// The time of the latest end of a call, in seconds since 1970.
    pub last_call: Option<f64>,
}

impl Stats {
    /// Returns the number of calls without a good reply.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Returns the number of calls with a garbage reply.
    pub fn garbage(&self) -> u64 {
        self.failed.iter().filter(|(kind, _)| kind.starts_with("garbage:")).map(|(_, count)| count).sum()
    }
}

/// The statistics, and the counts behind them.
#[derive(Default)]
pub struct Book {
    stats: Stats,
    arrivals: HashMap<CallId, u32>,
    answers: HashMap<CallId, u32>,
}

impl Book {
    /// Records the arrival of a request.
    pub fn receive(&mut self, now: f64) {
        self.stats.received += 1;
        self.stats.first_call.get_or_insert(now);
    }

    /// Records the refusal of a request without a slot.
    pub fn turn_away(&mut self, status: &str, now: f64) {
        self.fail(status);
        self.stats.last_call = Some(now);
    }

    /// Records the number of calls in flight.
    pub fn see_in_flight(&mut self, count: usize) {
        self.stats.max_in_flight = self.stats.max_in_flight.max(count as u64);
    }

    /// Returns the number of earlier admissions of this call.
    pub fn attempts(&self, call: CallId) -> u32 {
        self.arrivals.get(&call).copied().unwrap_or_default()
    }

    /// Records another admission of this call.
    pub fn arrive(&mut self, call: CallId) {
        *self.arrivals.entry(call).or_default() += 1;
    }

    /// Records a reply that follows an injected instruction.
    pub fn obey(&mut self) {
        self.stats.injections_obeyed += 1;
    }

    /// Records the end of an admitted call.
    pub fn close(&mut self, call: CallId, entry: &Entry, seconds: f64) {
        self.stats.busy_seconds += seconds;
        self.stats.last_call = Some(entry.end);
        self.stats.prompt_tokens += entry.prompt_tokens as u64;
        self.stats.cached_tokens += entry.cached_tokens as u64;
        self.stats.reply_tokens += entry.reply_tokens as u64;
        if entry.status == OK { self.answer(call) } else { self.fail(entry.status) }
    }

    /// Returns the current statistics.
    pub fn stats(&self, in_flight: usize) -> Stats {
        Stats { in_flight: in_flight as u64, ..self.stats.clone() }
    }

    fn answer(&mut self, call: CallId) {
        let answers = self.answers.entry(call).or_default();
        *answers += 1;
        self.stats.answered += 1;
        self.stats.answered_distinct += u64::from(*answers == 1);
        self.stats.answered_again += u64::from(*answers > 1);
    }

    fn fail(&mut self, status: &str) {
        *self.stats.failed.entry(status.to_owned()).or_default() += 1;
        self.stats.rate_limited += u64::from(status == "rate_limited");
    }
}
