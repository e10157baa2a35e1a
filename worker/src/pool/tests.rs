use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Notify;
use tributary_protocol::{
    survey::SurveyWork,
    task::{Outcome, Task, Work},
};

use super::*;
use crate::perform::NoOutcome;
use crate::testing::{Shared, nothing, outline, task};

/// Ends tasks as they come, or when it is told to; panics on those of attempt 1, and leaves those of attempt 9 to others.
#[derive(Default)]
struct Workbench {
    hold: bool,
    let_go: Notify,
    begun: AtomicUsize,
    has_begun: Notify,
}

#[async_trait]
impl Perform for Workbench {
    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, NoOutcome> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.has_begun.notify_one();
        if let Work::Survey(_, SurveyWork::Refine { attempt: 1, .. }) = task.work {
            panic!("as told");
        }
        if let Work::Survey(_, SurveyWork::Refine { attempt: 9, .. }) = task.work {
            return Err(NoOutcome::LeftToPeers { model: task.model.clone(), usage: Box::default() });
        }
        if self.hold {
            self.let_go.notified().await;
        }
        Ok(nothing(task))
    }
}

fn numbered(attempt: u32) -> Arc<Task> {
    task(SurveyWork::Refine { outline: outline().into(), round: 1, attempt })
}

async fn start(bus: &Shared, bench: &Arc<Workbench>, concurrency: usize) -> Pool {
    let options = PoolOptions { concurrency, kinds: Kinds::all() };
    Pool::start(Arc::new(bus.clone()), Arc::clone(bench) as Arc<dyn Perform>, options).await.unwrap()
}

#[tokio::test]
async fn every_task_is_recorded_before_it_is_acknowledged_and_a_panic_costs_no_slot() {
    let (bus, bench) = (Shared::default(), Arc::new(Workbench::default()));
    let pool = start(&bus, &bench, 2).await;
    for attempt in [0, 1, 1, 1, 2, 3, 4] {
        bus.publish(&numbered(attempt)).await.unwrap();
    }
    bus.0.acknowledged(4).await;
    assert_eq!(bus.0.outcomes().len(), 4);
    assert!(pool.drain(Duration::from_secs(10)).await);
}

#[tokio::test(start_paused = true)]
async fn as_many_pulls_as_slots_are_free_wait_at_once() {
    let (bus, bench) = (Shared::default(), Arc::new(Workbench { hold: true, ..Workbench::default() }));
    let pool = start(&bus, &bench, 4).await;
    bus.0.pulled(4).await;
    for attempt in [2, 3] {
        bus.publish(&numbered(attempt)).await.unwrap();
    }
    while bench.begun.load(Ordering::SeqCst) < 2 {
        bench.has_begun.notified().await;
    }
    // Time stands still until there is nothing else to do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bus.0.pulls(), 4);
    bench.let_go.notify_one();
    bus.0.pulled(5).await;
    drop(pool);
}

#[tokio::test(start_paused = true)]
async fn a_long_task_shows_signs_of_life() {
    let (bus, bench) = (Shared::default(), Arc::new(Workbench { hold: true, ..Workbench::default() }));
    let pool = start(&bus, &bench, 1).await;
    bus.publish(&numbered(2)).await.unwrap();
    bench.has_begun.notified().await;
    // Time stands still but for what waits for it: a minute passes with six signs, one each ten seconds.
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!((bus.0.signs_of_life(), pool.in_flight()), (6, 1));
    bench.let_go.notify_one();
    bus.0.acknowledged(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_pulls_no_more_and_hands_back_what_outlives_its_grace() {
    let (bus, bench) = (Shared::default(), Arc::new(Workbench { hold: true, ..Workbench::default() }));
    let pool = start(&bus, &bench, 2).await;
    for attempt in [2, 3, 4] {
        bus.publish(&numbered(attempt)).await.unwrap();
    }
    while bench.begun.load(Ordering::SeqCst) < 2 {
        bench.has_begun.notified().await;
    }
    bench.let_go.notify_one();
    bus.0.acknowledged(1).await;
    while bench.begun.load(Ordering::SeqCst) < 3 {
        bench.has_begun.notified().await;
    }
    bus.publish(&numbered(5)).await.unwrap();
    assert!(!pool.drain(Duration::from_secs(30)).await);
    // One was done; two were handed back; one was never pulled.
    assert_eq!((bus.0.outcomes().len(), bus.0.waiting(), bench.begun.load(Ordering::SeqCst)), (1, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_to_others_is_theirs_at_once() {
    let (bus, bench) = (Shared::default(), Arc::new(Workbench::default()));
    let pool = start(&bus, &bench, 1).await;
    bus.publish(&numbered(9)).await.unwrap();
    bench.has_begun.notified().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((bus.0.waiting(), bus.0.outcomes().len(), bench.begun.load(Ordering::SeqCst)), (1, 0, 1));
    // It isn't hidden from this worker for ever: others may be gone.
    bench.has_begun.notified().await;
    drop(pool);
}

/// `cargo test --release -p tributary-worker -- --ignored --nocapture tasks_a_second`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn tasks_a_second() {
    const TASKS: usize = 100_000;
    let (bus, bench) = (Shared::default(), Arc::new(Workbench::default()));
    let task = numbered(2);
    for _ in 0..TASKS {
        bus.publish(&task).await.unwrap();
    }
    let begun = std::time::Instant::now();
    let pool = start(&bus, &bench, 64).await;
    bus.0.acknowledged(TASKS).await;
    println!("{:.0} tasks/s", TASKS as f64 / begun.elapsed().as_secs_f64());
    assert!(pool.drain(Duration::from_secs(10)).await);
}
