//! The names of all metrics of a worker, as used by alarms and dashboards in `deploy/`.

/// Calls by kind of task, model and result.
pub(crate) const CALLS: &str = "tributary_calls_total";
/// Calls made twice.
pub(crate) const CALLS_HEDGED: &str = "tributary_calls_hedged_total";
/// Mean latency of a task's calls.
pub(crate) const CALL_SECONDS: &str = "tributary_call_seconds";
/// Tokens by kind of task and use: prompt, cached prompt, reply.
pub(crate) const TOKENS: &str = "tributary_tokens_total";
/// Cost in millionths of a US dollar.
pub(crate) const COST: &str = "tributary_cost_microdollars_total";
/// Deliveries of tasks, first ones and further ones.
pub(crate) const DELIVERIES: &str = "tributary_deliveries_total";
/// Tasks with a recorded outcome, by kind and outcome.
pub(crate) const TASKS: &str = "tributary_tasks_total";
/// Time from a task's delivery to its recorded outcome.
pub(crate) const TASK_SECONDS: &str = "tributary_task_seconds";
/// Tasks handed back to the bus.
pub(crate) const TASKS_HANDED_BACK: &str = "tributary_tasks_handed_back_total";
/// Tasks left to peers able to use their model.
pub(crate) const TASKS_LEFT: &str = "tributary_tasks_left_total";
