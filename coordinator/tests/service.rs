//! Handing jobs in, while others have them in hand.

use std::{fs, sync::Arc, time::Duration};

use futures::StreamExt as _;
use tempfile::TempDir;
use tokio::time::timeout;
use tributary_coordinator::{
    prepare::{PreparedJob, prepare},
    service::{self, Resumed, State, Status, Submitted, resume, state, submit},
    survey::SurveyTemplate,
};
use tributary_protocol::{
    bus::{
        Bus as _, JobQueue as _,
        local::{LocalBus, LocalOptions},
    },
    settings::JobSettings,
    survey::SurveySettings,
    wire,
};

/// Longer than anything here takes.
const TOO_LONG: Duration = Duration::from_secs(30);

fn prepared_job(folder: &TempDir) -> PreparedJob {
    let path = folder.path().join("corpus.jsonl");
    let line = r#"{"title": "Mills", "papers": [{"title": "A mill", "txt": "A mill grinds corn by water."}]}"#;
    fs::write(&path, line).unwrap();
    let template = SurveyTemplate(SurveySettings::default());
    prepare(&[path], None, &template, &JobSettings::default(), 1).unwrap().jobs.remove(0)
}

#[tokio::test]
async fn a_job_submitted_again_before_its_last_holder_lets_go_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let bus = LocalBus::open(&folder.path().join("state"), LocalOptions::default()).unwrap();
    let prepared = prepared_job(&folder);
    let id = prepared.job.id;
    submit(&bus, &bus, &prepared, &[], false).await.unwrap();
    let claim = bus.claim().await.unwrap();
    let status = Status::ModelFailed { reason: "no key".into() };
    let ended = State { status, ..state(&bus, id).await.unwrap().unwrap() };
    bus.set_state(id, wire::encode(&ended).into()).await.unwrap();

    let lets_go = async {
        let mut states = bus.watch(id).await.unwrap();
        while wire::decode::<State>(&states.next().await.unwrap().unwrap()).unwrap().status != Status::Queued {}
        bus.clear(id).await.unwrap();
        claim.acknowledge().await.unwrap();
    };
    let (submitted, ()) = tokio::join!(submit(&bus, &bus, &prepared, &[], false), lets_go);
    assert_eq!(submitted.unwrap(), Submitted::Now);
    let claim = timeout(TOO_LONG, bus.claim()).await.expect("the job is out").unwrap();
    assert_eq!(claim.job.id, id);
    bus.get(id, prepared.job.sources[0].card).await.expect("its texts are there");
}

#[tokio::test]
async fn a_job_that_coordinators_fall_over_one_after_the_other_fails_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Arc::new(LocalBus::open(&folder.path().join("state"), LocalOptions::default()).unwrap());
    let prepared = prepared_job(&folder);
    let id = prepared.job.id;
    submit(&*bus, &*bus, &prepared, &[], false).await.unwrap();
    // Ten of eleven coordinators take the job and end without a word.
    for holder in 1..=11 {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stop_once = async { stopped.await.unwrap_or(()) };
        let serving = service::serve(bus.clone(), service::ServiceOptions::default(), Arc::default(), stop_once);
        let looks_on = async {
            let mut states = bus.watch(id).await.unwrap();
            let taken = loop {
                let state: State = wire::decode(&states.next().await.unwrap().unwrap()).unwrap();
                if state.status.has_ended() || holder < 11 && state.term == holder {
                    break state;
                }
            };
            drop(stop);
            taken
        };
        let both = async { tokio::join!(serving, looks_on) };
        let (served, mut taken) = timeout(TOO_LONG, both).await.expect("the job is taken");
        served.unwrap();
        if holder < 11 {
            assert_eq!(taken.status, Status::Running);
        } else {
            assert!(taken.status.reason().unwrap().contains("10 coordinators in a row"), "{}", taken.status);
        }
        // As a killed one would have left it.
        taken.status = Status::Running;
        bus.set_state(id, wire::encode(&taken).into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_job_that_has_failed_goes_on_without_its_sources() {
    let folder = tempfile::tempdir().unwrap();
    let bus = LocalBus::open(&folder.path().join("state"), LocalOptions::default()).unwrap();
    let prepared = prepared_job(&folder);
    let id = prepared.job.id;
    assert_eq!(resume(&bus, id).await.unwrap(), None);
    submit(&bus, &bus, &prepared, &[], false).await.unwrap();
    assert_eq!(resume(&bus, id).await.unwrap(), Some(Resumed::Not(Status::Queued)));
    drop(bus.claim().await.unwrap());
    let before = state(&bus, id).await.unwrap().unwrap();
    let failed = State { status: Status::Failed { reason: "it fell".into() }, term: 7, falls: 10, ..before.clone() };
    bus.set_state(id, wire::encode(&failed).into()).await.unwrap();

    // It is out: its holder fell before it let go.
    let (resumed, claim) = tokio::join!(resume(&bus, id), bus.claim());
    let now = state(&bus, id).await.unwrap().unwrap();
    assert_eq!((resumed.unwrap(), now.status, now.term, now.falls), (Some(Resumed::Now), Status::Queued, 7, 0));
    assert_eq!((claim.unwrap().job.id, now.input), (id, before.input));
}
