//! A slot of the pool: one task at a time, from its delivery to its recorded outcome.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use ractor::{
    ActorProcessingErr, ActorRef,
    factory::{FactoryMessage, Job, Worker, WorkerId},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{sleep, timeout},
};
use tracing::Instrument as _;
use tributary_protocol::{
    bus::{Bus, BusError, Delivery},
    task::{Outcome, Task, Usage, Verdict},
};

use super::{Phase, measure};
use crate::perform::{Perform, Undone};

/// A delivery, and the leave to work on it.
pub(super) struct Taken {
    pub delivery: Delivery,
    pub slot: OwnedSemaphorePermit,
}

#[derive(Clone)]
pub(super) struct Slot {
    pub bus: Arc<dyn Bus>,
    pub performer: Arc<dyn Perform>,
    pub phase: watch::Receiver<Phase>,
    pub in_flight: Arc<AtomicU64>,
}

/// After so many deliveries, what the bus can't give won't be waited for any longer.
const MOST_DELIVERIES: u32 = 5;

/// What can't be done for trouble with the bus comes again after this, doubled with each delivery. Where the bus is out of
/// reach, its slot takes no other task meanwhile: the bus would fail that one as well, once it is paid for.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// What this worker declines is left to others after this.
const DECLINED: Duration = Duration::from_secs(2);

/// What this worker can't do it leaves to others at once, and lets them have it: its slot takes no other task meanwhile.
const LEFT: Duration = Duration::from_secs(2);

/// A task that runs, however it ends.
struct Running(Arc<AtomicU64>);

impl Running {
    fn begin(in_flight: &Arc<AtomicU64>) -> Self {
        in_flight.fetch_add(1, Relaxed);
        Self(Arc::clone(in_flight))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Worker for Slot {
    type Key = ();
    type Message = Taken;
    type Arguments = ();
    type State = watch::Receiver<Phase>;

    async fn pre_start(
        &self,
        _: WorkerId,
        _: &ActorRef<FactoryMessage<(), Taken>>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(self.phase.clone())
    }

    async fn handle(
        &self,
        _: WorkerId,
        _: &ActorRef<FactoryMessage<(), Taken>>,
        Job { msg: Taken { delivery, slot }, .. }: Job<(), Taken>,
        phase: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let running = Running::begin(&self.in_flight);
        let span = measure::span(&delivery);
        self.see_to(delivery, phase).instrument(span).await;
        drop(running);
        drop(slot);
        Ok(())
    }
}

impl Slot {
    async fn see_to(&self, delivery: Delivery, phase: &mut watch::Receiver<Phase>) {
        let task = Arc::clone(&delivery.task);
        if let Some(reason) = self.performer.declines(&task) {
            tracing::debug!(task = %task.id, place = task.place, reason, "the task is passed on");
            // Nobody waits for that.
            tokio::spawn(requeue_uncounted(delivery, DECLINED));
            return;
        }
        let handed_back = async {
            // A pool that is gone hands back as well.
            let _ = phase.wait_for(|phase| *phase == Phase::HandingBack).await;
        };
        measure::begins(delivery.delivery);
        let ended = tokio::select! {
            biased;
            ended = self.finish(&task, delivery.delivery) => Some(ended),
            () = handed_back => None,
            () = signs_of_life(&delivery) => None,
        };
        let (error, delay) = match ended {
            Some(Ok(verdict)) => {
                let told = match verdict.ends_task() {
                    true => delivery.acknowledge_unconfirmed().await,
                    // It may be asked for again at any moment.
                    false => delivery.acknowledge().await,
                };
                if let Err(error) = told {
                    tracing::warn!(task = %task.id, %error, "the task will come again, and find its outcome recorded");
                }
                return;
            }
            Some(Err(Undone::Left { usage, .. })) => {
                tracing::debug!(task = %task.id, place = task.place, model = task.model, "the task is left to others");
                measure::left(task.kind(), &usage);
                requeue_uncounted(delivery, Duration::ZERO).await;
                return rest(phase, LEFT).await;
            }
            Some(Err(Undone::Bus(error))) => (error, FIRST_DELAY * (1 << delivery.delivery.saturating_sub(1).min(5))),
            None => {
                measure::handed_back(task.kind());
                return requeue_uncounted(delivery, Duration::ZERO).await;
            }
        };
        tracing::warn!(task = %task.id, place = task.place, %error, ?delay, "the task is handed back");
        measure::handed_back(task.kind());
        if let Err(error) = delivery.requeue_after(delay).await {
            tracing::warn!(task = %task.id, %error, "the task goes to another worker when its time is up");
        }
        if matches!(error, BusError::Unavailable { .. }) {
            rest(phase, delay).await;
        }
    }

    /// Does the task and records its outcome.
    async fn finish(&self, task: &Arc<Task>, deliveries: u32) -> Result<Verdict, Undone> {
        let began = Instant::now();
        let outcome = match self.performer.perform(task).await {
            Err(Undone::Bus(error @ (BusError::NoBlob(_) | BusError::Wire(_)))) if deliveries >= MOST_DELIVERIES => {
                failed(task, error.to_string())
            }
            ended => ended?,
        };
        self.bus.record(task.job, &outcome).await?;
        measure::ended(task.kind(), &outcome, began.elapsed());
        Ok(outcome.verdict)
    }
}

/// Takes no task for so long, unless the pool ends.
async fn rest(phase: &mut watch::Receiver<Phase>, time: Duration) {
    let _ = timeout(time, phase.wait_for(|phase| *phase > Phase::Working)).await;
}

/// Leaves a task to others.
async fn requeue_uncounted(delivery: Delivery, delay: Duration) {
    let task = delivery.task.id;
    if let Err(error) = delivery.requeue_uncounted(delay).await {
        tracing::warn!(%task, %error, "the task goes to another worker when its time is up");
    }
}

fn failed(task: &Task, reason: String) -> Outcome {
    Outcome { task: task.id, verdict: Verdict::Failed { reason }, usage: Usage::default(), citations_removed: 0 }
}

/// Tells the bus that the task is being worked on, three times as often as it needs to hear it; never ends.
async fn signs_of_life(delivery: &Delivery) {
    loop {
        sleep(delivery.lease() / 3).await;
        if let Err(error) = delivery.extend_lease().await {
            tracing::warn!(task = %delivery.task.id, %error, "the bus wasn't told that the task is being worked on");
        }
    }
}
