//! One task in, one outcome out.
//!
//! A task's texts are fetched, its call is rendered and answered (from the reply cache, or by the model within its
//! provider's limits), the reply is checked and sent back with the reason where it is flawed. What the model can't do,
//! the extractive model does instead, and the outcome says so. There is no outcome only where the bus fails, or where
//! another worker can do what this one can't.

mod calling;
mod conversation;
mod headroom;
mod hedge;
mod measure;
mod models;
mod only;
mod others;
mod outage;
mod patience;
mod piece;
mod presence;
mod span;
mod tries;
mod turns;

#[cfg(test)]
mod tests;

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use tokio::{task::spawn_blocking, time::Instant};
use tributary_protocol::{
    bus::{Bus, BusError},
    task::{Kind, Outcome, Product, Task, Usage, Verdict},
    wire::WireError,
};

use self::{
    calling::Line,
    conversation::{Answer, converse},
    hedge::Hedges,
    outage::Outages,
    piece::Piece,
    turns::Turns,
};
pub use self::{
    headroom::Headroom,
    models::{Connected, Models, Price, Served},
    only::OnlyModels,
    others::{Ear, Others},
    patience::Patience,
};
use crate::kernel::{self, Asking};

/// Does a task's work.
#[async_trait]
pub trait Perform: Send + Sync + 'static {
    /// Why this worker leaves the task to others; none where it does it.
    fn declines(&self, _: &Task) -> Option<String> {
        None
    }

    /// Whether the model answers this worker now, for tasks of this kind. It may be tried with a tiny call.
    async fn can_use(&self, _model: &str, _kind: Kind) -> bool {
        true
    }

    /// # Errors
    ///
    /// Where nothing comes of it here: the task is as it was.
    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, Undone>;
}

/// Why a task has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum Undone {
    /// The bus fails: the task is worth another delivery.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Another worker can use its model, and this one can't. What was used of it before that is lost.
    #[error("{model} can't be used here, and can elsewhere")]
    Left { model: String, usage: Box<Usage> },
}

/// Does tasks with the models that they name.
pub struct Performer {
    bus: Arc<dyn Bus>,
    models: Models,
    patience: Patience,
    outages: Outages,
    hedges: Hedges,
    turns: Turns,
    /// Held while a model is tried for another worker's sake.
    trying: tokio::sync::Mutex<()>,
    /// None where there are no other workers.
    others: Option<Arc<Others>>,
}

/// What a task has cost and lost so far.
#[derive(Default)]
struct Bill {
    usage: Usage,
    citations_removed: u32,
}

/// What came of a piece of work.
enum Solved {
    Made { product: Product, degraded: Option<String> },
    Failed { reason: String },
    Stopped { reason: String },
    Left,
}

/// How often work that doesn't fit its model's window is halved.
const HALVINGS: u32 = 4;

#[async_trait]
impl Perform for Performer {
    async fn can_use(&self, model: &str, kind: Kind) -> bool {
        match self.models.get(model) {
            Ok(Served::Model(model)) => {
                let asked = Instant::now();
                let _turn = self.trying.lock().await;
                self.line(&model, kind).is_usable(asked).await
            }
            Ok(Served::Extractive) => true,
            Err(_) => false,
        }
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, Undone> {
        let mut bill = Bill::default();
        let verdict = match self.solved(task, &mut bill).await? {
            Solved::Made { product, degraded: None } => Verdict::Done(product),
            Solved::Made { product, degraded: Some(reason) } => Verdict::Degraded { product, reason },
            Solved::Failed { reason } => Verdict::Failed { reason },
            Solved::Stopped { reason } => Verdict::Stopped { reason: self.named(task, reason) },
            Solved::Left => return Err(Undone::Left { model: task.model.clone(), usage: Box::new(bill.usage) }),
        };
        Ok(Outcome { task: task.id, verdict, usage: bill.usage, citations_removed: bill.citations_removed })
    }
}

impl Performer {
    pub fn new(bus: Arc<dyn Bus>, models: Models, patience: Patience) -> Self {
        let hedges = Hedges::new(patience.hedge);
        let (outages, turns, trying) = (Outages::default(), Turns::default(), tokio::sync::Mutex::default());
        Self { bus, models, patience, outages, hedges, turns, trying, others: None }
    }

    /// One worker of many.
    pub fn among(self, others: Arc<Others>) -> Self {
        Self { others: Some(others), ..self }
    }

    /// Why a job stops; of many workers, with the one for whom.
    fn named(&self, task: &Task, reason: String) -> String {
        let Some(others) = &self.others else { return reason };
        tracing::error!(model = task.model, job = %task.job, reason, "a model can't be used, and a job stops");
        format!("{reason} (worker {})", others.name())
    }

    async fn solved(&self, task: &Arc<Task>, bill: &mut Bill) -> Result<Solved, BusError> {
        let others = self.others.as_deref();
        if others.is_some_and(|others| others.is_unfit_for(&task.model, task.kind())) {
            return Ok(Solved::Left);
        }
        let served = match self.models.get(&task.model) {
            Ok(served) => served,
            Err(reason) => match others {
                Some(others) if others.can_use(&task.model, task.kind(), &reason).await => return Ok(Solved::Left),
                _ => return Ok(Solved::Stopped { reason }),
            },
        };
        let piece = Piece::whole(Arc::clone(task), self.blobs(task).await?);
        match served {
            Served::Extractive => Ok(match quote(piece).await {
                Ok(product) => Solved::Made { product, degraded: None },
                Err(reason) => Solved::Failed { reason },
            }),
            Served::Model(model) => self.solve(&self.line(&model, task.kind()), piece, HALVINGS, bill).await,
        }
    }

    fn line<'a>(&'a self, model: &'a Connected, kind: Kind) -> Line<'a> {
        let Self { bus, patience, outages, hedges, turns, others, .. } = self;
        Line { kind, bus: &**bus, model, patience, outages, hedges, turns, others: others.as_deref() }
    }

    /// Asks the model; where the work is too long for it, its halves; where that fails, quotes instead.
    fn solve<'a>(
        &'a self,
        line: &'a Line<'a>,
        piece: Piece,
        halvings: u32,
        bill: &'a mut Bill,
    ) -> BoxFuture<'a, Result<Solved, BusError>> {
        async move {
            let answer = AssertUnwindSafe(converse(line, &piece, bill)).catch_unwind().await;
            let (usable, reason) = match answer {
                Ok(answer) => match answer? {
                    Answer::Good(product) => return Ok(Solved::Made { product, degraded: None }),
                    Answer::Poor { usable, reason } => (usable, reason),
                    Answer::Stopped { reason } => return Ok(Solved::Stopped { reason }),
                    Answer::Left => return Ok(Solved::Left),
                    Answer::TooLong { reason } => match kernel::of(piece.work(), &piece.blobs)?.halves() {
                        Some(halves) if halvings > 0 => {
                            let mut solved = Vec::new();
                            for half in halves {
                                solved.push(self.solve(line, Piece::half(&piece, half), halvings - 1, bill).await?);
                            }
                            return Ok(joined(solved, &*kernel::of(piece.work(), &piece.blobs)?));
                        }
                        _ => (None, reason),
                    },
                },
                Err(panic) => (None, format!("the kernel panicked: {}", told(&*panic))),
            };
            Ok(match usable {
                Some(product) => Solved::Made { product, degraded: Some(reason) },
                None => match quote(piece).await {
                    Ok(product) => Solved::Made { product, degraded: Some(reason) },
                    Err(second) => Solved::Failed { reason: format!("{reason}; then {second}") },
                },
            })
        }
        .boxed()
    }

    /// The bytes of the blobs that a task's work refers to.
    async fn blobs(&self, task: &Task) -> Result<Vec<Bytes>, BusError> {
        let mut blobs = Vec::new();
        for blob in task.work.blobs() {
            blobs.push(self.bus.get(task.job, blob).await?);
        }
        Ok(blobs)
    }
}

/// The extractive model's work. It is arithmetic, so it leaves the threads that calls are made on.
async fn quote(piece: Piece) -> Result<Product, String> {
    let done = spawn_blocking(move || Ok(kernel::of(piece.work(), &piece.blobs)?.fallback())).await;
    match done {
        Ok(made) => made.map_err(|error: WireError| error.to_string()),
        Err(error) => Err(match error.try_into_panic() {
            Ok(panic) => format!("the extractive model panicked: {}", told(&*panic)),
            Err(error) => format!("the extractive model: {error}"),
        }),
    }
}

/// One product of the halves'; what one lacks, the whole lacks.
fn joined(halves: Vec<Solved>, kernel: &dyn Asking) -> Solved {
    let (mut products, mut reasons) = (Vec::new(), Vec::new());
    for half in halves {
        match half {
            Solved::Made { product, degraded } => {
                products.push(product);
                reasons.extend(degraded);
            }
            ended => return ended,
        }
    }
    reasons.dedup();
    let degraded = (!reasons.is_empty()).then(|| reasons.join("; "));
    match products.into_iter().reduce(|one, other| kernel.join(one, other)) {
        Some(product) => Solved::Made { product, degraded },
        None => Solved::Failed { reason: "nothing came of the halves".to_owned() },
    }
}

/// What a panic said.
fn told(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
