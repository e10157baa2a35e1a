//! `tributary list`: lists a cluster's jobs.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use serde_json::{Value, json};
use tributary_coordinator::service::{State, Status, states};
use tributary_protocol::id::JobId;

use super::{cluster, load};
use crate::{
    args::ListArgs,
    exit::{Exit, Failure},
    progress::spent,
    terminal::Terminal,
    units,
};

/// Prints one line per job, the latest last: id, status, time since submission, progress, title.
pub fn run(args: &ListArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings.settings())?.config;
    cluster::runtime()?.block_on(async {
        let queue = cluster::connect(&config, "list").await?;
        let states = states(&*queue).await.context("failed to list the jobs")?;
        if states.is_empty() {
            terminal.say("no jobs");
        }
        for (job, state) in &states {
            if args.json {
                terminal.print(json_of(*job, state)?);
            } else {
                terminal.print(format!("{job}  {}", line(state)));
            }
        }
        Ok(Exit::Done)
    })
}

/// Describes a job in one line: `running  2m05s ago  digest 12/40, 35 calls, 0.20 M tokens  187 sources  Rust`.
pub fn line(state: &State) -> String {
    let State { title, sources, status, progress, .. } = state;
    let stage = progress.stages.iter().rev().find(|(_, stage)| stage.asked > 0);
    let far = stage.map(|(stage, now)| format!("{} {}/{}, ", stage.name(), now.ended, now.asked)).unwrap_or_default();
    let far = if status.has_ended() { String::new() } else { far };
    let waits = progress.waits_for.as_ref().filter(|_| *status == Status::Running);
    let waits = waits.map(|reason| format!("  waits: {reason}")).unwrap_or_default();
    let (status, ago) = (status.to_string(), ago(state.submitted));
    format!("{status:<9} {ago:>10}  {far}{}  {sources} sources  {title}{waits}", spent(&progress.usage()))
}

/// Formats the time since a moment, given in seconds since 1970: `2m05s ago`.
pub fn ago(second: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("{} ago", units::time(Duration::from_secs(now.saturating_sub(second))))
}

/// Returns all known facts about a job as JSON. The status is a single word, so that programs can branch on the value;
/// the reason of a failure and the result are separate fields.
pub fn json_of(job: JobId, state: &State) -> anyhow::Result<Value> {
    let mut object = serde_json::to_value(state).context("failed to write the state as JSON")?;
    object["job"] = json!(job.to_string());
    object["usage"] = json!(state.progress.usage());
    object["status"] = json!(state.status.name().replace(' ', "-"));
    if let Some(reason) = state.status.reason() {
        object["reason"] = json!(reason);
    }
    if let Status::Done(result) = &state.status {
        let mut figures: serde_json::Map<_, _> =
            result.figures.iter().map(|(name, figure)| (name.clone(), json!(figure))).collect();
        figures.insert("degraded".to_owned(), json!(result.degraded));
        figures.insert("dropped".to_owned(), json!(result.dropped));
        figures.insert("wall_seconds".to_owned(), json!(result.wall.as_secs_f64()));
        object["result"] = figures.into();
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use tributary_coordinator::artifact::ResultSummary;
    use tributary_protocol::{
        job::Job,
        settings::JobSettings,
        survey::{SurveyRequest, SurveySettings},
    };

    use super::*;

    fn as_json(status: Status) -> Value {
        let job =
            Job::new(SurveyRequest::new("Rust", SurveySettings::default()), JobSettings::default(), 0, Vec::new());
        json_of(job.id, &State { status, ..State::new(&job, None) }).unwrap()
    }

    #[test]
    fn a_status_is_a_word_with_its_reason_and_its_result_beside_it() {
        let running = as_json(Status::Running);
        assert_eq!((&running["status"], running.get("reason"), running.get("result")), (&json!("running"), None, None));
        let failed = as_json(Status::ModelFailed { reason: "no key".into() });
        assert_eq!((&failed["status"], &failed["reason"]), (&json!("model-failed"), &json!("no key")));
        let done = as_json(Status::Done(ResultSummary {
            figures: vec![("words".into(), 7)],
            degraded: 0,
            dropped: 0,
            wall: Duration::ZERO,
        }));
        assert_eq!((&done["status"], &done["result"]["words"]), (&json!("done"), &json!(7)));
    }
}
