//! `tributary result`: fetches a finished article.

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
            let error = anyhow!("{}: {}; there is no result yet", state.title, state.status);
            return Err(Failure { exit: cluster::exit(&state.status), error });
        };
        let kept = KeptResult::of(&*queue, job).await.context("the result can't be fetched")?;
        let kept = kept.ok_or_else(|| anyhow!("{}: the result is not kept any more (nats.retention)", state.title))?;
        let out = args.out.as_ref().unwrap_or(&config.execution.out);
        let mut sink = FolderSink::new(&*queue, job, out, &slugs::of_one(out, &state.title, job));
        kept.give(&*queue, job, &mut sink).await.context("the result can't be written")?;
        let usage = state.progress.usage();
        let summary = Summary { title: state.title, files: sink.into_files(), result, usage, done_before: (0, 0) };
        summary.files.iter().for_each(|file| terminal.result(file));
        terminal.say(summary);
        Ok(Exit::Done)
    })
}
