//! `tributary list`: a cluster's jobs.

use anyhow::Context;
use tributary_coordinator::service::{State, states};

use super::{cluster, load};
use crate::{
    args::ListArgs,
    exit::{Exit, Failure},
    progress::spent,
    terminal::Terminal,
};

/// Prints a line a job, the latest last: id, status, how far it is, title.
pub fn run(args: &ListArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings())?.config;
    cluster::runtime()?.block_on(async {
        let queue = cluster::connect(&config, "list").await?;
        let states = states(&*queue).await.context("the jobs can't be listed")?;
        if states.is_empty() {
            terminal.say("no jobs");
        }
        states.iter().for_each(|(job, state)| terminal.print(format!("{job}  {}", line(state))));
        Ok(Exit::Done)
    })
}

/// `running  digest 12/40, 35 calls, 0.20 M tokens  187 sources  Rust`
pub fn line(state: &State) -> String {
    let State { title, sources, status, progress, .. } = state;
    let stage = progress.stages.iter().rev().find(|(_, stage)| stage.asked > 0);
    let far = stage.map(|(stage, now)| format!("{} {}/{}, ", stage.name(), now.ended, now.asked)).unwrap_or_default();
    let far = if status.has_ended() { String::new() } else { far };
    format!("{:<9} {far}{}  {sources} sources  {title}", status.to_string(), spent(&progress.usage()))
}
