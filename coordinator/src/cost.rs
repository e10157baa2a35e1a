//! Costs for reports.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tributary_protocol::{
    job::{Progress, StageProgress},
    task::Usage,
};

/// The cost of tasks.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Cost {
    pub tasks: u64,
    pub degraded: u64,
    /// Calls that were answered and paid for, over all runs of the job.
    pub calls: u64,
    pub calls_from_cache: u64,
    pub calls_failed: u64,
    /// Calls that were hedged: made a second time since the first took long.
    pub calls_hedged: u64,
    pub prompt_tokens: u64,
    pub prompt_tokens_cached: u64,
    pub reply_tokens: u64,
    pub cost_usd: f64,
    /// The sum of all calls' durations; parallel calls each count in full.
    pub call_seconds: f64,
}

impl Cost {
    fn of(tasks: u64, degraded: u64, usage: Usage) -> Self {
        Self {
            tasks,
            degraded,
            calls: usage.calls,
            calls_from_cache: usage.calls_from_cache,
            calls_failed: usage.calls_failed,
            calls_hedged: usage.calls_hedged,
            prompt_tokens: usage.prompt_tokens,
            prompt_tokens_cached: usage.prompt_tokens_cached,
            reply_tokens: usage.reply_tokens,
            cost_usd: usage.cost_micros as f64 / 1e6,
            call_seconds: usage.call_millis as f64 / 1e3,
        }
    }

    /// Returns the cost of a stage.
    pub(crate) fn of_stage(stage: &StageProgress) -> Self {
        Self::of(stage.ended, stage.degraded, stage.usage)
    }

    /// Returns the cost of a whole job.
    pub(crate) fn of_all(progress: &Progress) -> Self {
        let stages = progress.stages.values();
        let sum = |number: fn(&StageProgress) -> u64| stages.clone().map(number).sum();
        Self::of(sum(|stage| stage.ended), sum(|stage| stage.degraded), progress.usage())
    }

    /// Returns the cost of each stage, in the stages' order.
    pub(crate) fn by_stage(progress: &Progress) -> Map<String, Value> {
        let cost = |stage| serde_json::to_value(Self::of_stage(stage)).expect("figures are JSON");
        progress.stages.iter().map(|(name, stage)| (name.to_string(), cost(stage))).collect()
    }
}

/// Serializes a time as seconds.
pub(crate) fn in_seconds<S: serde::Serializer>(wall: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(wall.as_secs_f64())
}
