//! The settings of the bus of a single process.

use std::time::Duration;

/// The settings of a [`LocalBus`](super::LocalBus). The defaults suit corpora of kilobytes to gigabytes.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Memory for recently read data, in bytes.
    pub cache: u64,
    /// Time between syncs against power failures.
    pub sync_every: Duration,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { cache: 16 << 20, sync_every: Duration::from_secs(1) }
    }
}
