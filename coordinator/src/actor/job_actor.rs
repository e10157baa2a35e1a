//! The actor of one job.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::{oneshot, watch};
use tributary_protocol::{
    bus::{Bus, BusError, Entry},
    id::JobId,
    job::{Job, Progress},
    task::{Outcome, Verdict},
};

use super::{backlog::Backlog, job_end::JobError, measure, services::JobServices, unserved::WorkerWatch};
use crate::{engine::Machine, jobs};

/// The longest time between two ticks.
const TICK: Duration = Duration::from_secs(2);

/// The most outcomes applied in one batch. Their follow-up tasks are published together, in one round trip to the bus.
const AT_ONCE: usize = 256;

/// Drives one job.
pub(super) struct JobActor;

pub(super) struct Begin {
    pub job: Arc<Job>,
    pub services: JobServices,
    pub progress: Arc<watch::Sender<Progress>>,
}

pub(super) enum News {
    /// Entries that the journal had ready. Dropping the sender lets the reader go on.
    Read { entries: Vec<Result<Entry, BusError>>, _go_on: oneshot::Sender<()> },
    /// The bus was disturbed and may have lost tasks.
    Disturbed,
    /// Some time has passed.
    Tick,
}

pub(super) struct JobState {
    id: JobId,
    pub machine: Box<dyn Machine>,
    bus: Arc<dyn Bus>,
    progress: Arc<watch::Sender<Progress>>,
    workers: WorkerWatch,
    backlog: Backlog,
    pub done_before: u64,
    silence: Duration,
    /// The time of the last publication or outcome.
    heard: Instant,
    /// The journal has been replayed: tasks that are open now have no outcome yet.
    live: bool,
    _ears: [Ear; 2],
    pub end: Option<End>,
}

pub(super) enum End {
    Finished,
    Failed(JobError),
}

/// A background listener of a job's actor, aborted on drop.
struct Ear(tokio::task::JoinHandle<()>);

impl Drop for Ear {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl JobState {
    fn read(&mut self, entries: Vec<Result<Entry, BusError>>) {
        for entry in entries {
            match entry {
                Ok(Entry::Outcome(outcome)) => self.apply(&outcome),
                Ok(Entry::CaughtUp) => {
                    self.live = true;
                    self.done_before = self.machine.progress().ended();
                    tracing::debug!(job = %self.id, done = self.done_before, "journal replayed");
                }
                Err(error) => self.end = Some(End::Failed(error.into())),
            }
            if self.end.is_some() {
                return;
            }
        }
        if !self.live {
            self.backlog.thin(|task| self.machine.awaits(task));
        } else {
            self.workers.heard_of_work();
            self.tell_progress();
        }
    }

    fn tell_progress(&self) {
        let waits_for = self.workers.reason().map(str::to_owned);
        self.progress.send_replace(Progress { waits_for, ..self.machine.progress().clone() });
    }

    /// Looks for workers that serve the tasks in flight.
    fn look_for_workers(&mut self) {
        if self.live && self.workers.look(self.backlog.published()) {
            self.tell_progress();
        }
    }

    fn apply(&mut self, outcome: &Outcome) {
        if let Verdict::Stopped { reason } = &outcome.verdict
            && self.live
            && self.machine.awaits(outcome.task)
        {
            self.end = Some(End::Failed(JobError::Model(reason.clone())));
            return;
        }
        self.heard = Instant::now();
        let tasks = self.machine.apply(outcome);
        self.backlog.add(tasks);
        if let Some((task, since)) = self.backlog.ended(outcome) {
            measure::ended(&task, outcome, since.elapsed());
        }
    }

    /// Publishes as many tasks as the window has room for.
    async fn publish(&mut self) -> Result<(), BusError> {
        let tasks = self.backlog.take(|task| self.machine.awaits(task));
        if tasks.is_empty() {
            return Ok(());
        }
        self.heard = Instant::now();
        measure::published(tasks.len(), false);
        self.bus.publish_all(&tasks).await
    }

    /// Publishes the outstanding tasks again.
    async fn publish_again(&mut self, why: &str) -> Result<(), BusError> {
        let tasks = self.backlog.outstanding();
        if tasks.is_empty() || !self.live {
            return Ok(());
        }
        self.heard = Instant::now();
        tracing::info!(job = %self.id, tasks = tasks.len(), "{why}: publishing the outstanding tasks again");
        measure::published(tasks.len(), true);
        self.bus.publish_all(&tasks).await
    }

    fn finish_if_done(&mut self) {
        if self.live && self.end.is_none() && self.machine.is_finished() {
            self.end = Some(End::Finished);
        }
    }
}

impl Actor for JobActor {
    type Msg = News;
    type State = JobState;
    type Arguments = Begin;

    async fn pre_start(&self, myself: ActorRef<News>, begin: Begin) -> Result<JobState, ActorProcessingErr> {
        let Begin { job, services: JobServices { bus, options, roster }, progress } = begin;
        let id = job.id;
        let (machine, first) = jobs::begin(job);
        let mut backlog = Backlog::new(options.window);
        backlog.add(first);
        let ears = [
            Ear(tokio::spawn(watch_bus(bus.clone(), options.silence, myself.clone()))),
            Ear(tokio::spawn(read_journal(bus.clone(), id, myself))),
        ];
        Ok(JobState {
            id,
            machine,
            bus,
            progress,
            workers: WorkerWatch::new(id, roster),
            backlog,
            done_before: 0,
            silence: options.silence,
            heard: Instant::now(),
            live: false,
            _ears: ears,
            end: None,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<News>,
        mut news: News,
        state: &mut JobState,
    ) -> Result<(), ActorProcessingErr> {
        if state.end.is_some() {
            return Ok(());
        }
        let mut published = Ok(());
        match news {
            // The reader waits until the follow-up tasks are published: the next batch of entries is then as large.
            News::Read { ref mut entries, .. } => state.read(mem::take(entries)),
            News::Disturbed => published = state.publish_again("the bus was disturbed").await,
            News::Tick => {
                state.look_for_workers();
                if state.heard.elapsed() >= state.silence {
                    published = state.publish_again("no task has ended for a while").await;
                }
            }
        }
        state.finish_if_done();
        if state.live && state.end.is_none() && published.is_ok() {
            published = state.publish().await;
        }
        if let Err(error) = published {
            state.end = Some(End::Failed(error.into()));
        }
        if state.end.is_some() {
            myself.stop(None);
        }
        Ok(())
    }
}

/// Sends the entries of the journal to a job's actor until the actor is gone.
async fn read_journal(bus: Arc<dyn Bus>, job: JobId, actor: ActorRef<News>) {
    let journal = bus.journal(job).await.unwrap_or_else(|error| stream::iter([Err(error)]).boxed());
    let mut journal = journal.ready_chunks(AT_ONCE);
    let (_, mut dealt_with) = oneshot::channel();
    while let Some(entries) = journal.next().await {
        // The next entries come in while the actor applies these.
        let _ = dealt_with.await;
        let (_go_on, next) = oneshot::channel();
        if actor.cast(News::Read { entries, _go_on }).is_err() {
            return;
        }
        dealt_with = next;
    }
}

/// Tells a job's actor of disturbances of the bus and of the passing time.
async fn watch_bus(bus: Arc<dyn Bus>, silence: Duration, actor: ActorRef<News>) {
    let mut disturbances = bus.disturbances();
    let tick = (silence / 4).clamp(Duration::from_millis(10), TICK);
    loop {
        let news = tokio::select! {
            Some(()) = disturbances.next() => News::Disturbed,
            () = tokio::time::sleep(tick) => News::Tick,
        };
        if actor.cast(news).is_err() {
            return;
        }
    }
}
