//! `tributary result`: fetches the files of a finished job.

use anyhow::{Context, anyhow};
use tributary_coordinator::{
    artifact::FolderSink,
    service::{KeptResult, Status},
};

use super::{cluster, load, slugs};
use crate::{
    args::ResultArgs,
    exit::{Exit, Failure},
    summary::Summary,
    terminal::Terminal,
};

pub fn run(args: &ResultArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = load(&args.job.settings.settings())?.config;
    cluster::runtime()?.block_on(async {
        let queue = cluster::connect(&config, "result").await?;
        let (job, state) = cluster::find(&*queue, &args.job.job).await?;
        let Status::Done(result) = state.status else {
            let error = anyhow!("{}: {}; only a finished job has a result", state.title, state.status);
            return Err(Failure { exit: cluster::exit(&state.status), error });
        };
        let kept = KeptResult::of(&*queue, job).await.context("failed to fetch the result")?;
        let kept = kept
            .ok_or_else(|| anyhow!("{}: the result has expired (nats.retention); submit the job again", state.title))?;
        let out = args.out.as_ref().unwrap_or(&config.execution.out);
        let mut sink = FolderSink::new(&*queue, job, out, &slugs::of_one(out, &state.title, job));
        kept.give(&*queue, job, &mut sink).await.context("failed to write the result")?;
        let usage = state.progress.usage();
        let summary = Summary { title: state.title, files: sink.into_files(), result, usage, done_before: (0, 0) };
        summary.files.iter().for_each(|file| terminal.result(file));
        terminal.say(summary);
        Ok(Exit::Done)
    })
}
