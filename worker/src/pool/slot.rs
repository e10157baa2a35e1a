//! A slot of the pool: one task at a time, from delivery to recorded outcome.

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

use super::{phase::PoolPhase, telemetry};
use crate::perform::{NoOutcome, Perform};

/// A delivery with its slot.
pub(super) struct PulledTask {
    pub delivery: Delivery,
    pub slot: OwnedSemaphorePermit,
}

#[derive(Clone)]
pub(super) struct PoolSlot {
    pub bus: Arc<dyn Bus>,
    pub performer: Arc<dyn Perform>,
    pub phase: watch::Receiver<PoolPhase>,
    pub in_flight: Arc<AtomicU64>,
}

/// The number of deliveries after which a task with missing or unreadable blobs fails.
const MOST_DELIVERIES: u32 = 5;

/// The delay before a redelivery after trouble with the bus, doubled with each delivery. While the bus is out of reach,
/// the slot rests: the bus would fail the next task too, after its calls are paid for.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// The delay before a declined task is redelivered.
const DECLINED_DELAY: Duration = Duration::from_secs(2);

/// The rest of a slot after leaving a task to peers, so that a peer gets the task.
const REST_AFTER_LEAVING: Duration = Duration::from_secs(2);

/// A running task, counted until dropped.
struct RunningTask(Arc<AtomicU64>);

impl RunningTask {
    fn begin(in_flight: &Arc<AtomicU64>) -> Self {
        in_flight.fetch_add(1, Relaxed);
        Self(Arc::clone(in_flight))
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Worker for PoolSlot {
    type Key = ();
    type Message = PulledTask;
    type Arguments = ();
    type State = watch::Receiver<PoolPhase>;

    async fn pre_start(
        &self,
        _: WorkerId,
        _: &ActorRef<FactoryMessage<(), PulledTask>>,
        (): (),
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(self.phase.clone())
    }

    async fn handle(
        &self,
        _: WorkerId,
        _: &ActorRef<FactoryMessage<(), PulledTask>>,
        Job { msg: PulledTask { delivery, slot }, .. }: Job<(), PulledTask>,
        phase: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let running = RunningTask::begin(&self.in_flight);
        let span = telemetry::task_span(&delivery);
        self.work_on(delivery, phase).instrument(span).await;
        drop(running);
        drop(slot);
        Ok(())
    }
}

impl PoolSlot {
    async fn work_on(&self, delivery: Delivery, phase: &mut watch::Receiver<PoolPhase>) {
        let task = Arc::clone(&delivery.task);
        if let Some(reason) = self.performer.declines(&task) {
            tracing::debug!(task = %task.id, place = task.place, reason, "the task is declined, and left to other workers");
            // The slot takes the next task meanwhile.
            tokio::spawn(requeue_uncounted(delivery, DECLINED_DELAY));
            return;
        }
        let handed_back = async {
            // A dropped pool hands tasks back too.
            let _ = phase.wait_for(|phase| *phase == PoolPhase::HandingBack).await;
        };
        telemetry::delivered(delivery.delivery);
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
                    // The coordinator may ask for this task again at any moment.
                    false => delivery.acknowledge().await,
                };
                if let Err(error) = told {
                    tracing::warn!(task = %task.id, %error, "failed to acknowledge the task; it will be redelivered, and its outcome is recorded already");
                }
                return;
            }
            Some(Err(NoOutcome::LeftToPeers { usage, .. })) => {
                tracing::debug!(task = %task.id, place = task.place, model = task.model, "the task is left to others");
                telemetry::left_to_peers(task.kind(), &usage);
                requeue_uncounted(delivery, Duration::ZERO).await;
                return rest(phase, REST_AFTER_LEAVING).await;
            }
            Some(Err(NoOutcome::Bus(error))) => {
                (error, FIRST_DELAY * (1 << delivery.delivery.saturating_sub(1).min(5)))
            }
            None => {
                telemetry::handed_back(task.kind());
                return requeue_uncounted(delivery, Duration::ZERO).await;
            }
        };
        tracing::warn!(task = %task.id, place = task.place, %error, ?delay, "the task is handed back");
        telemetry::handed_back(task.kind());
        if let Err(error) = delivery.requeue_after(delay).await {
            tracing::warn!(task = %task.id, %error, "failed to hand the task back; it will be redelivered when its lease expires");
        }
        if matches!(error, BusError::Unavailable { .. }) {
            rest(phase, delay).await;
        }
    }

    /// Does the task and records its outcome.
    async fn finish(&self, task: &Arc<Task>, deliveries: u32) -> Result<Verdict, NoOutcome> {
        let began = Instant::now();
        let outcome = match self.performer.perform(task).await {
            Err(NoOutcome::Bus(error @ (BusError::NoBlob(_) | BusError::Wire(_)))) if deliveries >= MOST_DELIVERIES => {
                failed(task, error.to_string())
            }
            ended => ended?,
        };
        self.bus.record(task.job, &outcome).await?;
        telemetry::recorded(task.kind(), &outcome, began.elapsed());
        Ok(outcome.verdict)
    }
}

/// Takes no task for so long, unless the pool ends.
async fn rest(phase: &mut watch::Receiver<PoolPhase>, time: Duration) {
    let _ = timeout(time, phase.wait_for(|phase| *phase > PoolPhase::Working)).await;
}

/// Leaves a task to others.
async fn requeue_uncounted(delivery: Delivery, delay: Duration) {
    let task = delivery.task.id;
    if let Err(error) = delivery.requeue_uncounted(delay).await {
        tracing::warn!(%task, %error, "failed to hand the task back; it will be redelivered when its lease expires");
    }
}

fn failed(task: &Task, reason: String) -> Outcome {
    Outcome { task: task.id, verdict: Verdict::Failed { reason }, usage: Usage::default(), citations_removed: 0 }
}

/// Sends signs of life to the bus, three times as often as needed; never ends.
async fn signs_of_life(delivery: &Delivery) {
    loop {
        sleep(delivery.lease() / 3).await;
        if let Err(error) = delivery.extend_lease().await {
            tracing::warn!(task = %delivery.task.id, %error, "failed to extend the task's lease");
        }
    }
}
