//! The coordinator: one supervised actor a job.
//!
//! A job's actor feeds its machine from the job's journal and publishes the resulting tasks, earliest stages first, at
//! most a [`Window`] of tasks at a time. The actor keeps no state beyond the journal: when the actor dies, its
//! supervisor restarts it, and the journal is replayed. Tasks in flight are published again when the bus may have lost
//! them.

mod backlog;
mod job_actor;
mod job_end;
mod measure;
mod options;
mod services;
mod supervisor;
mod unserved;

use std::sync::Arc;

use ractor::{Actor, ActorRef, concurrency::JoinHandle};
use tokio::sync::{oneshot, watch};
use tributary_protocol::{
    bus::Bus,
    job::{Job, Progress},
};

pub use self::{
    backlog::Window,
    job_end::{JobError, Ran},
    options::Options,
};
use self::{
    services::JobServices,
    supervisor::{Leave, Order, Supervisor},
};
use crate::roster::Roster;

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
        unserved::set_up_gauge();
        let services = JobServices { bus, options, roster };
        let (supervisor, ended) =
            Actor::spawn(None, Supervisor, services).await.map_err(|error| JobError::Crashed(error.to_string()))?;
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
