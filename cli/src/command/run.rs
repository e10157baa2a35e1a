//! `tributary run`: from inputs to articles in this process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use futures::{StreamExt, stream};
use tokio::{runtime, sync::watch};
use tributary_protocol::{
    bus::{
        Bus, Kinds,
        local::{LocalBus, Options},
    },
    job::{Job, Progress},
};
use tributary_worker::{
    perform::{Models, Patience, Performer},
    pool::{Pool, PoolOptions},
};

use super::load;
use crate::{
    args::{Inputs, ProgressStyle, RunArgs},
    exit::{Exit, Failure, OrExit},
    interrupt::Interrupt,
    progress,
    settings::{Config, Loaded},
    summary::Summary,
    terminal::Terminal,
};

/// Where the state is kept, within the folder of the results.
const STATE: &str = ".tributary";

/// Jobs that are under way at a time. They share the calls that [`Config::concurrency`] allows.
const JOBS_AT_A_TIME: usize = 4;

/// A corpus that a model reads at one go needs no MapReduce: below this many tokens the user is told so.
const SMALL_CORPUS: u64 = 10_000;

/// How long calls that are under way may take to end when the run is over before they are.
const GRACE: Duration = Duration::from_secs(10);

/// Makes every article that the inputs ask for.
pub fn run(args: &RunArgs, style: ProgressStyle, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(&args.settings)?;
    let models = loaded.config.connect().or_exit(Exit::BadInput)?;
    say_which_model(&loaded, terminal);
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().context("no threads to run on")?;
    let end = runtime.block_on(async {
        let interrupt = Interrupt::listen(terminal);
        let (bus, pool) = start_workers(&loaded.config, models).await?;
        let terminal = terminal.clone();
        let run = Run { config: loaded.config, fresh: args.fresh, style, interrupt, terminal, bus };
        let end = run.articles(&args.inputs).await;
        pool.drain(GRACE).await;
        end
    });
    // A file that is still being read keeps nobody waiting.
    runtime.shutdown_background();
    end
}

fn say_which_model(loaded: &Loaded, terminal: &Terminal) {
    if !loaded.names_a_model() {
        terminal.say(
            "no model is set: the extractive one will quote the sources; for a written article pass --model openai/NAME \
             or gemini/NAME (tributary --help)",
        );
    }
}

/// Opens the state and starts the workers on it.
async fn start_workers(config: &Config, models: Models) -> Result<(Arc<dyn Bus>, Pool), Failure> {
    let state = config.execution.out.join(STATE);
    let bus = LocalBus::open(&state, Options::default()).context("the state can't be opened")?;
    let bus: Arc<dyn Bus> = Arc::new(bus);
    let performer = Arc::new(Performer::new(bus.clone(), models, Patience::default()));
    let options = PoolOptions { concurrency: config.concurrency() as usize, kinds: Kinds::all() };
    let pool = Pool::start(bus.clone(), performer, options).await.map_err(anyhow::Error::from)?;
    Ok((bus, pool))
}

/// What all jobs of a run share.
struct Run {
    config: Config,
    fresh: bool,
    style: ProgressStyle,
    interrupt: Interrupt,
    terminal: Terminal,
    bus: Arc<dyn Bus>,
}

impl Run {
    async fn articles(&self, inputs: &Inputs) -> Result<Exit, Failure> {
        let jobs = tokio::select! {
            jobs = self.read(&inputs.inputs, inputs.title.as_deref()) => jobs?,
            () = self.interrupt.wait() => return Ok(Exit::Interrupted),
        };
        Ok(self.all(jobs).await)
    }

    /// The join, first half: reads the inputs onto the bus, tells problems as they are met (`terminal.say(problem)`) and
    /// makes the jobs. Errors of the input are [`Exit::BadInput`]s.
    async fn read(&self, _inputs: &[PathBuf], _title: Option<&str>) -> Result<Vec<Job>, Failure> {
        let _ = &self.bus;
        Err(anyhow!("this build has no coordinator yet: it can't run jobs").into())
    }

    /// Runs the jobs, a few at a time; what befalls one doesn't stop the others.
    async fn all(&self, jobs: Vec<Job>) -> Exit {
        let several = jobs.len() > 1;
        let ends = stream::iter(jobs).map(|job| self.one(job, several)).buffer_unordered(JOBS_AT_A_TIME);
        ends.fold(Exit::Done, |worst, exit| std::future::ready(graver(worst, exit))).await
    }

    /// Runs a job and tells how it ended.
    async fn one(&self, job: Job, several: bool) -> Exit {
        self.warn_if_small(&job);
        let title = job.title.clone();
        let (sender, updates) = watch::channel(Progress::default());
        let shown = progress::follow(&title, updates, self.style, several, &self.terminal);
        let (end, ()) = tokio::join!(self.until_interrupted(job, sender), shown);
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
        let chunks = job.sources.iter().flat_map(|source| &source.chunks);
        let tokens: u64 = chunks.map(|chunk| u64::from(chunk.tokens)).sum();
        if tokens < SMALL_CORPUS {
            self.terminal.say(format!(
                "{}: only {tokens} tokens in all; under about {SMALL_CORPUS}, a model that is given them in one prompt \
                 does as well",
                job.title
            ));
        }
    }

    /// The job's end, or the user's.
    async fn until_interrupted(&self, job: Job, sender: watch::Sender<Progress>) -> Result<Summary, Failure> {
        tokio::select! {
            biased;
            () = self.interrupt.wait() => Err(Failure { exit: Exit::Interrupted, error: anyhow!("interrupted") }),
            end = self.run_survey(job, sender) => end,
        }
    }

    /// The join, second half: the coordinator runs `job` on the bus to its end, and the outputs are written to `out`.
    /// `sender` is given its progress; a model that can't be used is an [`Exit::ModelFailed`]. Dropped when the user
    /// interrupts.
    async fn run_survey(&self, job: Job, sender: watch::Sender<Progress>) -> Result<Summary, Failure> {
        let _ = (&self.config, self.fresh, sender);
        Err(anyhow!("this build has no coordinator yet: it can't run {}", job.id).into())
    }
}

/// Of two ends the one that the whole run ends with: an interruption first, then what may go on when it is run again,
/// then what won't.
fn graver(one: Exit, other: Exit) -> Exit {
    let order = [Exit::Interrupted, Exit::ModelFailed, Exit::BadInput, Exit::Failed];
    order.into_iter().find(|exit| [one, other].contains(exit)).unwrap_or(Exit::Done)
}
