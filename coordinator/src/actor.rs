//! The coordinator: one supervised actor a job.
//!
//! A job's actor feeds its machine from the job's journal and publishes the resulting tasks, earliest stages first, at
//! most a [`Window`] of tasks at a time. The actor keeps no state beyond the journal: when the actor dies, its
//! supervisor restarts it, and the journal is replayed. Tasks in flight are published again when the bus may have lost
//! them.

mod backlog;
mod measure;

use std::{
    collections::HashMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent, concurrency::JoinHandle};
use tokio::sync::{oneshot, watch};
use tributary_protocol::{
    bus::{Bus, BusError, Entry},
    id::JobId,
    job::{Job, Progress},
    task::{Outcome, Verdict},
};

pub use self::backlog::Window;
use self::{backlog::Backlog, measure::UnservedJob};
use crate::{engine::Machine, jobs, roster::Roster};

/// The most restarts of a job's actor that died of an error other than the bus's or the model's.
const RESTARTS: u32 = 2;

/// The time without an outcome after which a job looks for workers that serve its tasks.
const UNSERVED: Duration = Duration::from_secs(6);

/// The longest time between two ticks.
const TICK: Duration = Duration::from_secs(2);

/// The most outcomes applied in one batch. Their follow-up tasks are published together, in one round trip to the bus.
const AT_ONCE: usize = 256;

/// Why a job stopped before its end. The job's state is kept in every case.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The model is unusable; the reason names the cause.
    #[error("{0}")]
    Model(String),
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A fault of this program.
    #[error("the job's coordination failed: {0}")]
    Crashed(String),
    /// The coordinator was asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// The options of a coordinator.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The window of each job.
    pub window: Window,
    /// Time without any outcome after which outstanding tasks are published again. The bus skips tasks that it still
    /// has, so republishing costs next to nothing and recovers tasks that were lost silently.
    pub silence: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { window: Window::default(), silence: Duration::from_secs(60) }
    }
}

/// Runs jobs over a bus.
pub struct Coordinator {
    supervisor: ActorRef<Order>,
    ended: JoinHandle<()>,
}

impl Coordinator {
    /// Starts the coordinator. With a `roster`, a job without a worker for its tasks says so in its progress.
    ///
    /// # Errors
    ///
    /// [`JobError::Crashed`] where the actor system refuses to start.
    pub async fn start(bus: Arc<dyn Bus>, options: Options, roster: Option<Arc<Roster>>) -> Result<Self, JobError> {
        UnservedJob::set_up();
        let (supervisor, ended) = Actor::spawn(None, Supervisor, (bus, options, roster))
            .await
            .map_err(|error| JobError::Crashed(error.to_string()))?;
        Ok(Self { supervisor, ended })
    }

    /// Runs a job to its end, or resumes the job from its journal, and keeps `progress` up to date. Dropping the future
    /// stops the job where it is.
    ///
    /// # Errors
    ///
    /// See [`JobError`].
    pub async fn run(&self, job: Arc<Job>, progress: watch::Sender<Progress>) -> Result<Ran, JobError> {
        // Dropped last, when the other end of the channel is closed.
        let _leave = Leave(self.supervisor.clone());
        let (done, end) = oneshot::channel();
        let order = Order::Run { job, progress: Arc::new(progress), done };
        self.supervisor.cast(order).map_err(|error| JobError::Crashed(error.to_string()))?;
        end.await.unwrap_or(Err(JobError::Interrupted))
    }

    /// Stops all jobs where they are. Callers that wait for a job get [`JobError::Interrupted`].
    pub async fn stop(self) {
        self.supervisor.stop(None);
        let _ = self.ended.await;
    }
}

/// A job at its end.
pub struct Ran {
    pub machine: Box<dyn Machine>,
    /// Tasks that had ended before this run of the job.
    pub done_before: u64,
}

type Done = oneshot::Sender<Result<Ran, JobError>>;

enum Order {
    Run {
        job: Arc<Job>,
        progress: Arc<watch::Sender<Progress>>,
        done: Done,
    },
    /// Stop the jobs that no caller waits for any more.
    Leave,
}

/// Tells the supervisor, on drop, that a caller may have ceased to wait.
struct Leave(ActorRef<Order>);

impl Drop for Leave {
    fn drop(&mut self) {
        let _ = self.0.cast(Order::Leave);
    }
}

/// Starts and restarts jobs' actors.
struct Supervisor;

struct Supervised {
    bus: Arc<dyn Bus>,
    options: Options,
    roster: Option<Arc<Roster>>,
    jobs: HashMap<ractor::ActorId, (ActorCell, Running)>,
}

struct Running {
    job: Arc<Job>,
    progress: Arc<watch::Sender<Progress>>,
    done: Done,
    deaths: u32,
}

impl Supervised {
    async fn start(&mut self, supervisor: ActorRef<Order>, running: Running) {
        let Running { job, progress, .. } = &running;
        let begin = Begin {
            job: job.clone(),
            bus: self.bus.clone(),
            options: self.options,
            roster: self.roster.clone(),
            progress: progress.clone(),
        };
        match Actor::spawn_linked(None, JobActor, begin, supervisor.get_cell()).await {
            Ok((actor, _)) => {
                self.jobs.insert(actor.get_id(), (actor.get_cell(), running));
            }
            Err(error) => {
                let _ = running.done.send(Err(JobError::Crashed(error.to_string())));
            }
        }
    }
}

impl Actor for Supervisor {
    type Msg = Order;
    type State = Supervised;
    type Arguments = (Arc<dyn Bus>, Options, Option<Arc<Roster>>);

    async fn pre_start(
        &self,
        _: ActorRef<Order>,
        (bus, options, roster): Self::Arguments,
    ) -> Result<Supervised, ActorProcessingErr> {
        Ok(Supervised { bus, options, roster, jobs: HashMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        state: &mut Supervised,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Run { job, progress, done } => {
                state.start(myself, Running { job, progress, done, deaths: 0 }).await;
            }
            Order::Leave => {
                let left = state.jobs.values().filter(|(_, running)| running.done.is_closed());
                left.for_each(|(actor, _)| actor.stop(None));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Order>,
        event: SupervisionEvent,
        state: &mut Supervised,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(actor, left, _) => {
                let Some((_, running)) = state.jobs.remove(&actor.get_id()) else { return Ok(()) };
                let end = match left.and_then(|mut left| left.take::<JobState>().ok()) {
                    Some(JobState { end: Some(End::Finished), machine, done_before, .. }) => {
                        Ok(Ran { machine, done_before })
                    }
                    Some(JobState { end: Some(End::Failed(error)), .. }) => Err(error),
                    _ => Err(JobError::Interrupted),
                };
                let _ = running.done.send(end);
            }
            SupervisionEvent::ActorFailed(actor, error) => {
                let Some((_, mut running)) = state.jobs.remove(&actor.get_id()) else { return Ok(()) };
                running.deaths += 1;
                tracing::error!(job = %running.job.id, %error, deaths = running.deaths, "a job's actor died");
                if running.deaths > RESTARTS {
                    let _ = running.done.send(Err(JobError::Crashed(error.to_string())));
                } else {
                    state.start(myself, running).await;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Drives one job.
struct JobActor;

struct Begin {
    job: Arc<Job>,
    bus: Arc<dyn Bus>,
    options: Options,
    roster: Option<Arc<Roster>>,
    progress: Arc<watch::Sender<Progress>>,
}

enum News {
    /// Entries that the journal had ready. Dropping the sender lets the reader go on.
    Read { entries: Vec<Result<Entry, BusError>>, _go_on: oneshot::Sender<()> },
    /// The bus was disturbed and may have lost tasks.
    Disturbed,
    /// Some time has passed.
    Tick,
}

struct JobState {
    id: JobId,
    machine: Box<dyn Machine>,
    bus: Arc<dyn Bus>,
    progress: Arc<watch::Sender<Progress>>,
    roster: Option<Arc<Roster>>,
    /// Set while no worker serves the tasks in flight.
    unserved: Option<UnservedJob>,
    backlog: Backlog,
    done_before: u64,
    silence: Duration,
    /// The time of the last publication or outcome.
    heard: Instant,
    /// The time of the last entries from the journal. Publications don't count: unserved tasks are published again.
    read_at: Instant,
    /// The journal has been replayed: tasks that are open now have no outcome yet.
    live: bool,
    _ears: [Ear; 2],
    end: Option<End>,
}

enum End {
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
        self.read_at = Instant::now();
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
            if self.unserved.take().is_some() {
                tracing::info!(job = %self.id, "the job makes progress again");
            }
            self.tell_progress();
        }
    }

    fn tell_progress(&self) {
        let waits_for = self.unserved.as_ref().map(|unserved| unserved.reason.clone());
        self.progress.send_replace(Progress { waits_for, ..self.machine.progress().clone() });
    }

    /// Looks for workers that serve the tasks in flight, and reports in log and progress if there are none.
    fn look_for_workers(&mut self) {
        let Some(roster) = self.roster.as_ref().filter(|_| self.live && self.read_at.elapsed() >= UNSERVED) else {
            return;
        };
        let reason = roster.unserved(self.backlog.published().map(|task| (task.kind(), task.model.as_str())));
        if reason.as_deref() == self.unserved.as_ref().map(|unserved| unserved.reason.as_str()) {
            return;
        }
        match &reason {
            Some(reason) => tracing::warn!(job = %self.id, reason, "the job waits for workers"),
            None => tracing::info!(job = %self.id, "workers serve the job's tasks again"),
        }
        self.unserved = reason.map(UnservedJob::new);
        self.tell_progress();
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
        let Begin { job, bus, options, roster, progress } = begin;
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
            roster,
            unserved: None,
            backlog,
            done_before: 0,
            silence: options.silence,
            heard: Instant::now(),
            read_at: Instant::now(),
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
