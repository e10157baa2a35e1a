//! A worker that serves some models alone.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use tributary_protocol::task::{Kind, Outcome, Task};

use super::{Perform, Undone};

/// Does the tasks that name one of its models, and declines all others.
pub struct OnlyModels {
    models: BTreeSet<String>,
    inner: Arc<dyn Perform>,
}

impl OnlyModels {
    /// Only these models; every model where none is named.
    pub fn of(models: &[String], inner: Arc<dyn Perform>) -> Arc<dyn Perform> {
        if models.is_empty() {
            return inner;
        }
        Arc::new(Self { models: models.iter().cloned().collect(), inner })
    }
}

#[async_trait]
impl Perform for OnlyModels {
    fn declines(&self, task: &Task) -> Option<String> {
        if self.models.contains(&task.model) {
            return self.inner.declines(task);
        }
        let served = self.models.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(format!("it is for {}, and this worker serves {served} alone", task.model))
    }

    async fn can_use(&self, model: &str, kind: Kind) -> bool {
        self.models.contains(model) && self.inner.can_use(model, kind).await
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, Undone> {
        self.inner.perform(task).await
    }
}
