//! What monitoring sees of a pool. Without a recorder all of this costs next to nothing.

use std::time::Duration;

use metrics::{counter, histogram};
use tracing::{Span, field::Empty, info_span};
use tributary_protocol::{
    bus::Delivery,
    task::{Kind, Outcome, Task, Usage, Verdict},
    trace::TARGET,
};

/// The time that a delivery is in this worker's hands.
pub(super) fn span(delivery: &Delivery) -> Span {
    let Task { id, job, stage, place, model, .. } = &*delivery.task;
    let kind = delivery.task.kind().name();
    info_span!(
        target: TARGET, "task", otel.name = kind, otel.kind = "consumer", otel.status_description = Empty,
        %job, task = %id, kind, stage = stage.name(), place, model, delivery = i64::from(delivery.delivery),
        outcome = Empty, calls = Empty, calls_from_cache = Empty, calls_failed = Empty,
        prompt_tokens = Empty, reply_tokens = Empty, cost_micros = Empty,
    )
}

/// Counters that begin with their first event have no rate then: an alarm would miss it.
pub(super) fn start() {
    for kind in Kind::all().map(Kind::name) {
        counter!("tributary_tasks_left_total", "kind" => kind).increment(0);
        for outcome in Verdict::NAMES {
            counter!("tributary_tasks_total", "kind" => kind, "outcome" => outcome).increment(0);
        }
    }
}

/// A delivery has come.
pub(super) fn begins(delivery: u32) {
    counter!("tributary_deliveries_total", "again" => if delivery > 1 { "true" } else { "false" }).increment(1);
}

pub(super) fn handed_back(kind: Kind) {
    counter!("tributary_tasks_handed_back_total", "kind" => kind.name()).increment(1);
    Span::current().record("outcome", "handed back");
}

/// A task is for others, who can do what this worker can't.
pub(super) fn left(kind: Kind, usage: &Usage) {
    counter!("tributary_tasks_left_total", "kind" => kind.name()).increment(1);
    used(kind, usage);
    Span::current().record("outcome", "left to others");
}

/// A task has its outcome, and that is recorded.
pub(super) fn ended(kind: Kind, outcome: &Outcome, took: Duration) {
    let verdict = outcome.verdict.name();
    counter!("tributary_tasks_total", "kind" => kind.name(), "outcome" => verdict).increment(1);
    histogram!("tributary_task_seconds", "kind" => kind.name()).record(took.as_secs_f64());
    used(kind, &outcome.usage);
    tell(outcome);
}

/// What a task has used. Its calls are counted when they end.
fn used(kind: Kind, usage: &Usage) {
    let kind = kind.name();
    counter!("tributary_calls_hedged_total", "kind" => kind).increment(usage.calls_hedged);
    if usage.calls > 0 {
        let each = usage.call_millis as f64 / 1e3 / usage.calls as f64;
        histogram!("tributary_call_seconds", "kind" => kind).record(each);
    }
    let tokens =
        [("prompt", usage.prompt_tokens), ("prompt_cached", usage.prompt_tokens_cached), ("reply", usage.reply_tokens)];
    for (of, number) in tokens {
        counter!("tributary_tokens_total", "kind" => kind, "of" => of).increment(number);
    }
    counter!("tributary_cost_microdollars_total", "kind" => kind).increment(usage.cost_micros);
}

/// The same, to the span that this is done in.
fn tell(outcome: &Outcome) {
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
