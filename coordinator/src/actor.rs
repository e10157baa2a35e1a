//! The coordinator: one supervised actor a job.
//!
//! A job's actor feeds its machine from the job's journal and publishes the tasks that come of it, the earliest stages
//! first and never more than a window of them. It keeps nothing that the journal doesn't have. When it dies, its
//! supervisor starts it again, and it replays the journal.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
};

use futures::{StreamExt, future::try_join_all};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent, concurrency::JoinHandle};
use tokio::sync::{oneshot, watch};
use tributary_protocol::{
    bus::{Bus, BusError, Entry},
    id::JobId,
    job::{Job, Progress},
    task::{Outcome, Stage, Task, Verdict},
};

use crate::machine::Machine;

/// How often a job's actor is started again after it died of something that was not the bus's or the model's fault.
const RESTARTS: u32 = 2;

/// Why a job stopped before its end. Its state is kept in every case.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The model can't be used: the reason names it.
    #[error("{0}")]
    Model(String),
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A fault of ours.
    #[error("the job's coordination failed: {0}")]
    Crashed(String),
    /// It was asked to.
    #[error("interrupted")]
    Interrupted,
}

/// Runs jobs over a bus.
pub struct Coordinator {
    supervisor: ActorRef<Order>,
    ended: JoinHandle<()>,
}

impl Coordinator {
    /// `window`: the most tasks of a job that are with the bus at a time, at least 1.
    ///
    /// # Errors
    /// [`JobError::Crashed`] where the actor system refuses to start.
    pub async fn start(bus: Arc<dyn Bus>, window: usize) -> Result<Self, JobError> {
        let (supervisor, ended) = Actor::spawn(None, Supervisor, (bus, window.max(1)))
            .await
            .map_err(|error| JobError::Crashed(error.to_string()))?;
        Ok(Self { supervisor, ended })
    }

    /// Runs a job to its end, or takes it up where its journal stands. `progress` is kept up to date.
    ///
    /// # Errors
    /// See [`JobError`].
    pub async fn run(&self, job: Arc<Job>, progress: watch::Sender<Progress>) -> Result<Machine, JobError> {
        let (done, end) = oneshot::channel();
        let order = Order::Run { job, progress: Arc::new(progress), done };
        self.supervisor.cast(order).map_err(|error| JobError::Crashed(error.to_string()))?;
        end.await.unwrap_or(Err(JobError::Interrupted))
    }

    /// Stops all jobs where they are: those who wait for them get [`JobError::Interrupted`].
    pub async fn stop(self) {
        self.supervisor.stop(None);
        let _ = self.ended.await;
    }
}

type Done = oneshot::Sender<Result<Machine, JobError>>;

enum Order {
    Run { job: Arc<Job>, progress: Arc<watch::Sender<Progress>>, done: Done },
}

/// Starts jobs' actors and starts them again.
struct Supervisor;

struct Supervised {
    bus: Arc<dyn Bus>,
    window: usize,
    jobs: HashMap<ractor::ActorId, Running>,
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
        let begin = Begin { job: job.clone(), bus: self.bus.clone(), window: self.window, progress: progress.clone() };
        match Actor::spawn_linked(None, JobActor, begin, supervisor.get_cell()).await {
            Ok((actor, _)) => {
                self.jobs.insert(actor.get_id(), running);
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
    type Arguments = (Arc<dyn Bus>, usize);

    async fn pre_start(
        &self,
        _: ActorRef<Order>,
        (bus, window): Self::Arguments,
    ) -> Result<Supervised, ActorProcessingErr> {
        Ok(Supervised { bus, window, jobs: HashMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        state: &mut Supervised,
    ) -> Result<(), ActorProcessingErr> {
        let Order::Run { job, progress, done } = order;
        state.start(myself, Running { job, progress, done, deaths: 0 }).await;
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
                let Some(running) = state.jobs.remove(&actor.get_id()) else { return Ok(()) };
                let end = match left.and_then(|mut left| left.take::<JobState>().ok()) {
                    Some(JobState { end: Some(End::Finished), machine, .. }) => Ok(machine),
                    Some(JobState { end: Some(End::Failed(error)), .. }) => Err(error),
                    _ => Err(JobError::Interrupted),
                };
                let _ = running.done.send(end);
            }
            SupervisionEvent::ActorFailed(actor, error) => {
                let Some(mut running) = state.jobs.remove(&actor.get_id()) else { return Ok(()) };
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
    window: usize,
    progress: Arc<watch::Sender<Progress>>,
}

enum News {
    Outcome(Arc<Outcome>),
    /// The journal so far has been replayed.
    Caught,
    Lost(BusError),
}

struct JobState {
    id: JobId,
    machine: Machine,
    bus: Arc<dyn Bus>,
    window: usize,
    progress: Arc<watch::Sender<Progress>>,
    /// Asked for and not published.
    ready: BinaryHeap<Ready>,
    asked: u64,
    /// Published and without an outcome.
    out: usize,
    /// The journal has been replayed: what is open now is really open.
    live: bool,
    _reader: Reader,
    end: Option<End>,
}

enum End {
    Finished,
    Failed(JobError),
}

/// Reads the journal as long as its job's actor lives.
struct Reader(tokio::task::JoinHandle<()>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Earlier stages first: what has the longest way to go still ahead of it. Then in the order of asking.
struct Ready {
    rank: Reverse<(Stage, u64)>,
    task: Task,
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ready {}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl JobState {
    fn ready(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            self.asked += 1;
            self.ready.push(Ready { rank: Reverse((task.stage, self.asked)), task });
        }
    }

    fn apply(&mut self, outcome: &Outcome) {
        if self.live && self.machine.awaits(outcome.task) {
            if let Verdict::Stopped { reason } = &outcome.verdict {
                self.end = Some(End::Failed(JobError::Model(reason.clone())));
                return;
            }
            self.out = self.out.saturating_sub(1);
        }
        let tasks = self.machine.apply(outcome);
        self.ready(tasks);
        if self.live {
            self.show();
        }
    }

    fn show(&self) {
        self.progress.send_replace(self.machine.progress().clone());
    }

    /// Publishes what there is room for.
    async fn publish(&mut self) -> Result<(), BusError> {
        let mut tasks = Vec::new();
        while self.out < self.window
            && let Some(Ready { task, .. }) = self.ready.pop()
        {
            // During replay a task may have been asked for before its outcome was met.
            if self.machine.awaits(task.id) {
                self.out += 1;
                tasks.push(task);
            }
        }
        try_join_all(tasks.iter().map(|task| self.bus.publish(task))).await?;
        Ok(())
    }

    fn finish_if_done(&mut self) {
        if self.live && self.end.is_none() && self.machine.finished().is_some() {
            self.end = Some(End::Finished);
        }
    }
}

impl Actor for JobActor {
    type Msg = News;
    type State = JobState;
    type Arguments = Begin;

    async fn pre_start(&self, myself: ActorRef<News>, begin: Begin) -> Result<JobState, ActorProcessingErr> {
        let Begin { job, bus, window, progress } = begin;
        let id = job.id;
        let (machine, first) = Machine::new(job);
        let _reader = Reader(tokio::spawn(read_journal(bus.clone(), id, myself)));
        let mut state = JobState {
            id,
            machine,
            bus,
            window,
            progress,
            ready: BinaryHeap::new(),
            asked: 0,
            out: 0,
            live: false,
            _reader,
            end: None,
        };
        state.ready(first);
        Ok(state)
    }

    async fn handle(&self, myself: ActorRef<News>, news: News, state: &mut JobState) -> Result<(), ActorProcessingErr> {
        if state.end.is_some() {
            return Ok(());
        }
        match news {
            News::Outcome(outcome) => state.apply(&outcome),
            News::Caught => {
                state.live = true;
                state.show();
                tracing::debug!(job = %state.id, outcomes = state.asked, "journal replayed");
            }
            News::Lost(error) => state.end = Some(End::Failed(error.into())),
        }
        state.finish_if_done();
        if state.live
            && state.end.is_none()
            && let Err(error) = state.publish().await
        {
            state.end = Some(End::Failed(error.into()));
        }
        if state.end.is_some() {
            myself.stop(None);
        }
        Ok(())
    }
}

/// Tells a job's actor what its journal has, until there is no one to tell.
async fn read_journal(bus: Arc<dyn Bus>, job: JobId, actor: ActorRef<News>) {
    let mut journal = match bus.journal(job).await {
        Ok(journal) => journal,
        Err(error) => {
            let _ = actor.cast(News::Lost(error));
            return;
        }
    };
    while let Some(entry) = journal.next().await {
        let news = match entry {
            Ok(Entry::Outcome(outcome)) => News::Outcome(outcome),
            Ok(Entry::Caught) => News::Caught,
            Err(error) => News::Lost(error),
        };
        if actor.cast(news).is_err() {
            return;
        }
    }
}
