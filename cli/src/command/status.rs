//! `tributary status`: how one job of a cluster stands.

use anyhow::Context;
use serde_json::json;

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
            let mut object = serde_json::to_value(&state).context("the state is no JSON")?;
            object["job"] = json!(job.to_string());
            object["usage"] = json!(state.progress.usage());
            terminal.print(object);
            return Ok(Exit::Done);
        }
        terminal.print(format!("{job}  {}", list::line(&state)));
        for (stage, now) in state.progress.stages.iter().filter(|(_, now)| now.asked > 0) {
            let done = format!("{}/{}", now.ended, now.asked);
            terminal.print(format!("  {:<11} {done:>13}  {}", stage.name(), stage_spent(now)));
        }
        Ok(Exit::Done)
    })
}
