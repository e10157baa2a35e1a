//! The state that all jobs of a service share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::watch;
use tributary_protocol::bus::{Bus, JobQueue};

use crate::actor::{self, Coordinator};

/// The options of a service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceOptions {
    /// Jobs in parallel, at least 1.
    pub jobs: usize,
    pub run: actor::Options,
    /// The shortest time between two writes of a job's state.
    pub state_every: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self { jobs: 16, run: actor::Options::default(), state_every: Duration::from_secs(1) }
    }
}

/// Live figures of a service.
#[derive(Debug, Default)]
pub struct ServiceFigures {
    pub(super) running: AtomicUsize,
}

impl ServiceFigures {
    /// Returns the number of jobs held now.
    pub fn running(&self) -> usize {
        self.running.load(Relaxed)
    }
}

/// The state that all jobs of a service share.
pub(super) struct Shared {
    pub bus: Arc<dyn Bus>,
    pub queue: Arc<dyn JobQueue>,
    pub coordinator: Coordinator,
    pub options: ServiceOptions,
    pub stopping: watch::Receiver<bool>,
    pub figures: Arc<ServiceFigures>,
}

/// The pause before the next claim after an error of the queue.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
