//! The trait of what shows a job's progress.

use std::time::Instant;

use tributary_protocol::job::Progress;

/// One job on the screen.
pub(super) trait View: Send {
    fn update(&mut self, progress: &Progress, now: Instant);
    /// The job has ended, this way or that; nothing follows.
    fn end(&mut self, progress: &Progress, now: Instant);
}
