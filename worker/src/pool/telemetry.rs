//! Telemetry of a pool: counters, histograms, and the span of each task. Without a recorder this costs next to nothing.

use std::time::Duration;

use metrics::{counter, histogram};
use tracing::{Span, field::Empty, info_span};
use tributary_protocol::{
    bus::Delivery,
    task::{Kind, Outcome, Task, Usage, Verdict},
    trace::TARGET,
};

use crate::metric_names::{
    CALL_SECONDS, CALLS_HEDGED, COST, DELIVERIES, TASK_SECONDS, TASKS, TASKS_HANDED_BACK, TASKS_LEFT, TOKENS,
};

/// The span of a task while this worker holds its delivery.
pub(super) fn task_span(delivery: &Delivery) -> Span {
    let Task { id, job, stage, place, model, .. } = &*delivery.task;
    let kind = delivery.task.kind().name();
    info_span!(
        target: TARGET, "task", otel.name = kind, otel.kind = "consumer", otel.status_description = Empty,
        %job, task = %id, kind, stage = stage.name(), place, model, delivery = i64::from(delivery.delivery),
        outcome = Empty, calls = Empty, calls_from_cache = Empty, calls_failed = Empty,
        prompt_tokens = Empty, reply_tokens = Empty, cost_micros = Empty,
    )
}

/// Starts the pool's counters at zero: without a zero, alarms would miss a counter's first event.
pub(super) fn pool_started() {
    for kind in Kind::all().map(Kind::name) {
        counter!(TASKS_LEFT, "kind" => kind).increment(0);
        for outcome in Verdict::NAMES {
            counter!(TASKS, "kind" => kind, "outcome" => outcome).increment(0);
        }
    }
}

/// Counts a delivery, by its number.
pub(super) fn delivered(delivery: u32) {
    counter!(DELIVERIES, "again" => if delivery > 1 { "true" } else { "false" }).increment(1);
}

/// Counts a task handed back to the bus.
pub(super) fn handed_back(kind: Kind) {
    counter!(TASKS_HANDED_BACK, "kind" => kind.name()).increment(1);
    Span::current().record("outcome", "handed back");
}

/// Counts a task left to peers, with its usage.
pub(super) fn left_to_peers(kind: Kind, usage: &Usage) {
    counter!(TASKS_LEFT, "kind" => kind.name()).increment(1);
    count_usage(kind, usage);
    Span::current().record("outcome", "left to others");
}

/// Counts a task with a recorded outcome.
pub(super) fn recorded(kind: Kind, outcome: &Outcome, took: Duration) {
    let verdict = outcome.verdict.name();
    counter!(TASKS, "kind" => kind.name(), "outcome" => verdict).increment(1);
    histogram!(TASK_SECONDS, "kind" => kind.name()).record(took.as_secs_f64());
    count_usage(kind, &outcome.usage);
    record_in_span(outcome);
}

/// Counts the tokens and the cost of a task. Calls were counted at their own end.
fn count_usage(kind: Kind, usage: &Usage) {
    let kind = kind.name();
    counter!(CALLS_HEDGED, "kind" => kind).increment(usage.calls_hedged);
    if usage.calls > 0 {
        let each = usage.call_millis as f64 / 1e3 / usage.calls as f64;
        histogram!(CALL_SECONDS, "kind" => kind).record(each);
    }
    let tokens =
        [("prompt", usage.prompt_tokens), ("prompt_cached", usage.prompt_tokens_cached), ("reply", usage.reply_tokens)];
    for (of, number) in tokens {
        counter!(TOKENS, "kind" => kind, "of" => of).increment(number);
    }
    counter!(COST, "kind" => kind).increment(usage.cost_micros);
}

/// Records an outcome in the current span.
fn record_in_span(outcome: &Outcome) {
    let (span, usage) = (Span::current(), &outcome.usage);
    span.record("outcome", outcome.verdict.name());
    if let Some(reason) = outcome.verdict.reason() {
        span.record("otel.status_description", reason);
    }
    for (field, number) in [
        ("calls", usage.calls),
        ("calls_from_cache", usage.calls_from_cache),
        ("calls_failed", usage.calls_failed),
        ("prompt_tokens", usage.prompt_tokens),
        ("reply_tokens", usage.reply_tokens),
        ("cost_micros", usage.cost_micros),
    ] {
        span.record(field, number as i64);
    }
}
