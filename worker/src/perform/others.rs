//! The other workers of a deployment: what can't be done here they may.
//!
//! Where a model can't be used, be it for a wrong key or for a network of this worker's own, the others are asked. As long as
//! one of them can use it, this worker is unfit for the model: it leaves them its tasks, and tries it again from time to
//! time. Only where nobody can, a job stops.

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

use super::Perform;

/// Where workers hear one another.
const GROUP: &str = "workers";

/// How long it takes at most until all who may be able have said that they see.
const HEARD: Duration = Duration::from_secs(2);

/// How long they have for that: a tiny call may have to wait for its turn, and for a model that reasons.
const TRIED: Duration = Duration::from_secs(60);

/// How often a model is tried again that others can use and this worker can't.
const AGAIN: Duration = Duration::from_secs(60);

/// For so long it need not be asked again what nobody can do.
const SAME: Duration = Duration::from_secs(5);

/// The pause before the others are listened to again, once that has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What workers tell one another.
#[derive(Serialize, Deserialize)]
enum Word {
    /// Who can do such a task?
    Ask { number: u64, model: String, kind: Kind },
    /// The question of this number is being looked into,
    Sees { number: u64 },
    /// and here is the answer.
    Says { number: u64, can: bool },
}

/// The other workers, as one of them knows them.
pub struct Others {
    /// What people know this worker by.
    name: String,
    /// What it does.
    kinds: Kinds,
    way: Arc<dyn Gossip>,
    /// By model and kind of task: others may do some kinds alone.
    standings: Mutex<HashMap<(String, Kind), Standing>>,
    /// Held while the others are asked: what one task learns serves all.
    turn: tokio::sync::Mutex<()>,
}

/// How this worker stands to a model that couldn't be used.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    /// The others are being asked.
    Asking,
    /// Others can use it.
    Unfit,
    /// When they were asked, nobody could.
    Nobody(Instant),
}

/// Answers the others as long as it lives.
pub struct Ear(JoinHandle<()>);

impl Drop for Ear {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Others {
    pub fn new(name: String, kinds: Kinds, way: Arc<dyn Gossip>) -> Self {
        Self { name, kinds, way, standings: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Begins to answer the others with what this worker can do, and to look after what it can't. Must be called within a
    /// runtime.
    pub fn listen(self: &Arc<Self>, worker: Arc<dyn Perform>) -> Ear {
        Ear(tokio::spawn(self.clone().attend(worker)))
    }

    /// What people know this worker by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is a model that others can use and this worker can't.
    pub fn is_unfit(&self) -> bool {
        self.standings().values().any(|standing| *standing == Standing::Unfit)
    }

    /// Whether such tasks are left to the others.
    pub(super) fn is_unfit_for(&self, model: &str, kind: Kind) -> bool {
        self.standing(model, kind) == Some(Standing::Unfit)
    }

    /// The model has answered here.
    pub(super) fn answered(&self, model: &str) {
        let mut was_unfit = false;
        self.standings().retain(|(of, _), standing| {
            was_unfit |= of == model && *standing == Standing::Unfit;
            of != model
        });
        if was_unfit {
            tracing::info!(model, "the model can be used here again");
        }
    }

    /// Whether others can use a model that can't be used here, for which there is this reason.
    pub(super) async fn can_use(&self, model: &str, kind: Kind, reason: &str) -> bool {
        let failed = Instant::now();
        let _turn = self.turn.lock().await;
        match self.standing(model, kind) {
            Some(Standing::Unfit) => return true,
            Some(Standing::Nobody(asked)) if asked + SAME > failed => return false,
            _ => {}
        }
        let can = self.ask(model, kind).await;
        if can {
            tracing::error!(model, reason, "a model can't be used here, and its tasks are left to others, who can");
        }
        can
    }

    /// Asks the others, and remembers what they say. Where they can't be reached, none can.
    async fn ask(&self, model: &str, kind: Kind) -> bool {
        self.set(model, kind, Standing::Asking);
        let _asking = Asking { others: self, model, kind };
        let can = self.asked(model, kind).await.unwrap_or(false);
        self.set(model, kind, if can { Standing::Unfit } else { Standing::Nobody(Instant::now()) });
        can
    }

    async fn asked(&self, model: &str, kind: Kind) -> bus::Result<bool> {
        let (number, began) = (rand::random(), Instant::now());
        let mut heard = self.way.hear(GROUP).await?;
        self.tell(&Word::Ask { number, model: model.to_owned(), kind }).await?;
        let mut seeing = 0u32;
        loop {
            let patience = if seeing > 0 { TRIED } else { HEARD };
            let Ok(Some(word)) = timeout_at(began + patience, heard.next()).await else { return Ok(false) };
            match wire::decode(&word) {
                Ok(Word::Sees { number: asked }) if asked == number => seeing += 1,
                Ok(Word::Says { number: asked, can: true }) if asked == number => return Ok(true),
                Ok(Word::Says { number: asked, can: false }) if asked == number => seeing = seeing.saturating_sub(1),
                _ => {}
            }
        }
    }

    async fn tell(&self, word: &Word) -> bus::Result<()> {
        self.way.tell(GROUP, wire::encode(word).into()).await
    }

    fn standings(&self) -> MutexGuard<'_, HashMap<(String, Kind), Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, model: &str, kind: Kind) -> Option<Standing> {
        self.standings().get(&(model.to_owned(), kind)).copied()
    }

    fn set(&self, model: &str, kind: Kind, standing: Standing) {
        self.standings().insert((model.to_owned(), kind), standing);
    }

    async fn attend(self: Arc<Self>, worker: Arc<dyn Perform>) {
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut heard = match self.way.hear(GROUP).await {
                Ok(heard) => heard,
                Err(error) => {
                    tracing::debug!(%error, "other workers can't be heard; trying again");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            loop {
                tokio::select! {
                    word = heard.next() => match word {
                        // A word of another build isn't for us.
                        Some(word) => if let Ok(Word::Ask { number, model, kind }) = wire::decode(&word) {
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

    /// Answers another's question, if this worker may be able.
    async fn answer(self: Arc<Self>, worker: Arc<dyn Perform>, number: u64, model: String, kind: Kind) {
        let is_out = matches!(self.standing(&model, kind), Some(Standing::Asking | Standing::Unfit));
        if is_out || !self.kinds.contains(kind) || self.tell(&Word::Sees { number }).await.is_err() {
            return;
        }
        let can = worker.can_use(&model, kind).await;
        if let Err(error) = self.tell(&Word::Says { number, can }).await {
            tracing::debug!(model, %error, "another worker's question goes without an answer");
        }
    }

    /// Tries what this worker is unfit for. Where that fails and the others are gone that could, tasks are no more left to
    /// them: somebody has to say why nothing goes on.
    async fn try_again(self: Arc<Self>, worker: Arc<dyn Perform>) {
        let unfit = |(of, standing): (&(String, Kind), &Standing)| (*standing == Standing::Unfit).then(|| of.clone());
        let unfit: Vec<(String, Kind)> = self.standings().iter().filter_map(unfit).collect();
        for (model, kind) in unfit {
            if worker.can_use(&model, kind).await {
                self.answered(&model);
            } else {
                let _turn = self.turn.lock().await;
                self.ask(&model, kind).await;
            }
        }
    }
}

/// A question that, given up, was never asked.
struct Asking<'a> {
    others: &'a Others,
    model: &'a str,
    kind: Kind,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let (mut standings, of) = (self.others.standings(), (self.model.to_owned(), self.kind));
        if standings.get(&of) == Some(&Standing::Asking) {
            standings.remove(&of);
        }
    }
}
