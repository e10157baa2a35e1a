//! The phases of a pool, from its start to its end.

/// The phase of a pool, as followed by its tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum PoolPhase {
    Working,
    /// No new task.
    Draining,
    /// Running tasks go back to the bus.
    HandingBack,
}
