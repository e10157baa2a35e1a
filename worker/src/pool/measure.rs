//! What monitoring sees of a pool. Without a recorder all of this costs next to nothing.

use std::time::Duration;

use metrics::{counter, histogram};
use tributary_protocol::task::{Kind, Usage};

use super::Done;

/// A delivery has come.
pub(super) fn begins(delivery: u32) {
    counter!("tributary_deliveries_total", "again" => if delivery > 1 { "true" } else { "false" }).increment(1);
}

pub(super) fn handed_back(kind: Kind) {
    counter!("tributary_tasks_handed_back_total", "kind" => kind.name()).increment(1);
}

/// A task has its outcome, and that is recorded.
pub(super) fn ended(kind: Kind, how: Done, usage: &Usage, took: Duration) {
    let kind = kind.name();
    counter!("tributary_tasks_total", "kind" => kind, "outcome" => how.name()).increment(1);
    histogram!("tributary_task_seconds", "kind" => kind).record(took.as_secs_f64());
    let calls = [("answered", usage.calls), ("cached", usage.calls_from_cache), ("failed", usage.calls_failed)];
    for (result, number) in calls {
        counter!("tributary_calls_total", "kind" => kind, "result" => result).increment(number);
    }
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
