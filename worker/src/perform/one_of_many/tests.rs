use tokio::sync::broadcast;
use tributary_protocol::task::{Usage, Work};

use super::*;
use crate::testing::{Way, nothing, outline, task};

/// A worker whose model can be used, or can't.
struct Keyed {
    is_right: bool,
    tried: std::sync::atomic::AtomicU32,
}

#[async_trait]
impl Perform for Keyed {
    async fn can_use(&self, _: &str, _: Kind) -> bool {
        self.is_right
    }

    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, Undone> {
        self.tried.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if self.is_right {
            return Ok(nothing(task));
        }
        let verdict = Verdict::Stopped { reason: "401: no such key".into() };
        Ok(Outcome { task: task.id, verdict, usage: Usage::default(), citations_removed: 0 })
    }
}

/// Workers that hear one another.
struct Deployment(Way);

impl Deployment {
    fn new() -> Self {
        Self(Way { all: broadcast::channel(64).0, is_cut: Arc::default() })
    }

    async fn worker(&self, is_right: bool, kinds: Kinds) -> (OneOfMany, Arc<Keyed>) {
        let listeners = self.0.all.receiver_count();
        let keyed = Arc::new(Keyed { is_right, tried: 0.into() });
        let worker = OneOfMany::join("pod 7".into(), kinds, keyed.clone(), Arc::new(self.0.clone()));
        while self.0.all.receiver_count() == listeners {
            tokio::task::yield_now().await;
        }
        (worker, keyed)
    }
}

impl Keyed {
    fn tried(&self) -> u32 {
        self.tried.load(std::sync::atomic::Ordering::SeqCst)
    }
}

fn a_task() -> Arc<Task> {
    task(Work::Score { outline: outline().into() })
}

#[track_caller]
fn is_stopped(performed: Result<Outcome, Undone>) {
    match performed {
        Ok(Outcome { verdict: Verdict::Stopped { reason }, .. }) => {
            assert_eq!(reason, "401: no such key (worker pod 7)");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_can_do_is_left_to_them_for_a_while() {
    let deployment = Deployment::new();
    let (wrong, keyed) = deployment.worker(false, Kinds::all()).await;
    let (_right, _) = deployment.worker(true, Kinds::all()).await;
    for _ in 0..3 {
        assert!(matches!(wrong.perform(&a_task()).await, Err(Undone::Left { .. })));
    }
    assert_eq!((keyed.tried(), wrong.is_unfit()), (1, true));
    sleep(REST).await;
    assert!(!wrong.is_unfit());
    assert!(matches!(wrong.perform(&a_task()).await, Err(Undone::Left { .. })));
    assert_eq!(keyed.tried(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_job_stops_where_no_worker_can_use_its_model() {
    let deployment = Deployment::new();
    let (wrong, keyed) = deployment.worker(false, Kinds::all()).await;
    is_stopped(wrong.perform(&a_task()).await);
    let (_as_wrong, _) = deployment.worker(false, Kinds::all()).await;
    let (_of_other_kinds, _) = deployment.worker(true, Kinds::only([Kind::Write]).unwrap()).await;
    is_stopped(wrong.perform(&a_task()).await);
    // The next attempt is one.
    assert_eq!((keyed.tried(), wrong.is_unfit()), (2, false));
}

#[tokio::test(start_paused = true)]
async fn of_tasks_that_fail_at_once_one_asks_for_all() {
    let deployment = Deployment::new();
    let (wrong, _) = deployment.worker(false, Kinds::all()).await;
    let (_right, _) = deployment.worker(true, Kinds::all()).await;
    let mut heard = deployment.0.all.subscribe();
    let (one, other) = (a_task(), a_task());
    let both = tokio::join!(wrong.perform(&one), wrong.perform(&other));
    assert!(matches!(both, (Err(Undone::Left { .. }), Err(Undone::Left { .. }))));
    let words = std::iter::from_fn(|| heard.try_recv().ok());
    assert_eq!(words.filter(|word| matches!(wire::decode(word), Ok(Word::Ask { .. }))).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_off_from_the_others_leaves_them_nothing() {
    let deployment = Deployment::new();
    let (wrong, _) = deployment.worker(false, Kinds::all()).await;
    let (_right, _) = deployment.worker(true, Kinds::all()).await;
    deployment.0.is_cut.store(true, std::sync::atomic::Ordering::Relaxed);
    is_stopped(wrong.perform(&a_task()).await);
}
