//! Peers: the other workers of a deployment, for tasks impossible here.
//!
//! Where a worker can't use a model, for a wrong key or for trouble in its own network, the worker asks its peers. As
//! long as a peer can use the model, this worker is unfit for the model: tasks are left to the peers, and the model is
//! tried again from time to time. A job stops only where no worker can use its model.

pub(super) mod model_filter;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout_at},
};
use tributary_protocol::{
    bus::{self, Gossip, Kinds},
    task::Kind,
    wire,
};

use super::contract::Perform;

/// The group of members in which workers talk.
const GROUP: &str = "workers";

/// The longest time until every peer that may be able has announced an answer.
const ANNOUNCED: Duration = Duration::from_secs(2);

/// The longest time until an announced answer comes: a tiny call may wait for its turn, and for a model that reasons.
const ANSWERED: Duration = Duration::from_secs(60);

/// The pause between trials of a model that peers can use and this worker can't.
const RETRIAL: Duration = Duration::from_secs(60);

/// The time for which the answer that no worker can use a model holds.
const SETTLED: Duration = Duration::from_secs(5);

/// The pause before a failed subscription is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// A message between workers about one model.
#[derive(Serialize, Deserialize)]
enum PeerMessage {
    /// Asks which peers can use the model for such tasks.
    Question { number: u64, model: String, kind: Kind },
    /// Announces an answer to the question of this number.
    Considering { number: u64 },
    /// Answers the question of this number.
    Answer { number: u64, can: bool },
}

/// The peers of one worker, and the models that this worker is unfit for.
pub struct Peers {
    /// This worker's name, for people.
    name: String,
    /// The kinds of task that this worker does.
    kinds: Kinds,
    members: Arc<dyn Gossip>,
    /// By model and kind of task: some peers do some kinds only.
    fitness: Mutex<HashMap<(String, Kind), ModelFitness>>,
    /// Held while the peers are asked: one answer serves all tasks.
    asking: tokio::sync::Mutex<()>,
}

/// This worker's fitness for a model that couldn't be used.
#[derive(Clone, Copy, PartialEq)]
enum ModelFitness {
    /// The peers are being asked.
    TaskKernel,
    /// A peer can use the model.
    Unfit,
    /// No peer could use the model at that time.
    NobodyCan(Instant),
}

/// Answers the peers' questions until dropped.
pub struct PeerListener(JoinHandle<()>);

impl Drop for PeerListener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Peers {
    pub fn new(name: String, kinds: Kinds, members: Arc<dyn Gossip>) -> Self {
        Self { name, kinds, members, fitness: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// Begins to answer the peers' questions, and to try models that this worker is unfit for. Must be called within a
    /// runtime.
    pub fn listen(self: &Arc<Self>, worker: Arc<dyn Perform>) -> PeerListener {
        PeerListener(tokio::spawn(self.clone().attend(worker)))
    }

    /// This worker's name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reports whether a peer can use a model that this worker can't use.
    pub fn is_unfit(&self) -> bool {
        self.fitness().values().any(|fitness| *fitness == ModelFitness::Unfit)
    }

    /// Reports whether tasks of this model and kind are left to the peers.
    pub(super) fn is_unfit_for(&self, model: &str, kind: Kind) -> bool {
        self.fitness_for(model, kind) == Some(ModelFitness::Unfit)
    }

    /// Records that the model has answered this worker.
    pub(super) fn model_answered(&self, model: &str) {
        let mut was_unfit = false;
        self.fitness().retain(|(of, _), fitness| {
            was_unfit |= of == model && *fitness == ModelFitness::Unfit;
            of != model
        });
        if was_unfit {
            tracing::info!(model, "this worker can use the model again");
        }
    }

    /// Reports whether a peer can use a model that this worker can't use for this reason.
    pub(super) async fn can_use(&self, model: &str, kind: Kind, reason: &str) -> bool {
        let failed = Instant::now();
        let _turn = self.asking.lock().await;
        match self.fitness_for(model, kind) {
            Some(ModelFitness::Unfit) => return true,
            Some(ModelFitness::NobodyCan(asked)) if asked + SETTLED > failed => return false,
            _ => {}
        }
        let can = self.ask(model, kind).await;
        if can {
            tracing::error!(
                model,
                reason,
                "a model can't be used by this worker, and its tasks are left to others, who can"
            );
        }
        can
    }

    /// Asks the peers, and remembers the answer: no peer can where none can be reached.
    async fn ask(&self, model: &str, kind: Kind) -> bool {
        self.set(model, kind, ModelFitness::TaskKernel);
        let _asking = OpenQuestion { peers: self, model, kind };
        let can = self.question(model, kind).await.unwrap_or(false);
        self.set(model, kind, if can { ModelFitness::Unfit } else { ModelFitness::NobodyCan(Instant::now()) });
        can
    }

    async fn question(&self, model: &str, kind: Kind) -> bus::Result<bool> {
        let (number, began) = (rand::random(), Instant::now());
        let mut heard = self.members.hear(GROUP).await?;
        self.tell(&PeerMessage::Question { number, model: model.to_owned(), kind }).await?;
        let mut considering = 0u32;
        loop {
            let patience = if considering > 0 { ANSWERED } else { ANNOUNCED };
            let Ok(Some(message)) = timeout_at(began + patience, heard.next()).await else { return Ok(false) };
            match wire::decode(&message) {
                Ok(PeerMessage::Considering { number: asked }) if asked == number => considering += 1,
                Ok(PeerMessage::Answer { number: asked, can: true }) if asked == number => return Ok(true),
                Ok(PeerMessage::Answer { number: asked, can: false }) if asked == number => {
                    considering = considering.saturating_sub(1)
                }
                _ => {}
            }
        }
    }

    async fn tell(&self, message: &PeerMessage) -> bus::Result<()> {
        self.members.tell(GROUP, wire::encode(message).into()).await
    }

    fn fitness(&self) -> MutexGuard<'_, HashMap<(String, Kind), ModelFitness>> {
        self.fitness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fitness_for(&self, model: &str, kind: Kind) -> Option<ModelFitness> {
        self.fitness().get(&(model.to_owned(), kind)).copied()
    }

    fn set(&self, model: &str, kind: Kind, fitness: ModelFitness) {
        self.fitness().insert((model.to_owned(), kind), fitness);
    }

    async fn attend(self: Arc<Self>, worker: Arc<dyn Perform>) {
        let mut again = interval(RETRIAL);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut heard = match self.members.hear(GROUP).await {
                Ok(heard) => heard,
                Err(error) => {
                    tracing::debug!(%error, "failed to subscribe to the other workers' messages; trying again");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            loop {
                tokio::select! {
                    message = heard.next() => match message {
                        // Messages of another build are not for this one.
                        Some(message) => if let Ok(PeerMessage::Question { number, model, kind }) = wire::decode(&message) {
                            tokio::spawn(self.clone().answer(worker.clone(), number, model, kind));
                        },
                        None => break,
                    },
                    _ = again.tick() => {
                        tokio::spawn(self.clone().try_again(worker.clone()));
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Answers a peer's question, if this worker may be able to use the model.
    async fn answer(self: Arc<Self>, worker: Arc<dyn Perform>, number: u64, model: String, kind: Kind) {
        let is_unable = matches!(self.fitness_for(&model, kind), Some(ModelFitness::TaskKernel | ModelFitness::Unfit));
        if is_unable || !self.kinds.contains(kind) || self.tell(&PeerMessage::Considering { number }).await.is_err() {
            return;
        }
        let can = worker.can_use(&model, kind).await;
        if let Err(error) = self.tell(&PeerMessage::Answer { number, can }).await {
            tracing::debug!(model, %error, "failed to answer another worker's question");
        }
    }

    /// Tries the models that this worker is unfit for. Where a model fails again and no peer is left that can use the model,
    /// tasks are no longer left to the peers: some worker has to say why nothing goes on.
    async fn try_again(self: Arc<Self>, worker: Arc<dyn Perform>) {
        let unfit =
            |(of, fitness): (&(String, Kind), &ModelFitness)| (*fitness == ModelFitness::Unfit).then(|| of.clone());
        let unfit: Vec<(String, Kind)> = self.fitness().iter().filter_map(unfit).collect();
        for (model, kind) in unfit {
            if worker.can_use(&model, kind).await {
                self.model_answered(&model);
            } else {
                let _turn = self.asking.lock().await;
                self.ask(&model, kind).await;
            }
        }
    }
}

/// A question to the peers; one that is given up leaves no trace.
struct OpenQuestion<'a> {
    peers: &'a Peers,
    model: &'a str,
    kind: Kind,
}

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        let (mut fitness, of) = (self.peers.fitness(), (self.model.to_owned(), self.kind));
        if fitness.get(&of) == Some(&ModelFitness::TaskKernel) {
            fitness.remove(&of);
        }
    }
}
