//! A worker that is one of many.

use std::sync::Arc;

use async_trait::async_trait;
use tributary_protocol::{
    bus::BusError,
    task::{Outcome, Task, Verdict},
};

use super::Perform;

/// Says which worker it was for whom a model can't be used: another may have the right key.
pub struct Named {
    name: String,
    inner: Arc<dyn Perform>,
}

impl Named {
    pub fn of(name: String, inner: Arc<dyn Perform>) -> Arc<dyn Perform> {
        Arc::new(Self { name, inner })
    }
}

#[async_trait]
impl Perform for Named {
    fn declines(&self, task: &Task) -> Option<String> {
        self.inner.declines(task)
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, BusError> {
        let mut outcome = self.inner.perform(task).await?;
        if let Verdict::Stopped { reason } = &mut outcome.verdict {
            tracing::error!(model = task.model, job = %task.job, reason, "a model can't be used, and a job stops");
            reason.push_str(&format!(" (worker {})", self.name));
        }
        Ok(outcome)
    }
}
