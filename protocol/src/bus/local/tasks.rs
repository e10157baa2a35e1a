//! The outstanding tasks: waiting and held tasks, and waiting pulls.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::{
    bus::{Delivery, Kinds, Lag, Receipt, Result},
    id::{JobId, TaskId},
    task::{Kind, Task},
};

/// The lease of tasks and jobs. A single process can't lose a task unseen and extends no lease, so any long time will
/// do.
pub(super) const LEASE: Duration = Duration::from_secs(3600);

/// Outstanding tasks, in order of publication within a job. Jobs take turns.
#[derive(Default)]
pub(super) struct LocalTasks(Mutex<TaskQueue>);

#[derive(Default)]
struct TaskQueue {
    outstanding: HashMap<TaskId, OutstandingTask>,
    /// The waiting ones of these tasks, by job.
    lanes: HashMap<JobId, JobLane>,
    /// The jobs in `lanes`, the next in turn first.
    turns: VecDeque<JobId>,
    pullers: VecDeque<WaitingPull>,
    published: u64,
}

struct OutstandingTask {
    task: Arc<Task>,
    /// Position in the order of publication. Tells a task from the same task published again after its end.
    order: u64,
    deliveries: u32,
}

/// A job's waiting tasks, by kind and order.
type JobLane = BTreeMap<Kind, BTreeMap<u64, TaskId>>;

/// A pull that found no task of its kinds.
struct WaitingPull {
    kinds: Kinds,
    sender: oneshot::Sender<HeldTask>,
}

impl LocalTasks {
    pub fn publish(self: &Arc<Self>, task: &Task) {
        let mut queue = self.lock();
        if queue.outstanding.contains_key(&task.id) {
            return;
        }
        queue.published += 1;
        let item = OutstandingTask { task: Arc::new(task.clone()), order: queue.published, deliveries: 0 };
        queue.outstanding.insert(task.id, item);
        self.offer(&mut queue, task.id);
    }

    pub async fn pull(self: &Arc<Self>, kinds: &Kinds) -> HeldTask {
        loop {
            let waiting = {
                let mut queue = self.lock();
                if let Some(id) = queue.take(kinds) {
                    return self.hold(&mut queue, id);
                }
                let (sender, waiting) = oneshot::channel();
                queue.pullers.retain(|puller| !puller.sender.is_closed());
                queue.pullers.push_back(WaitingPull { kinds: kinds.clone(), sender });
                waiting
            };
            if let Ok(held) = waiting.await {
                return held;
            }
        }
    }

    /// Removes a task for good, waiting or held.
    pub fn finish(&self, id: TaskId) {
        self.lock().remove(id);
    }

    pub fn clear(&self, job: JobId) {
        let mut queue = self.lock();
        queue.outstanding.retain(|_, item| item.task.job != job);
        queue.lanes.remove(&job);
        queue.turns.retain(|turn| *turn != job);
    }

    pub fn lag(&self) -> BTreeMap<Kind, Lag> {
        let queue = self.lock();
        let mut lags: BTreeMap<Kind, Lag> = Kind::all().map(|kind| (kind, Lag::default())).collect();
        for item in queue.outstanding.values() {
            lags.entry(item.task.kind()).or_default().in_hand += 1;
        }
        for (kind, tasks) in queue.lanes.values().flatten() {
            let lag = lags.entry(*kind).or_default();
            lag.waiting += tasks.len() as u64;
            lag.in_hand -= tasks.len() as u64;
        }
        lags
    }

    /// Gives a task to the first waiting pull of its kind, or queues the task.
    fn offer(self: &Arc<Self>, queue: &mut TaskQueue, id: TaskId) {
        let kind = queue.outstanding[&id].task.kind();
        while let Some(at) = queue.pullers.iter().position(|puller| puller.kinds.contains(kind)) {
            let puller = queue.pullers.remove(at).expect("it was just there");
            match puller.sender.send(self.hold(queue, id)) {
                Ok(()) => return,
                Err(mut held) => {
                    // The pull was cancelled.
                    held.armed = false;
                    queue.outstanding.get_mut(&id).expect("it is outstanding").deliveries -= 1;
                }
            }
        }
        queue.wait(id);
    }

    fn hold(self: &Arc<Self>, queue: &mut TaskQueue, id: TaskId) -> HeldTask {
        let item = queue.outstanding.get_mut(&id).expect("it is outstanding");
        item.deliveries += 1;
        HeldTask {
            tasks: self.clone(),
            task: item.task.clone(),
            order: item.order,
            delivery: item.deliveries,
            armed: true,
        }
    }

    /// Requeues a held task, unless the task ended meanwhile.
    fn release(self: &Arc<Self>, id: TaskId, order: u64) {
        let mut queue = self.lock();
        if queue.has(id, order) {
            self.offer(&mut queue, id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, TaskQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaskQueue {
    fn has(&self, id: TaskId, order: u64) -> bool {
        self.outstanding.get(&id).is_some_and(|item| item.order == order)
    }

    fn wait(&mut self, id: TaskId) {
        let item = &self.outstanding[&id];
        let job = item.task.job;
        if !self.lanes.contains_key(&job) {
            self.turns.push_back(job);
        }
        self.lanes.entry(job).or_default().entry(item.task.kind()).or_default().insert(item.order, id);
    }

    /// Takes the first waiting task of these kinds, of the first job in turn with such a task. The job goes to the end
    /// of the turns.
    fn take(&mut self, kinds: &Kinds) -> Option<TaskId> {
        let (turn, kind, order) = self.turns.iter().enumerate().find_map(|(turn, job)| {
            let heads = self.lanes[job].iter().filter(|(kind, _)| kinds.contains(**kind));
            let head = heads.filter_map(|(kind, tasks)| Some((*tasks.keys().next()?, *kind))).min();
            head.map(|(order, kind)| (turn, kind, order))
        })?;
        let job = self.turns.remove(turn).expect("it was just there");
        self.turns.push_back(job);
        self.remove_from_lane(job, kind, order)
    }

    /// Removes a task from its lane.
    fn remove_from_lane(&mut self, job: JobId, kind: Kind, order: u64) -> Option<TaskId> {
        let lane = self.lanes.get_mut(&job)?;
        let tasks = lane.get_mut(&kind)?;
        let id = tasks.remove(&order);
        if tasks.is_empty() {
            lane.remove(&kind);
        }
        if lane.is_empty() {
            self.lanes.remove(&job);
            self.turns.retain(|turn| *turn != job);
        }
        id
    }

    fn remove(&mut self, id: TaskId) {
        if let Some(item) = self.outstanding.remove(&id) {
            self.remove_from_lane(item.task.job, item.task.kind(), item.order);
        }
    }
}

/// A task that a worker holds. A task that is dropped before its end is requeued at once.
pub(super) struct HeldTask {
    tasks: Arc<LocalTasks>,
    task: Arc<Task>,
    order: u64,
    delivery: u32,
    armed: bool,
}

impl HeldTask {
    pub fn into_delivery(self) -> Delivery {
        Delivery::new(self.task.clone(), self.delivery, Box::new(self))
    }
}

impl Drop for HeldTask {
    fn drop(&mut self) {
        if self.armed {
            self.tasks.release(self.task.id, self.order);
        }
    }
}

#[async_trait]
impl Receipt for HeldTask {
    async fn extend_lease(&self) -> Result<()> {
        Ok(())
    }

    fn abandon(mut self: Box<Self>) {
        self.armed = false;
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    async fn acknowledge(mut self: Box<Self>) -> Result<()> {
        self.armed = false;
        let mut queue = self.tasks.lock();
        if queue.has(self.task.id, self.order) {
            queue.remove(self.task.id);
        }
        Ok(())
    }

    async fn requeue_after(mut self: Box<Self>, delay: Duration) -> Result<()> {
        if delay.is_zero() {
            return Ok(());
        }
        self.armed = false;
        let (tasks, id, order) = (Arc::downgrade(&self.tasks), self.task.id, self.order);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(tasks) = tasks.upgrade() {
                tasks.release(id, order);
            }
        });
        Ok(())
    }
}
