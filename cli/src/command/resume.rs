//! `tributary resume`: requeues failed jobs of a cluster.

use anyhow::{Context, anyhow};
use tributary_coordinator::service::{self, Resumed, State, states};
use tributary_protocol::{
    bus::{JobQueue, nats::NatsBus},
    id::JobId,
};

use super::{cluster, load};
use crate::{
    args::ResumeArgs,
    exit::{Exit, Failure, OrExit},
    terminal::Terminal,
};

/// Requeues the jobs. The sources needn't be submitted again: the cluster keeps them for a while after a failure.
pub fn run(args: &ResumeArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings.settings())?.config;
    cluster::runtime()?.block_on(async {
        let queue = cluster::connect(&config, "resume").await?;
        let mut exit = Exit::Done;
        for (job, state) in chosen(args, &queue).await? {
            if !resume(&*queue, job, &state, terminal).await? {
                exit = Exit::Failed;
            }
        }
        queue.flush().await.context("failed to flush to NATS before exit")?;
        Ok(exit)
    })
}

async fn chosen(args: &ResumeArgs, queue: &NatsBus) -> Result<Vec<(JobId, State)>, Failure> {
    if args.all {
        let all = states(queue).await.context("failed to list the jobs")?;
        return Ok(all.into_iter().filter(|(_, state)| state.status.reason().is_some()).collect());
    }
    let mut jobs = Vec::new();
    for typed in &args.jobs {
        jobs.push(cluster::find(queue, typed).await?);
    }
    if jobs.is_empty() {
        return Err(anyhow!(
            "no job is named; type a job's id (`tributary list` shows all jobs), or --all for every failed job"
        ))
        .or_exit(Exit::BadInput);
    }
    Ok(jobs)
}

/// Requeues a job. Returns false if the job can't resume.
async fn resume(queue: &dyn JobQueue, job: JobId, state: &State, terminal: &Terminal) -> Result<bool, Failure> {
    let title = &state.title;
    Ok(match service::resume(queue, job).await.context("failed to resume the job")? {
        Some(Resumed::Now) => {
            terminal.say(format!("{title}: goes on"));
            true
        }
        Some(Resumed::Not(status)) => {
            terminal.say(format!("{title}: {status} already"));
            true
        }
        Some(Resumed::Gone) | None => {
            terminal.complain(format!("{title}: the sources of the job have expired; submit the job again"));
            false
        }
    })
}
