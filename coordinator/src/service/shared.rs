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

/// How a service works.
#[derive(Clone, Copy, Debug)]
pub struct ServiceOptions {
    /// Jobs at a time, at least 1.
    pub jobs: usize,
    pub run: actor::Options,
    /// The shortest time between two writings of a job's state.
    pub state_every: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self { jobs: 16, run: actor::Options::default(), state_every: Duration::from_secs(1) }
    }
}

/// What a service is doing, in figures.
#[derive(Debug, Default)]
pub struct ServiceFigures {
    pub(super) running: AtomicUsize,
}

impl ServiceFigures {
    /// Jobs that are held now.
    pub fn running(&self) -> usize {
        self.running.load(Relaxed)
    }
}

/// What all jobs of a service share.
pub(super) struct Shared {
    pub bus: Arc<dyn Bus>,
    pub queue: Arc<dyn JobQueue>,
    pub coordinator: Coordinator,
    pub options: ServiceOptions,
    pub stopping: watch::Receiver<bool>,
    pub figures: Arc<ServiceFigures>,
}

/// After a queue that failed, so long nothing is claimed.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
