//! One task in, one outcome out.
//!
//! [`Performer::perform`] is the table of contents: a task whose model this worker can't use is left to the `peers`; its
//! texts are fetched; `solve` asks the model or quotes from the sources. Below it, from the top down:
//!
//! - `repair`: the conversation about one `piece` of work; a flawed reply is sent back with the reason;
//! - `call`: one call, answered by the `reply_cache` or by the model, with `single_flight` for equal calls;
//! - `retry`: a failed call is made again, given up, or left to peers;
//! - `health`: an outage of the model is told from bad luck of one call;
//! - `hedge`: a slow call is made twice;
//! - `issuer`: one attempt of a call, admitted by the provider's limits.
//!
//! A task has no outcome only where the bus fails, or where another worker can do what this worker can't.

mod answer;
mod bill;
mod call;
mod contract;
mod health;
mod hedge;
mod issuer;
mod models;
mod peers;
mod piece;
mod reasoning_room;
mod repair;
mod reply_cache;
mod retry;
mod single_flight;
mod solve;
mod telemetry;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;
use tributary_protocol::{
    bus::{Bus, BusError},
    task::{Kind, Outcome, Task, Verdict},
};

use self::{
    bill::TaskBill,
    call::ModelCaller,
    health::{ModelHealth, ModelOutages},
    hedge::CallLatencies,
    issuer::CallIssuer,
    piece::WorkPiece,
    single_flight::SingleFlight,
    solve::{HALVINGS, WorkResult, quote, solve},
};
pub use self::{
    contract::{NoOutcome, Perform},
    models::{ConnectedModel, ModelPrice, ModelRegistry, ServedModel},
    peers::{PeerListener, Peers, model_filter::ModelFilter},
    reasoning_room::ReasoningRoom,
    retry::patience::RetryPatience,
};

/// Does tasks with the models that they name.
pub struct Performer {
    bus: Arc<dyn Bus>,
    models: ModelRegistry,
    patience: RetryPatience,
    outages: ModelOutages,
    latencies: CallLatencies,
    flights: SingleFlight,
    /// Held while a model is tried for a peer's question.
    trial: tokio::sync::Mutex<()>,
    /// None where this worker is the only one.
    peers: Option<Arc<Peers>>,
}

#[async_trait]
impl Perform for Performer {
    async fn can_use(&self, model: &str, kind: Kind) -> bool {
        match self.models.get(model) {
            Ok(ServedModel::Model(model)) => {
                let asked = Instant::now();
                let _trial = self.trial.lock().await;
                self.health(&model, kind).is_usable(asked).await
            }
            Ok(ServedModel::Extractive) => true,
            Err(_) => false,
        }
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, NoOutcome> {
        let mut bill = TaskBill::default();
        let verdict = match self.work_on(task, &mut bill).await? {
            WorkResult::Made { product, degraded: None } => Verdict::Done(product),
            WorkResult::Made { product, degraded: Some(reason) } => Verdict::Degraded { product, reason },
            WorkResult::Failed { reason } => Verdict::Failed { reason },
            WorkResult::Stopped { reason } => Verdict::Stopped { reason: self.with_worker_name(task, reason) },
            WorkResult::LeftToPeers => {
                return Err(NoOutcome::LeftToPeers { model: task.model.clone(), usage: Box::new(bill.usage) });
            }
        };
        Ok(Outcome { task: task.id, verdict, usage: bill.usage, citations_removed: bill.citations_removed })
    }
}

impl Performer {
    /// A performer for the only worker of a process.
    pub fn new(bus: Arc<dyn Bus>, models: ModelRegistry, patience: RetryPatience) -> Self {
        let latencies = CallLatencies::new(patience.hedge);
        let (outages, flights, trial) =
            (ModelOutages::default(), SingleFlight::default(), tokio::sync::Mutex::default());
        Self { bus, models, patience, outages, latencies, flights, trial, peers: None }
    }

    /// The performer as one worker of several.
    pub fn among(self, peers: Arc<Peers>) -> Self {
        Self { peers: Some(peers), ..self }
    }

    async fn work_on(&self, task: &Arc<Task>, bill: &mut TaskBill) -> Result<WorkResult, BusError> {
        let (peers, kind) = (self.peers.as_deref(), task.kind());
        if peers.is_some_and(|peers| peers.is_unfit_for(&task.model, kind)) {
            return Ok(WorkResult::LeftToPeers);
        }
        let served = match self.models.get(&task.model) {
            Ok(served) => served,
            Err(reason) => match peers {
                Some(peers) if peers.can_use(&task.model, kind, &reason).await => return Ok(WorkResult::LeftToPeers),
                _ => return Ok(WorkResult::Stopped { reason }),
            },
        };
        let piece = WorkPiece::whole(Arc::clone(task), self.blobs(task).await?);
        match served {
            ServedModel::Extractive => Ok(match quote(piece).await {
                Ok(product) => WorkResult::Made { product, degraded: None },
                Err(reason) => WorkResult::Failed { reason },
            }),
            ServedModel::Model(model) => solve(&self.caller(&model, kind), piece, HALVINGS, bill).await,
        }
    }

    fn health<'a>(&'a self, model: &'a ConnectedModel, kind: Kind) -> ModelHealth<'a> {
        let issuer = CallIssuer { kind, model };
        ModelHealth { issuer, outages: &self.outages, patience: &self.patience, peers: self.peers.as_deref() }
    }

    fn caller<'a>(&'a self, model: &'a ConnectedModel, kind: Kind) -> ModelCaller<'a> {
        let health = self.health(model, kind);
        ModelCaller { bus: &*self.bus, flights: &self.flights, latencies: &self.latencies, health }
    }

    /// The bytes of the blobs that a task's work refers to.
    async fn blobs(&self, task: &Task) -> Result<Vec<Bytes>, BusError> {
        let mut blobs = Vec::new();
        for blob in task.work.blobs() {
            blobs.push(self.bus.get(task.job, blob).await?);
        }
        Ok(blobs)
    }

    /// The reason why a job stops; with the worker's name where there are several.
    fn with_worker_name(&self, task: &Task, reason: String) -> String {
        let Some(peers) = &self.peers else { return reason };
        tracing::error!(model = task.model, job = %task.job, reason, "no worker can use the model, and the job stops");
        format!("{reason} (worker {})", peers.name())
    }
}
