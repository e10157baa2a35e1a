//! `tributary submit`: submits jobs to a cluster.

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
    // Connects first, so that an unreachable cluster is reported before a large corpus is read.
    let bus = cluster::connect(&config, "submit").await?;
    let inputs = args.inputs.clone().titled(args.question.as_deref());
    let (template, began) = (template(args.question.as_deref(), &config)?, SystemTime::now());
    let reading = tokio::task::spawn_blocking(move || read_inputs(&inputs, &*template, &config));
    let prepared = reading.await.context("failed to read the input")??;
    say_problems(&prepared.problems, terminal);
    for prepared_job in &prepared.jobs {
        let (id, title) = (prepared_job.job.id, prepared_job.job.title());
        trace::ingested(id, prepared_job.job.sources.len(), began);
        let submitted = service::submit(&*bus, &*bus, prepared_job, &prepared.problems, args.fresh).await;
        match submitted.with_context(|| format!("{title}: failed to submit the job"))? {
            Submitted::Now => terminal.say(format!("{title}: submitted; `tributary watch {id}` shows the progress")),
            Submitted::Before if args.fresh => {
                terminal.say(format!("{title}: already queued or running; `tributary cancel {id}` cancels the job"));
            }
            Submitted::Before => terminal.say(format!("{title}: already queued or running")),
            Submitted::Done => {
                terminal.say(format!("{title}: done already; `tributary result {id}` fetches the result"))
            }
        }
        terminal.print(id);
    }
    bus.flush().await.context("failed to flush to NATS before exit")?;
    Ok(Exit::Done)
}
