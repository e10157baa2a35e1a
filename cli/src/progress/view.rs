//! The trait of the displays of a job's progress.

use std::time::Instant;

use tributary_protocol::job::Progress;

/// A display of one job's progress.
pub(super) trait View: Send {
    fn update(&mut self, progress: &Progress, now: Instant);
    /// Shows the end of the job, successful or not. No call follows.
    fn end(&mut self, progress: &Progress, now: Instant);
}
