//! A filter for workers restricted to some models.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use tributary_protocol::task::{Kind, Outcome, Task};

use crate::perform::contract::{NoOutcome, Perform};

/// Lets the tasks for its models through, and declines all others.
pub struct ModelFilter {
    models: BTreeSet<String>,
    inner: Arc<dyn Perform>,
}

impl ModelFilter {
    /// Filters for these models. An empty list lets every task through.
    pub fn of(models: &[String], inner: Arc<dyn Perform>) -> Arc<dyn Perform> {
        if models.is_empty() {
            return inner;
        }
        Arc::new(Self { models: models.iter().cloned().collect(), inner })
    }
}

#[async_trait]
impl Perform for ModelFilter {
    fn declines(&self, task: &Task) -> Option<String> {
        if self.models.contains(&task.model) {
            return self.inner.declines(task);
        }
        let served = self.models.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(format!("the task is for {}, and this worker serves {served} only", task.model))
    }

    async fn can_use(&self, model: &str, kind: Kind) -> bool {
        self.models.contains(model) && self.inner.can_use(model, kind).await
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, NoOutcome> {
        self.inner.perform(task).await
    }
}
