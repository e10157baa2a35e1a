//! `tributary run`: from inputs to articles in this process.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, anyhow};
use futures::{StreamExt, stream};
use tokio::{runtime, sync::watch};
use tributary_protocol::job::{Job, Progress};

use super::load;
use crate::{
    args::{ProgressStyle, RunArgs},
    exit::{Exit, Failure},
    interrupt::Interrupt,
    progress,
    settings::{Config, Loaded},
    summary::Summary,
    terminal::Terminal,
};

/// Jobs that are under way at a time. They share the calls that [`Config::concurrency`] allows.
const JOBS_AT_A_TIME: usize = 4;

/// A corpus that a model reads at one go needs no MapReduce: below this many tokens the user is told so.
const SMALL_CORPUS: u64 = 10_000;

/// Makes every article that the inputs ask for.
pub fn run(args: &RunArgs, style: ProgressStyle, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(&args.settings)?;
    say_which_model(&loaded, terminal);
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?;
    runtime.block_on(async {
        let interrupt = Interrupt::listen(terminal);
        let run =
            Arc::new(Run { config: loaded.config, fresh: args.fresh, style, interrupt, terminal: terminal.clone() });
        let jobs = run.read(&args.inputs.inputs, args.inputs.title.as_deref()).await?;
        run.all(jobs).await
    })
}

fn say_which_model(loaded: &Loaded, terminal: &Terminal) {
    if !loaded.names_a_model() {
        terminal.say(
            "no model is set: the extractive one will quote the sources; for a written article pass --model openai/NAME \
             or gemini/NAME (tributary --help)",
        );
    }
}

/// What all jobs of a run share.
struct Run {
    config: Config,
    fresh: bool,
    style: ProgressStyle,
    interrupt: Interrupt,
    terminal: Terminal,
}

impl Run {
    /// The join, first half: reads the inputs into the state under `out/.tributary`, tells problems as they are met, and
    /// makes the jobs.
    async fn read(&self, _inputs: &[PathBuf], _title: Option<&str>) -> Result<Vec<Job>, Failure> {
        Err(anyhow!("this build has no coordinator yet: it can't run jobs").into())
    }

    /// Runs the jobs, a few at a time; what befalls one doesn't stop the others.
    async fn all(&self, jobs: Vec<Job>) -> Result<Exit, Failure> {
        let several = jobs.len() > 1;
        let mut ends = stream::iter(jobs).map(|job| self.one(job, several)).buffer_unordered(JOBS_AT_A_TIME);
        let mut worst = Exit::Done;
        while let Some(exit) = ends.next().await {
            worst = graver(worst, exit);
        }
        Ok(worst)
    }

    /// Runs a job and tells how it ended.
    async fn one(&self, job: Job, several: bool) -> Exit {
        if self.interrupt.happened() {
            return Exit::Interrupted;
        }
        self.warn_if_small(&job);
        let title = job.title.clone();
        let (sender, updates) = watch::channel(Progress::default());
        let shown = progress::follow(&title, updates, self.style, several, &self.terminal);
        let (end, ()) = tokio::join!(self.run_survey(job, sender), shown);
        match end {
            Ok(summary) => {
                summary.files().for_each(|file| self.terminal.result(file));
                self.terminal.say(summary);
                Exit::Done
            }
            Err(Failure { exit, error }) => {
                self.terminal.complain(format!("{title}: {error:#}"));
                if matches!(exit, Exit::ModelFailed | Exit::Interrupted) {
                    self.terminal.say("the state is kept: the same command goes on where this one stopped");
                }
                exit
            }
        }
    }

    fn warn_if_small(&self, job: &Job) {
        let tokens: u64 =
            job.sources.iter().flat_map(|source| &source.chunks).map(|chunk| u64::from(chunk.tokens)).sum();
        if tokens < SMALL_CORPUS {
            self.terminal.say(format!(
                "{}: {tokens} tokens in all; below about {SMALL_CORPUS} a model that is given them in one prompt does as well",
                job.title
            ));
        }
    }

    /// The join, second half: the coordinator runs `job` to its end and the outputs are written to `out`. `sender` is
    /// given its progress and dropped at the end; [`Interrupt::wait`] asks it to stop early, which ends with
    /// [`Exit::Interrupted`], and a model that can't be used ends it with [`Exit::ModelFailed`].
    async fn run_survey(&self, job: Job, sender: watch::Sender<Progress>) -> Result<Summary, Failure> {
        let _ = (&self.config, self.fresh, sender);
        Err(anyhow!("this build has no coordinator yet: it can't run {}", job.id).into())
    }
}

/// Of two ends the one that the whole run ends with: an interruption counts most, then what may go on when it is run
/// again, then what won't.
fn graver(one: Exit, other: Exit) -> Exit {
    let order = [Exit::Interrupted, Exit::ModelFailed, Exit::BadInput, Exit::Failed];
    order.into_iter().find(|exit| [one, other].contains(exit)).unwrap_or(Exit::Done)
}
