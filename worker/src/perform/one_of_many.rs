//! A worker that is one of many: what it can't do, others may.
//!
//! Where a model can't be used here, be it for a wrong key or for a network of its own, the other workers are asked. As long
//! as one of them can use it, the model's tasks are left to them, and this worker tries again after a while. Only where
//! nobody can, the job stops.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tributary_protocol::{
    bus::{self, Kinds, Members},
    task::{Kind, Outcome, Task, Verdict},
    wire,
};

use super::{Perform, Undone};

/// Where workers of a deployment hear one another.
const GROUP: &str = "workers";

/// How long the others have to answer: they may have to make a tiny call first.
const ANSWER: Duration = Duration::from_secs(5);

/// How long a model is not tried that others can use.
const REST: Duration = Duration::from_secs(60);

/// How long to wait before the others are listened to again, once that has failed.
const AGAIN: Duration = Duration::from_secs(1);

/// What workers tell one another.
#[derive(Serialize, Deserialize)]
enum Word {
    /// Who can do such a task?
    Ask { number: u64, model: String, kind: Kind },
    /// Whoever answers the question of this number.
    Can { number: u64 },
}

/// Does what the inner performer does, and leaves to others what that can't.
pub struct OneOfMany {
    worker: Arc<Worker>,
    /// Answers the others.
    ear: JoinHandle<()>,
}

struct Worker {
    /// What people know it by.
    name: String,
    kinds: Kinds,
    inner: Arc<dyn Perform>,
    others: Arc<dyn Members>,
    /// Models that are not tried before these times.
    resting: Mutex<HashMap<String, Instant>>,
    /// Held while the others are asked: what one task learns serves all.
    asking: tokio::sync::Mutex<()>,
}

impl OneOfMany {
    /// Begins to answer the others. Must be called within a runtime.
    pub fn join(name: String, kinds: Kinds, inner: Arc<dyn Perform>, others: Arc<dyn Members>) -> Self {
        let (resting, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        let worker = Arc::new(Worker { name, kinds, inner, others, resting, asking });
        let ear = tokio::spawn(listen(worker.clone()));
        Self { worker, ear }
    }

    /// Whether there is a model that this worker can't use and others can.
    pub fn is_unfit(&self) -> bool {
        let now = Instant::now();
        self.worker.resting().values().any(|until| *until > now)
    }
}

impl Drop for OneOfMany {
    fn drop(&mut self) {
        self.ear.abort();
    }
}

#[async_trait]
impl Perform for OneOfMany {
    fn declines(&self, task: &Task) -> Option<String> {
        self.worker.inner.declines(task)
    }

    async fn can_use(&self, model: &str, kind: Kind) -> bool {
        self.worker.can_use(model, kind).await
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, Undone> {
        let worker = &self.worker;
        if worker.rests(&task.model) {
            return Err(left(&task.model));
        }
        let mut outcome = worker.inner.perform(task).await?;
        let Verdict::Stopped { reason } = &mut outcome.verdict else { return Ok(outcome) };
        let (model, kind) = (&task.model, task.kind());
        let _turn = worker.asking.lock().await;
        if worker.rests(model) {
            return Err(left(model));
        }
        // Before the others are asked: this one can't be who answers.
        worker.resting().insert(model.clone(), Instant::now() + REST);
        if worker.others_can_use(model, kind).await {
            tracing::error!(model, reason, rest = ?REST, "a model can't be used here, and its tasks are left to others, who can");
            return Err(left(model));
        }
        worker.resting().remove(model);
        tracing::error!(model, job = %task.job, reason, "a model can't be used, and a job stops");
        reason.push_str(&format!(" (worker {})", worker.name));
        Ok(outcome)
    }
}

fn left(model: &str) -> Undone {
    Undone::Left { reason: format!("{model} can't be used here, and can elsewhere") }
}

impl Worker {
    fn resting(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests(&self, model: &str) -> bool {
        self.resting().get(model).is_some_and(|until| *until > Instant::now())
    }

    async fn can_use(&self, model: &str, kind: Kind) -> bool {
        self.kinds.contains(kind) && !self.rests(model) && self.inner.can_use(model, kind).await
    }

    /// Whether another says so in time. Where the others can't be reached, none does.
    async fn others_can_use(&self, model: &str, kind: Kind) -> bool {
        let asked = timeout(ANSWER, self.ask(model, kind)).await;
        matches!(asked, Ok(Ok(true)))
    }

    async fn ask(&self, model: &str, kind: Kind) -> bus::Result<bool> {
        let number = rand::random();
        let mut heard = self.others.hear(GROUP).await?;
        let question = Word::Ask { number, model: model.to_owned(), kind };
        self.others.tell(GROUP, wire::encode(&question).into()).await?;
        while let Some(word) = heard.next().await {
            if matches!(wire::decode(&word), Ok(Word::Can { number: answered }) if answered == number) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn answer(self: Arc<Self>, number: u64, model: String, kind: Kind) {
        if self.can_use(&model, kind).await
            && let Err(error) = self.others.tell(GROUP, wire::encode(&Word::Can { number }).into()).await
        {
            tracing::debug!(model, %error, "another worker's question goes without an answer");
        }
    }
}

async fn listen(worker: Arc<Worker>) {
    loop {
        match worker.others.hear(GROUP).await {
            Ok(mut heard) => {
                while let Some(word) = heard.next().await {
                    // A word of another build isn't for us.
                    if let Ok(Word::Ask { number, model, kind }) = wire::decode(&word) {
                        tokio::spawn(worker.clone().answer(number, model, kind));
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "other workers can't be heard; trying again"),
        }
        sleep(AGAIN).await;
    }
}
