//! What monitoring sees of calls, when they end: a task that waits for a model which is away may not end for long.

use metrics::counter;
use tributary_protocol::task::Kind;

const CALLS: &str = "tributary_calls_total";

/// Counters that begin with their first event have no rate then: an alarm would miss it.
pub(super) fn connected(model: &str) {
    for kind in Kind::all() {
        for result in ["answered", "cached", "failed"] {
            counter!(CALLS, "kind" => kind.name(), "model" => model.to_owned(), "result" => result).increment(0);
        }
    }
}

pub(super) fn answered(kind: Kind, model: &str) {
    called(kind, model, "answered");
}

/// The answer was known.
pub(super) fn cached(kind: Kind, model: &str) {
    called(kind, model, "cached");
}

pub(super) fn failed(kind: Kind, model: &str) {
    called(kind, model, "failed");
}

fn called(kind: Kind, model: &str, result: &'static str) {
    counter!(CALLS, "kind" => kind.name(), "model" => model.to_owned(), "result" => result).increment(1);
}
