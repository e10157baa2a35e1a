//! `tributary submit`: hands jobs in.

use std::time::SystemTime;

use anyhow::Context;
use tributary_coordinator::{
    service::{self, Submitted},
    trace,
};

use super::{cluster, load, read_inputs, say_problems, template};
use crate::{
    args::SubmitArgs,
    exit::{Exit, Failure},
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
    let inputs = args.inputs.clone().titled(args.question.as_deref());
    let (template, began) = (template(args.question.as_deref(), &config)?, SystemTime::now());
    let reading = tokio::task::spawn_blocking(move || read_inputs(&inputs, &*template, &config));
    let prepared = reading.await.context("the input can't be read")??;
    say_problems(&prepared.problems, terminal);
    for prepared_job in &prepared.jobs {
        let (id, title) = (prepared_job.job.id, prepared_job.job.title());
        trace::ingested(id, prepared_job.job.sources.len(), began);
        let submitted = service::submit(&*bus, &*bus, prepared_job, &prepared.problems, args.fresh).await;
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
