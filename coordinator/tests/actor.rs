//! A job's actor, over a bus on this disk. Its model is the dry run.

mod common;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};
use tributary_coordinator::{
    actor::{Coordinator, JobError, Options, Ran},
    jobs,
};
use tributary_protocol::{
    bus::{Bus, Kinds, local::LocalBus},
    id::BlobId,
    job::{Job, Progress},
    settings::JobSettings,
    source::Chunk,
    survey::SurveySettings,
    task::{Outcome, Verdict},
};

use self::common::{source, survey_job};

/// Longer than anything here takes.
const TOO_LONG: Duration = Duration::from_secs(30);

fn job() -> Arc<Job> {
    let source = |id| source(id, vec![Chunk { text: BlobId::of_bytes(b"text"), tokens: 900, start: 0 }]);
    survey_job(SurveySettings::default(), JobSettings::default(), 1, (1..=12).map(source).collect())
}

/// Runs the job with a worker whose model can't be used any more once it has answered so often.
async fn run(bus: &Arc<LocalBus>, answers: usize) -> Result<Ran, JobError> {
    let (progress, mut told) = watch::channel(Progress::default());
    let work = async {
        // What is answered before the coordinator has read the journal was done before.
        told.changed().await.unwrap();
        for answered in 0.. {
            let delivery = bus.pull(&Kinds::all()).await.unwrap();
            let outcome = jobs::dry_run(&delivery.task).outcome;
            let outcome = if answered < answers { outcome } else { stopped(outcome) };
            bus.record(delivery.task.job, &outcome).await.unwrap();
            delivery.acknowledge().await.unwrap();
        }
    };
    let coordinator = Coordinator::start(bus.clone(), Options::default(), None).await?;
    let ran = tokio::select! {
        ran = timeout(TOO_LONG, coordinator.run(job(), progress)) => ran.expect("it ends"),
        () = work => unreachable!("there is always a task to wait for"),
    };
    coordinator.stop().await;
    ran
}

fn stopped(outcome: Outcome) -> Outcome {
    Outcome { verdict: Verdict::Stopped { reason: "wrong key".into() }, ..outcome }
}

#[tokio::test]
async fn what_a_model_could_not_be_asked_does_not_count_as_done_before() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Arc::new(LocalBus::open(folder.path(), Default::default()).unwrap());
    for _ in 0..2 {
        assert!(matches!(run(&bus, 0).await, Err(JobError::Model(_))));
    }
    assert!(matches!(run(&bus, 3).await, Err(JobError::Model(_))));
    let ran = run(&bus, usize::MAX).await.unwrap();
    assert_eq!(ran.done_before, 3);
    assert!(ran.machine.progress().ended() > 3);
}
