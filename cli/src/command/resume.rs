//! `tributary resume`: makes jobs of a cluster go on that have failed.

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

/// Puts the jobs into the queue again, without their sources: what they are made of is kept for a while after they fail.
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
        queue.flush().await.context("the last words may be lost")?;
        Ok(exit)
    })
}

async fn chosen(args: &ResumeArgs, queue: &NatsBus) -> Result<Vec<(JobId, State)>, Failure> {
    if args.all {
        let all = states(queue).await.context("the jobs can't be listed")?;
        return Ok(all.into_iter().filter(|(_, state)| state.status.reason().is_some()).collect());
    }
    let mut jobs = Vec::new();
    for typed in &args.jobs {
        jobs.push(cluster::find(queue, typed).await?);
    }
    if jobs.is_empty() {
        return Err(anyhow!("which job? `tributary list` shows all; --all resumes every one that has failed"))
            .or_exit(Exit::BadInput);
    }
    Ok(jobs)
}

/// False of a job that can't go on.
async fn resume(queue: &dyn JobQueue, job: JobId, state: &State, terminal: &Terminal) -> Result<bool, Failure> {
    let title = &state.title;
    Ok(match service::resume(queue, job).await.context("the job can't be resumed")? {
        Some(Resumed::Now) => {
            terminal.say(format!("{title}: goes on"));
            true
        }
        Some(Resumed::Not(status)) => {
            terminal.say(format!("{title}: {status} already"));
            true
        }
        Some(Resumed::Gone) | None => {
            terminal.complain(format!("{title}: what it is made of is not kept any more; submit it with its sources"));
            false
        }
    })
}
