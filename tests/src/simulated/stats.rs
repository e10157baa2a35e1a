//! What the model remembers of the calls that it has seen.

use super::call::CallId;
use super::log::Entry;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The status of a call that got a good reply.
pub const OK: &str = "ok";

/// What a simulated model has seen and done. Also served as JSON at `GET /stats`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls that arrived, whatever became of them.
    pub received: u64,
    /// Calls that got a good reply.
    pub answered: u64,
    /// Different calls that got a good reply.
    pub answered_distinct: u64,
    /// Good replies to calls that had got one before: what was paid twice.
    pub answered_again: u64,
    /// Calls that got no good reply, by what they got: `500`, `503`, `hang_up`, `torn_reply`, `stall`, `cut`,
    /// `refusal`, `garbage:...`, `rate_limited`, `window`, `response_format`, `unauthorised`, `bad_request`,
    /// `abandoned`.
    pub failed: BTreeMap<String, u64>,
    /// Calls refused with a 429.
    pub rate_limited: u64,
    /// Replies that followed an injected instruction.
    pub injections_obeyed: u64,
    /// Prompt tokens of the calls that got a reply, good or not.
    pub prompt_tokens: u64,
    /// Of these, those that the prefix cache served.
    pub cached_tokens: u64,
    /// Reply tokens, of good replies or not.
    pub reply_tokens: u64,
    /// Calls in flight when the statistics were read.
    pub in_flight: u64,
    /// The most calls that were ever in flight together.
    pub max_in_flight: u64,
    /// The seconds that calls were in flight, summed over calls.
    pub busy_seconds: f64,
    /// When the first call came in, in seconds since 1970.
    pub first_call: Option<f64>,
    /// When the last call to end so far ended, in seconds since 1970.
    pub last_call: Option<f64>,
}

impl Stats {
    /// The calls that got no good reply, in all ways together.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// The calls with garbage replies, of all kinds together.
    pub fn garbage(&self) -> u64 {
        self.failed.iter().filter(|(kind, _)| kind.starts_with("garbage:")).map(|(_, count)| count).sum()
    }
}

/// The statistics with what they are made from.
#[derive(Default)]
pub struct Book {
    stats: Stats,
    arrivals: HashMap<CallId, u32>,
    answers: HashMap<CallId, u32>,
}

impl Book {
    /// A request arrived.
    pub fn receive(&mut self, now: f64) {
        self.stats.received += 1;
        self.stats.first_call.get_or_insert(now);
    }

    /// A request was turned away before it got a slot.
    pub fn turn_away(&mut self, status: &str, now: f64) {
        self.fail(status);
        self.stats.last_call = Some(now);
    }

    /// So many calls are in flight.
    pub fn see_in_flight(&mut self, count: usize) {
        self.stats.max_in_flight = self.stats.max_in_flight.max(count as u64);
    }

    /// How often this call has been let in before.
    pub fn attempts(&self, call: CallId) -> u32 {
        self.arrivals.get(&call).copied().unwrap_or_default()
    }

    /// This call is let in once more.
    pub fn arrive(&mut self, call: CallId) {
        *self.arrivals.entry(call).or_default() += 1;
    }

    /// The reply follows an injected instruction.
    pub fn obey(&mut self) {
        self.stats.injections_obeyed += 1;
    }

    /// A call that was let in has ended.
    pub fn close(&mut self, call: CallId, entry: &Entry, seconds: f64) {
        self.stats.busy_seconds += seconds;
        self.stats.last_call = Some(entry.end);
        self.stats.prompt_tokens += entry.prompt_tokens as u64;
        self.stats.cached_tokens += entry.cached_tokens as u64;
        self.stats.reply_tokens += entry.reply_tokens as u64;
        if entry.status == OK { self.answer(call) } else { self.fail(entry.status) }
    }

    /// The statistics now.
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
