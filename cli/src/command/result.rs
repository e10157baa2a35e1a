//! `tributary result`: fetches a finished article.

use anyhow::{Context, anyhow};
use tributary_coordinator::service::{Made, Status};

use super::{cluster, files, load};
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
        let Status::Done(numbers) = state.status else {
            let error = anyhow!("{}: {}; there is no article yet", state.title, state.status);
            return Err(Failure { exit: cluster::exit(&state.status), error });
        };
        let made = Made::of(&*queue, job).await.context("the article can't be fetched")?;
        let made = made.ok_or_else(|| anyhow!("{}: the article is not kept any more", state.title))?;
        let out = args.out.as_ref().unwrap_or(&config.execution.out);
        let files = files::of_one(out, &state.title, job);
        made.write(&*queue, job, &files).await.context("the article can't be written")?;
        let summary = Summary {
            title: state.title,
            article: files.markdown,
            others: vec![files.jsonl],
            report: files.report,
            words: numbers.words,
            sources: state.sources,
            cited: numbers.cited,
            usage: state.progress.usage(),
            wall: numbers.wall,
            done_before: (0, 0),
            degraded: numbers.degraded,
            dropped: numbers.dropped,
        };
        summary.files().for_each(|file| terminal.result(file));
        terminal.say(summary);
        Ok(Exit::Done)
    })
}
