//! The supervisor of jobs' actors.

use std::{collections::HashMap, sync::Arc};

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::{oneshot, watch};
use tributary_protocol::job::{Job, Progress};

use super::{
    job_actor::{Begin, End, JobActor, JobState},
    job_end::{JobError, Ran},
    services::JobServices,
};

/// The most restarts of a job's actor that died of an error other than the bus's or the model's.
const RESTARTS: u32 = 2;

pub(super) type Done = oneshot::Sender<Result<Ran, JobError>>;

pub(super) enum Order {
    Run {
        job: Arc<Job>,
        progress: Arc<watch::Sender<Progress>>,
        done: Done,
    },
    /// Stop the jobs that no caller waits for any more.
    Leave,
}

/// Tells the supervisor, on drop, that a caller may have ceased to wait.
pub(super) struct Leave(pub ActorRef<Order>);

impl Drop for Leave {
    fn drop(&mut self) {
        let _ = self.0.cast(Order::Leave);
    }
}

/// Starts and restarts jobs' actors.
pub(super) struct Supervisor;

pub(super) struct Supervised {
    services: JobServices,
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
        let begin = Begin { job: job.clone(), services: self.services.clone(), progress: progress.clone() };
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
    type Arguments = JobServices;

    async fn pre_start(&self, _: ActorRef<Order>, services: JobServices) -> Result<Supervised, ActorProcessingErr> {
        Ok(Supervised { services, jobs: HashMap::new() })
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
