//! The options of a coordinator.

use std::time::Duration;

use super::backlog::Window;

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
