//! `tributary cancel`: cancels a job of a cluster.

use anyhow::Context;
use tributary_coordinator::service::{self, Status};

use super::{cluster, load};
use crate::{
    args::JobArgs,
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// Requests cancellation. The coordinator that holds the job stops at once; a job without a holder ends here.
pub fn run(args: &JobArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.settings.settings())?.config;
    cluster::runtime()?.block_on(async {
        let queue = cluster::connect(&config, "cancel").await?;
        let (job, state) = cluster::find(&*queue, &args.job).await?;
        service::cancel(&*queue, &*queue, job).await.context("failed to cancel the job")?;
        let (title, status) = (&state.title, &state.status);
        queue.flush().await.context("failed to flush to NATS before exit")?;
        terminal.say(match status {
            Status::Done(_) | Status::Cancelled => format!("{title}: {status} already"),
            Status::Running => format!("{title}: will be cancelled"),
            Status::Queued | Status::ModelFailed { .. } | Status::Failed { .. } => format!("{title}: cancelled"),
        });
        Ok(Exit::Done)
    })
}
