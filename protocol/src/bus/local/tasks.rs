//! The tasks that are out: which wait, which are in whose hands, and who waits for one.

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

/// A task in hand can't be lost unseen within one process, so no sign of life is needed: this only has to be a number.
pub(super) const PATIENCE: Duration = Duration::from_secs(3600);

/// Tasks in order of publication within a job, jobs by turns.
#[derive(Default)]
pub(super) struct LocalTasks(Mutex<TaskQueue>);

#[derive(Default)]
struct TaskQueue {
    outstanding: HashMap<TaskId, OutstandingTask>,
    /// Of these, the tasks that wait for a worker, by job.
    lanes: HashMap<JobId, JobLane>,
    /// The jobs in `lanes`, the next in turn first.
    turns: VecDeque<JobId>,
    pullers: VecDeque<WaitingPull>,
    published: u64,
}

struct OutstandingTask {
    task: Arc<Task>,
    /// Its place in the order of publication, and its name: a task that is published anew after it ended is another one.
    order: u64,
    deliveries: u32,
}

/// A job's waiting tasks, by kind and order.
type JobLane = BTreeMap<Kind, BTreeMap<u64, TaskId>>;

/// Someone who found no task of these kinds.
struct WaitingPull {
    kinds: Kinds,
    hand: oneshot::Sender<HeldTask>,
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
                let (hand, waiting) = oneshot::channel();
                queue.pullers.retain(|puller| !puller.hand.is_closed());
                queue.pullers.push_back(WaitingPull { kinds: kinds.clone(), hand });
                waiting
            };
            if let Ok(held) = waiting.await {
                return held;
            }
        }
    }

    /// Takes a task off for good, wherever it is.
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

    /// Gives a task that nobody holds to the first who waits for its kind, else lets it wait.
    fn offer(self: &Arc<Self>, queue: &mut TaskQueue, id: TaskId) {
        let kind = queue.outstanding[&id].task.kind();
        while let Some(at) = queue.pullers.iter().position(|puller| puller.kinds.contains(kind)) {
            let puller = queue.pullers.remove(at).expect("it was just there");
            match puller.hand.send(self.hold(queue, id)) {
                Ok(()) => return,
                Err(mut held) => {
                    // Who waited has gone away.
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

    /// A task that was in hand is free again, unless it ended meanwhile.
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

    /// The first waiting task of these kinds, of the first job in turn that has one. That job's next turn is the last.
    fn take(&mut self, kinds: &Kinds) -> Option<TaskId> {
        let (turn, kind, order) = self.turns.iter().enumerate().find_map(|(turn, job)| {
            let heads = self.lanes[job].iter().filter(|(kind, _)| kinds.contains(**kind));
            let head = heads.filter_map(|(kind, tasks)| Some((*tasks.keys().next()?, *kind))).min();
            head.map(|(order, kind)| (turn, kind, order))
        })?;
        let job = self.turns.remove(turn).expect("it was just there");
        self.turns.push_back(job);
        self.leave(job, kind, order)
    }

    /// Takes a task out of its lane.
    fn leave(&mut self, job: JobId, kind: Kind, order: u64) -> Option<TaskId> {
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
            self.leave(item.task.job, item.task.kind(), item.order);
        }
    }
}

/// A task in someone's hands. Dropped undone, it is free again at once.
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
    async fn working(&self) -> Result<()> {
        Ok(())
    }

    fn leave(mut self: Box<Self>) {
        self.armed = false;
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn done(mut self: Box<Self>) -> Result<()> {
        self.armed = false;
        let mut queue = self.tasks.lock();
        if queue.has(self.task.id, self.order) {
            queue.remove(self.task.id);
        }
        Ok(())
    }

    async fn hand_back(mut self: Box<Self>, delay: Duration) -> Result<()> {
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
