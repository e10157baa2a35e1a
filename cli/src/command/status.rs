//! `tributary status`: shows the status of a cluster's job.

use tributary_coordinator::service::{State, Status};

use super::{cluster, list, load};
use crate::{
    args::StatusArgs,
    exit::{Exit, Failure},
    progress::stage_spent,
    terminal::Terminal,
};

pub fn run(args: &StatusArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.job.settings.settings())?.config;
    cluster::runtime()?.block_on(async {
        let queue = cluster::connect(&config, "status").await?;
        let (job, state) = cluster::find(&*queue, &args.job.job).await?;
        if args.json {
            terminal.print(list::json_of(job, &state)?);
            return Ok(Exit::Done);
        }
        terminal.print(format!("{job}  {}", list::line(&state)));
        terminal.print(format!("  {}", held(&state)));
        if let Some(reason) = state.progress.waits_for.as_ref().filter(|_| state.status == Status::Running) {
            terminal.print(format!("  waits: {reason}"));
        }
        for (stage, now) in state.progress.stages.iter().filter(|(_, now)| now.asked > 0) {
            let done = format!("{}/{}", now.ended, now.asked);
            terminal.print(format!("  {:<11} {done:>13}  {}", stage.name(), stage_spent(now)));
        }
        Ok(Exit::Done)
    })
}

/// Describes the holder and the last change: `held by coordinator-0, changed 3.0s ago`.
fn held(state: &State) -> String {
    let changed = format!("changed {}", list::ago(state.changed));
    match state.status {
        Status::Running => format!("held by {}, {changed}", state.holder),
        _ => changed,
    }
}
