//! `tributary run`: turns inputs into articles, in this process.

mod answer;
mod article;
mod shared;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use futures::{StreamExt, stream};
use tokio::{runtime, sync::watch, task::spawn_blocking};
use tributary_coordinator::{
    actor::{self, Coordinator, Window},
    ingest::STATE_FOLDER,
    prepare::{Prepared, PreparedJob},
    survey::SurveyTemplate,
    trace,
};
use tributary_protocol::{
    bus::{
        Bus, Kinds,
        local::{LocalBus, LocalOptions},
    },
    job::Progress,
    task::Usage,
};
use tributary_worker::{
    perform::{ModelRegistry, Performer},
    pool::{Pool, PoolOptions},
};

pub(super) use self::shared::{Shown, Wanted};
use self::{article::Making, shared::Run};
use super::{load, read_inputs, say_problems, slugs};
use crate::{
    args::{ProgressStyle, RunArgs},
    exit::{Exit, Failure, OrExit},
    interrupt::Interrupt,
    progress,
    settings::{Config, Loaded},
    terminal::Terminal,
};

/// The most jobs in progress at a time. All of them share the calls that [`Config::concurrency`] allows.
const JOBS_AT_A_TIME: usize = 4;

/// The most tasks of a job in flight per allowed call, enough to keep every call slot busy.
const TASKS_A_CALL: usize = 4;

/// The corpus size, in tokens, below which the user is told that a single prompt would do.
const SMALL_CORPUS: u64 = 10_000;

/// The longest wait for calls in flight after the run has ended.
const GRACE: Duration = Duration::from_secs(10);

/// Writes every article that the inputs ask for.
pub fn run(args: &RunArgs, style: ProgressStyle, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(&args.settings)?;
    let template = SurveyTemplate(loaded.config.survey.clone());
    let wanted =
        Wanted { inputs: args.inputs.clone(), template: Arc::new(template), fresh: args.fresh, shown: Shown::Paths };
    run_here(wanted, loaded, style, terminal)
}

/// Runs the wanted jobs in this process.
pub(super) fn run_here(
    wanted: Wanted,
    loaded: Loaded,
    style: ProgressStyle,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let models = loaded.config.connect().or_exit(Exit::BadInput)?;
    say_which_model(&loaded, terminal);
    let runtime =
        runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the async runtime")?;
    let end = runtime.block_on(in_runtime(wanted, loaded.config, models, style, terminal));
    // The exit doesn't wait for a file that is still being read.
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

async fn in_runtime(
    wanted: Wanted,
    config: Config,
    models: ModelRegistry,
    style: ProgressStyle,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen(terminal);
    let began = SystemTime::now();
    let Some(prepared) = interrupt.unless(read(&wanted, &config)).await.transpose()? else {
        return Ok(Exit::Interrupted);
    };
    say_problems(&prepared.problems, terminal);
    prepared.jobs.iter().for_each(|prepared| trace::ingested(prepared.job.id, prepared.job.sources.len(), began));
    let (bus, pool) = start_workers(&config, models).await?;
    let window = Window::of(TASKS_A_CALL * config.concurrency() as usize);
    let options = actor::Options { window, ..actor::Options::default() };
    let coordinator = Coordinator::start(bus.clone(), options, None).await.map_err(anyhow::Error::from)?;
    let run = Run {
        bus,
        coordinator,
        config,
        problems: prepared.problems,
        fresh: wanted.fresh,
        shown: wanted.shown,
        style,
        interrupt,
        terminal: terminal.clone(),
    };
    let exit = run.all(prepared.jobs).await;
    run.coordinator.stop().await;
    pool.drain(GRACE).await;
    if matches!(exit, Exit::ModelFailed | Exit::Interrupted) {
        terminal.complain("the state is kept: the same command resumes the run");
    }
    Ok(exit)
}

/// Reads the inputs to the end.
async fn read(wanted: &Wanted, config: &Config) -> Result<Prepared, Failure> {
    let (inputs, template, config) = (wanted.inputs.clone(), Arc::clone(&wanted.template), config.clone());
    spawn_blocking(move || read_inputs(&inputs, &*template, &config)).await.context("failed to read the input")?
}

/// Opens the stored state and starts the workers.
async fn start_workers(config: &Config, models: ModelRegistry) -> Result<(Arc<dyn Bus>, Pool), Failure> {
    let state = config.execution.out.join(STATE_FOLDER);
    let bus = LocalBus::open(&state, LocalOptions::default()).context("failed to open the state")?;
    let bus: Arc<dyn Bus> = Arc::new(bus);
    let performer = Arc::new(Performer::new(bus.clone(), models, config.patience()));
    let options = PoolOptions { concurrency: config.concurrency() as usize, kinds: Kinds::all() };
    let pool = Pool::start(bus.clone(), performer, options).await.map_err(anyhow::Error::from)?;
    Ok((bus, pool))
}

impl Run {
    /// Runs the jobs, a few at a time. The failure of a job doesn't stop the others.
    async fn all(&self, jobs: Vec<PreparedJob>) -> Exit {
        let several = jobs.len() > 1;
        let names = jobs.iter().map(|prepared| (prepared.job.title(), prepared.job.id));
        let slugs = slugs::of_all(&self.config.execution.out, names);
        let ends = jobs.into_iter().zip(slugs).map(|(prepared, slug)| self.one(prepared, slug, several));
        let ends = stream::iter(ends).buffer_unordered(JOBS_AT_A_TIME);
        ends.fold(Exit::Done, |worst, exit| std::future::ready(graver(worst, exit))).await
    }

    /// Runs a job, prints the summary or the error, and returns the exit code.
    async fn one(&self, prepared: PreparedJob, slug: String, several: bool) -> Exit {
        if self.interrupt.happened() {
            return Exit::Interrupted;
        }
        self.warn_if_small(&prepared);
        let (title, job, began) = (prepared.job.title().to_owned(), prepared.job.id, SystemTime::now());
        let told = |usage: &Usage, outcome, reason: Option<String>| {
            trace::ended(job, &title, began, usage, outcome, reason.as_deref());
        };
        let (sender, updates) = watch::channel(Progress::default());
        let making = Making { run: self, prepared, slug };
        let made = self.interrupt.unless(making.to_the_end(sender));
        let shown = progress::follow(&title, updates, self.style, several, &self.interrupt, &self.terminal);
        match tokio::join!(made, shown).0 {
            Some(Ok(summary)) => {
                told(&summary.usage, "done", None);
                let shown = self.shown.show(&summary.files, &self.terminal);
                self.terminal.say(summary);
                match shown {
                    Ok(()) => Exit::Done,
                    Err(error) => {
                        self.terminal.complain(format!("{title}: {error:#}"));
                        Exit::Failed
                    }
                }
            }
            Some(Err(Failure { exit, error })) => {
                told(&Usage::default(), "failed", Some(format!("{error:#}")));
                self.terminal.complain(format!("{title}: {error:#}"));
                exit
            }
            None => {
                told(&Usage::default(), "interrupted", None);
                Exit::Interrupted
            }
        }
    }

    fn warn_if_small(&self, prepared: &PreparedJob) {
        let tokens = prepared.tokens();
        if tokens < SMALL_CORPUS && self.shown == Shown::Paths {
            self.terminal.say(format!(
                "{}: only {tokens} tokens in all; under about {SMALL_CORPUS}, a model that reads them in one prompt \
                 does as well",
                prepared.job.title()
            ));
        }
    }
}

/// Returns the graver of two exit codes: interruption first, then failures that a rerun may resume, then the others.
fn graver(one: Exit, other: Exit) -> Exit {
    let order = [Exit::Interrupted, Exit::ModelFailed, Exit::BadInput, Exit::Failed];
    order.into_iter().find(|exit| [one, other].contains(exit)).unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_gravest_end() {
        assert_eq!(graver(Exit::Done, Exit::Done), Exit::Done);
        assert_eq!(graver(Exit::Failed, Exit::ModelFailed), Exit::ModelFailed);
        assert_eq!(graver(Exit::Interrupted, Exit::ModelFailed), Exit::Interrupted);
    }
}
