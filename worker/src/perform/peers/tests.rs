use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use tokio::sync::broadcast;
use tributary_protocol::{
    survey::SurveyKind,
    task::{Outcome, Task},
};

use super::{super::contract::NoOutcome, *};
use crate::testing::Way;

const MODEL: &str = "openai/m";

/// A worker whose model can be used, or can't, which takes it a while to find out.
#[derive(Default)]
struct Keyed {
    is_right: AtomicBool,
    seconds: u64,
    tried: AtomicU64,
}

#[async_trait]
impl Perform for Keyed {
    async fn can_use(&self, _: &str, _: Kind) -> bool {
        self.tried.fetch_add(1, SeqCst);
        sleep(Duration::from_secs(self.seconds)).await;
        self.is_right.load(SeqCst)
    }

    async fn perform(&self, _: &Arc<Task>) -> Result<Outcome, NoOutcome> {
        unreachable!("no task comes here")
    }
}

/// Workers that hear one another.
struct Deployment(Way);

struct Worker {
    peers: Arc<Peers>,
    keyed: Arc<Keyed>,
    _ear: PeerListener,
}

impl Deployment {
    fn new() -> Self {
        Self(Way { all: broadcast::channel(64).0, is_cut: Arc::default() })
    }

    async fn worker(&self, is_right: bool, kinds: Kinds, seconds: u64) -> Worker {
        let listeners = self.0.all.receiver_count();
        let keyed = Arc::new(Keyed { is_right: is_right.into(), seconds, ..Keyed::default() });
        let peers = Arc::new(Peers::new("pod 7".into(), kinds, Arc::new(self.0.clone())));
        let ear = peers.listen(keyed.clone());
        while self.0.all.receiver_count() == listeners {
            tokio::task::yield_now().await;
        }
        Worker { peers, keyed, _ear: ear }
    }
}

impl Worker {
    async fn others_can(&self) -> bool {
        self.peers.can_use(MODEL, SurveyKind::Score.into(), "401").await
    }
}

#[tokio::test(start_paused = true)]
async fn who_can_t_use_a_model_that_others_can_is_unfit_until_it_can() {
    let deployment = Deployment::new();
    let wrong = deployment.worker(false, Kinds::all(), 0).await;
    let _right = deployment.worker(true, Kinds::all(), 0).await;
    assert!(!wrong.peers.is_unfit());
    assert!(wrong.others_can().await);
    assert!(wrong.peers.is_unfit() && wrong.peers.is_unfit_for(MODEL, SurveyKind::Score.into()));
    sleep(RETRIAL * 3).await;
    assert!(wrong.keyed.tried.load(SeqCst) >= 2 && wrong.peers.is_unfit());
    wrong.keyed.is_right.store(true, SeqCst);
    sleep(RETRIAL).await;
    assert!(!wrong.peers.is_unfit());
}

#[tokio::test(start_paused = true)]
async fn what_others_can_t_do_is_not_left_to_them() {
    let deployment = Deployment::new();
    let wrong = deployment.worker(false, Kinds::all(), 0).await;
    let _writes_alone = deployment.worker(true, Kinds::only([SurveyKind::Write.into()]).unwrap(), 0).await;
    assert!(wrong.peers.can_use(MODEL, SurveyKind::Write.into(), "401").await);
    assert!(!wrong.peers.can_use(MODEL, SurveyKind::Digest.into(), "401").await);
    let is_unfit_for = |model, kind| wrong.peers.is_unfit_for(model, kind);
    assert!(is_unfit_for(MODEL, SurveyKind::Write.into()) && !is_unfit_for(MODEL, SurveyKind::Digest.into()));
    assert!(!is_unfit_for("openai/n", SurveyKind::Write.into()));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_who_can_t() {
    let deployment = Deployment::new();
    let wrong = deployment.worker(false, Kinds::all(), 0).await;
    assert!(!wrong.others_can().await, "it is alone");
    let _as_wrong = deployment.worker(false, Kinds::all(), 0).await;
    let _of_other_kinds = deployment.worker(true, Kinds::only([SurveyKind::Write.into()]).unwrap(), 0).await;
    sleep(SETTLED).await;
    let began = Instant::now();
    assert!(!wrong.others_can().await && !wrong.peers.is_unfit());
    assert!(began.elapsed() <= ANNOUNCED);
}

#[tokio::test(start_paused = true)]
async fn who_takes_long_to_see_is_waited_for() {
    let deployment = Deployment::new();
    let wrong = deployment.worker(false, Kinds::all(), 0).await;
    let _as_wrong = deployment.worker(false, Kinds::all(), 1).await;
    let _right = deployment.worker(true, Kinds::all(), 20).await;
    assert!(wrong.others_can().await);
}

#[tokio::test(start_paused = true)]
async fn of_tasks_that_fail_at_once_one_asks_for_all() {
    for is_right in [true, false] {
        let deployment = Deployment::new();
        let wrong = deployment.worker(false, Kinds::all(), 0).await;
        let _other = deployment.worker(is_right, Kinds::all(), 0).await;
        let mut heard = deployment.0.all.subscribe();
        assert_eq!(tokio::join!(wrong.others_can(), wrong.others_can()), (is_right, is_right));
        let words = std::iter::from_fn(|| heard.try_recv().ok());
        assert_eq!(words.filter(|word| matches!(wire::decode(word), Ok(PeerMessage::Question { .. }))).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn when_those_are_gone_who_could_nothing_is_left_to_them() {
    let deployment = Deployment::new();
    let wrong = deployment.worker(false, Kinds::all(), 0).await;
    let right = deployment.worker(true, Kinds::all(), 0).await;
    assert!(wrong.others_can().await);
    drop(right);
    sleep(RETRIAL + ANSWERED).await;
    assert!(!wrong.peers.is_unfit() && !wrong.others_can().await);
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_off_from_the_others_leaves_them_nothing() {
    let deployment = Deployment::new();
    let wrong = deployment.worker(false, Kinds::all(), 0).await;
    let _right = deployment.worker(true, Kinds::all(), 0).await;
    deployment.0.is_cut.store(true, SeqCst);
    assert!(!wrong.others_can().await);
}
