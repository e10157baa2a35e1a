//! `tributary submit`: hands jobs in.

use std::time::SystemTime;

use anyhow::Context;
use tributary_coordinator::{
    prepare::prepare,
    service::{self, Submitted},
    trace,
};

use super::{cluster, load, say_problems};
use crate::{
    args::SubmitArgs,
    exit::{Exit, Failure, OrExit},
    settings::Config,
    terminal::Terminal,
};

pub fn run(args: &SubmitArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings)?.config;
    cluster::runtime()?.block_on(in_runtime(args, config, terminal))
}

async fn in_runtime(args: &SubmitArgs, config: Config, terminal: &Terminal) -> Result<Exit, Failure> {
    // A cluster that can't be reached is told before a large corpus is read.
    let bus = cluster::connect(&config, "submit").await?;
    let (paths, title) = (args.inputs.inputs.clone(), args.inputs.title.clone());
    let (seed, began) = (config.execution.seed, SystemTime::now());
    let reading = tokio::task::spawn_blocking(move || prepare(&paths, title.as_deref(), &config.algorithm, seed));
    let prepared = reading.await.context("the input can't be read")?.or_exit(Exit::BadInput)?;
    say_problems(&prepared.problems, terminal);
    for draft in &prepared.surveys {
        let (id, title) = (draft.job.id, &draft.job.title);
        trace::ingested(id, draft.job.sources.len(), began);
        let submitted = service::submit(&*bus, &*bus, draft, &prepared.problems, args.fresh).await;
        match submitted.with_context(|| format!("{title}: the job can't be submitted"))? {
            Submitted::Now => terminal.say(format!("{title}: submitted; `tributary watch {id}` shows it")),
            Submitted::Before if args.fresh => {
                terminal.say(format!("{title}: under way, and stays so; `tributary cancel {id}` ends it"));
            }
            Submitted::Before => terminal.say(format!("{title}: under way already")),
            Submitted::Done => terminal.say(format!("{title}: done already; `tributary result {id}` fetches it")),
        }
        terminal.print(id);
    }
    bus.flush().await.context("the last words may be lost")?;
    Ok(Exit::Done)
}
