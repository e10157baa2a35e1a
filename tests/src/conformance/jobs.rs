//! Jobs: one coordinator at a time holds each, and everyone sees how it stands.

use futures::{StreamExt as _, future::join_all};
use tributary_protocol::{
    job::Job,
    settings::JobSettings,
    survey::{SurveyRequest, SurveySettings},
};

use super::fixtures::Bench;

pub async fn a_job_is_held_by_one_coordinator_until_it_is_over(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    for (name, new) in [("one", true), ("one", false), ("two", true)] {
        assert_eq!(jobs.submit(&submitted(name)).await.unwrap(), new);
    }
    let one = jobs.claim().await.unwrap();
    assert_eq!(*one.job, submitted("one"));
    jobs.submit(&submitted("one")).await.unwrap();
    let two = jobs.claim().await.unwrap();
    assert_eq!(*two.job, submitted("two"));
    one.acknowledge().await.unwrap();
    two.acknowledge().await.unwrap();
    jobs.submit(&submitted("three")).await.unwrap();
    assert_eq!(*jobs.claim().await.unwrap().job, submitted("three"));
}

pub async fn a_dropped_claim_goes_to_another_coordinator(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    jobs.submit(&submitted("one")).await.unwrap();
    drop(jobs.claim().await.unwrap());
    let again = jobs.claim().await.unwrap();
    assert_eq!(*again.job, submitted("one"));
}

pub async fn a_submitted_job_outlives_the_process(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    jobs.submit(&submitted("over")).await.unwrap();
    jobs.claim().await.unwrap().acknowledge().await.unwrap();
    jobs.submit(&submitted("one")).await.unwrap();
    jobs.set_state(submitted("one").id, "submitted".into()).await.unwrap();
    drop(jobs);

    let jobs = bench.open_jobs().await;
    assert_eq!(jobs.document(submitted("one").id).await.unwrap(), Some(submitted("one")));
    assert_eq!(jobs.document(submitted("two").id).await.unwrap(), None);
    assert_eq!(*jobs.claim().await.unwrap().job, submitted("one"));
    assert_eq!(jobs.state(submitted("one").id).await.unwrap().unwrap(), "submitted");
}

pub async fn a_state_gives_way_only_to_a_later_one_whoever_writes_at_once(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    let one = submitted("one").id;
    let write = async |number: u8| {
        let is_earlier = move |written: Option<&[u8]>| written.is_none_or(|written| written[0] < number);
        jobs.replace_state(one, vec![number].into(), &is_earlier).await.unwrap()
    };
    let written = join_all((0..32u8).map(|n| write(n * 7 % 32))).await;
    assert_eq!(jobs.state(one).await.unwrap().unwrap(), vec![31]);
    assert!(written.contains(&true));
    assert!(!write(30).await);
    jobs.forget(one).await.unwrap();
    assert!(write(1).await);
}

pub async fn how_jobs_stand_can_be_read_listed_and_watched(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    let (one, two) = (submitted("one").id, submitted("two").id);
    assert_eq!(jobs.state(one).await.unwrap(), None);
    assert_eq!(jobs.states().await.unwrap(), []);
    jobs.set_state(one, "running".into()).await.unwrap();
    jobs.set_state(two, "waiting".into()).await.unwrap();
    let mut watched = jobs.watch(one).await.unwrap();
    assert_eq!(watched.next().await.unwrap().unwrap(), "running");
    jobs.set_state(one, "done".into()).await.unwrap();
    assert_eq!(watched.next().await.unwrap().unwrap(), "done");
    let mut all = [(one, "done".into()), (two, "waiting".into())];
    all.sort_unstable_by_key(|(job, _)| *job);
    assert_eq!(jobs.states().await.unwrap(), all);
    jobs.forget(one).await.unwrap();
    assert_eq!(jobs.states().await.unwrap(), [(two, "waiting".into())]);
}

pub async fn a_wish_to_cancel_is_told_before_and_after_until_it_is_taken_back(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    let one = submitted("one");
    {
        let mut told = jobs.cancelled(one.id);
        assert!(futures::poll!(&mut told).is_pending());
        jobs.cancel(one.id).await.unwrap();
        told.await.unwrap();
    }
    jobs.cancelled(one.id).await.unwrap();
    jobs.withdraw(one.id).await.unwrap();
    tokio::select! {
        biased;
        _ = jobs.cancelled(one.id) => panic!("the wish was withdrawn"),
        written = jobs.set_state(one.id, "waiting".into()) => written.unwrap(),
    }
    jobs.cancel(one.id).await.unwrap();
    jobs.submit(&one).await.unwrap();
    let told = jobs.cancelled(one.id);
    let claimed = jobs.claim();
    tokio::select! {
        biased;
        _ = told => panic!("the wish was taken back"),
        claimed = claimed => assert_eq!(*claimed.unwrap().job, one),
    }
}

pub async fn a_result_is_kept_until_it_is_forgotten(bench: &impl Bench) {
    let jobs = bench.open_jobs().await;
    let one = submitted("one").id;
    assert_eq!(jobs.result(one, 0).await.unwrap(), None);
    let large = "a long article ".repeat(200_000);
    jobs.keep_result(one, 1, "its end".into()).await.unwrap();
    for result in ["a short article", &large] {
        jobs.keep_result(one, 0, result.to_owned().into()).await.unwrap();
        assert!(jobs.result(one, 0).await.unwrap().unwrap() == result, "another result");
        assert_eq!(jobs.result(one, 1).await.unwrap().unwrap(), "its end");
    }
    // Kept anew, it is there all the while.
    jobs.keep_result(one, 0, "a short article".into()).await.unwrap();
    let mut keeping = jobs.keep_result(one, 0, large.clone().into());
    loop {
        tokio::select! {
            kept = &mut keeping => break kept.unwrap(),
            seen = jobs.result(one, 0) => assert!(seen.unwrap().is_some(), "it is gone"),
        }
    }
    drop(keeping);
    jobs.forget(one).await.unwrap();
    assert_eq!(jobs.result(one, 0).await.unwrap(), None);
    assert_eq!(jobs.result(one, 1).await.unwrap(), None);
}

/// A job without sources, one for each title.
pub fn submitted(title: &str) -> Job {
    Job::new(SurveyRequest::new(title, SurveySettings::default()), JobSettings::default(), 1, Vec::new())
}
