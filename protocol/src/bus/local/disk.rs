//! The disk of the bus of a single process, used from a few threads.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::store::LocalStore;
use crate::bus::{BusError, Result};

/// Threads that wait for the disk at a time. Each keeps some memory of its past work: hundreds of threads, as a large
/// corpus would have at once, keep a gigabyte.
const THREADS: usize = 8;

/// The store on disk, and the threads that wait for it. Clones share both.
#[derive(Clone)]
pub(super) struct LocalDisk {
    store: Arc<LocalStore>,
    threads: Arc<Semaphore>,
}

impl LocalDisk {
    pub fn new(store: LocalStore) -> Self {
        Self { store: Arc::new(store), threads: Arc::new(Semaphore::new(THREADS)) }
    }

    /// Returns the error of a failed use of the disk.
    pub fn failed(&self, cause: impl ToString) -> BusError {
        self.store.failed(cause)
    }

    /// Runs blocking disk work on another thread. The work is carried out whole, even if the caller is cancelled.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LocalStore) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (store, threads) = (self.store.clone(), self.threads.clone());
        let ended = tokio::spawn(async move {
            let _thread = threads.acquire_owned().await;
            tokio::task::spawn_blocking(move || work(&store)).await
        });
        match ended.await.and_then(|ended| ended) {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(self.store.failed("failed to use the disk: the process is ending")),
            },
        }
    }
}
