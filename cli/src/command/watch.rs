//! `tributary watch`: follows a job until the end.

use anyhow::{Context, anyhow};
use futures::StreamExt;
use tokio::sync::watch;
use tributary_coordinator::service::{State, Status};
use tributary_protocol::{bus::JobQueue, id::JobId, job::Progress, wire};

use super::{cluster, load};
use crate::{
    args::{JobArgs, ProgressStyle},
    exit::{Exit, Failure},
    interrupt::Interrupt,
    progress,
    settings::Config,
    terminal::Terminal,
};

pub fn run(args: &JobArgs, style: ProgressStyle, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings.settings())?.config;
    cluster::runtime()?.block_on(in_runtime(args, config, style, terminal))
}

async fn in_runtime(
    args: &JobArgs,
    config: Config,
    style: ProgressStyle,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen(terminal);
    let queue = cluster::connect(&config, "watch").await?;
    let (job, state) = cluster::find(&*queue, &args.job).await?;
    if state.status == Status::Queued {
        terminal.say(format!("{}: waiting for a coordinator", state.title));
    }
    let (sender, updates) = watch::channel(state.progress);
    let ended = interrupt.unless(until_it_ends(&*queue, job, sender));
    let shown = progress::follow(&state.title, updates, style, false, &interrupt, terminal);
    let Some(ended) = tokio::join!(ended, shown).0 else {
        terminal.say("the job continues on the cluster");
        return Ok(Exit::Interrupted);
    };
    let status = ended?;
    match cluster::exit(&status) {
        Exit::Done => terminal.say(format!("{}: done; `tributary result {job}` fetches the result", state.title)),
        exit @ Exit::ModelFailed => {
            let error = anyhow!(
                "{}: {status}; fix the cause, then type `tributary resume {job}` or submit the job again to continue",
                state.title
            );
            return Err(Failure { exit, error });
        }
        exit => return Err(Failure { exit, error: anyhow!("{}: {status}", state.title) }),
    }
    Ok(Exit::Done)
}

/// Forwards the job's progress, and returns the final status.
async fn until_it_ends(
    queue: &dyn JobQueue,
    job: JobId,
    progress: watch::Sender<Progress>,
) -> Result<Status, anyhow::Error> {
    let mut states = queue.watch(job).await.context("failed to watch the job")?;
    while let Some(state) = states.next().await {
        let state: State = wire::decode(&state.context("failed to watch the job")?)?;
        progress.send_replace(state.progress);
        if state.status.has_ended() {
            return Ok(state.status);
        }
    }
    Err(anyhow!("the job's state stream ended unexpectedly; type the command again to reconnect"))
}
