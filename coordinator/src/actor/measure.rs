//! Metrics of tasks on the coordinator's side. Workers have metrics of their own.

use std::time::Duration;

use metrics::{counter, histogram};
use tributary_protocol::task::{Outcome, Task};

/// Counts published tasks, first and repeated publications apart.
pub(super) fn published(tasks: usize, again: bool) {
    counter!("tributary_published_total", "again" => if again { "true" } else { "false" }).increment(tasks as u64);
}

/// Records the outcome of a task that was published so long ago.
pub(super) fn ended(task: &Task, outcome: &Outcome, after: Duration) {
    let (kind, usage) = (task.kind().name(), &outcome.usage);
    counter!("tributary_outcomes_total", "kind" => kind, "outcome" => outcome.verdict.name()).increment(1);
    histogram!("tributary_turnaround_seconds", "kind" => kind).record(after.as_secs_f64());
    for (of, number) in [("prompt", usage.prompt_tokens), ("reply", usage.reply_tokens)] {
        counter!("tributary_outcome_tokens_total", "kind" => kind, "of" => of).increment(number);
    }
    counter!("tributary_outcome_cost_microdollars_total", "kind" => kind).increment(usage.cost_micros);
}
