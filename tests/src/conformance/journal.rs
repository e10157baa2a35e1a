//! Journals: the first outcome of each task, in one order, for every reader.

use std::{collections::HashSet, sync::Arc};

use futures::{StreamExt as _, stream};
use tributary_protocol::{
    bus::{Entry, Kinds},
    task::{Outcome, Verdict},
};

use super::fixtures::{Bench, job, next, outcome, read, task};

pub async fn a_journal_gives_what_was_there_then_says_so_then_follows(bench: &impl Bench) {
    let bus = bench.open().await;
    let mut empty = bus.journal(job("a")).await.unwrap();
    assert_eq!(next(&mut empty).await, Entry::CaughtUp);
    let outcomes: Vec<_> = (0..600).map(|n| outcome(&task("a", n), "done")).collect();
    for outcome in &outcomes[..599] {
        bus.record(job("a"), outcome).await.unwrap();
    }
    let mut journal = bus.journal(job("a")).await.unwrap();
    assert_eq!(read(&mut journal).await, outcomes[..599]);
    bus.record(job("a"), &outcomes[599]).await.unwrap();
    assert_eq!(next(&mut journal).await, Entry::Outcome(Arc::new(outcomes[599].clone())));
    for outcome in outcomes {
        assert_eq!(next(&mut empty).await, Entry::Outcome(Arc::new(outcome)));
    }
}

pub async fn a_journal_keeps_the_first_outcome_of_a_task(bench: &impl Bench) {
    let bus = bench.open().await;
    let (first, second) = (outcome(&task("a", 1), "first"), outcome(&task("a", 1), "second"));
    let other = outcome(&task("a", 2), "other");
    let mut follower = bus.journal(job("a")).await.unwrap();
    assert_eq!(next(&mut follower).await, Entry::CaughtUp);
    for outcome in [&first, &second, &first, &other] {
        bus.record(job("a"), outcome).await.unwrap();
    }
    let kept = [first, other];
    for outcome in kept.clone() {
        assert_eq!(next(&mut follower).await, Entry::Outcome(Arc::new(outcome)));
    }
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, kept);
}

pub async fn a_stopped_outcome_does_not_end_its_task(bench: &impl Bench) {
    let bus = bench.open().await;
    let asked = task("a", 1);
    let stopped = Outcome { verdict: Verdict::Stopped { reason: "no quota".into() }, ..outcome(&asked, "stopped") };
    let done = outcome(&asked, "done");
    bus.publish(&asked).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    bus.record(job("a"), &stopped).await.unwrap();
    delivery.acknowledge().await.unwrap();
    bus.publish(&asked).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!(*delivery.task, asked);
    bus.record(job("a"), &done).await.unwrap();
    delivery.acknowledge().await.unwrap();
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, [stopped, done]);
}

pub async fn journals_of_jobs_are_apart(bench: &impl Bench) {
    let bus = bench.open().await;
    let (a, b) = (outcome(&task("a", 1), "a"), outcome(&task("b", 1), "b"));
    bus.record(job("a"), &a).await.unwrap();
    bus.record(job("b"), &b).await.unwrap();
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, [a]);
    assert_eq!(read(&mut bus.journal(job("b")).await.unwrap()).await, [b]);
}

pub async fn outcomes_recorded_at_once_are_all_kept_in_one_order(bench: &impl Bench) {
    let bus = bench.open().await;
    let outcomes: Vec<_> = (0..300).map(|n| outcome(&task("a", n), "done")).collect();
    let mut follower = bus.journal(job("a")).await.unwrap();
    // Each of them twice.
    stream::iter(outcomes.iter().chain(&outcomes))
        .for_each_concurrent(64, |outcome| async { bus.record(job("a"), outcome).await.unwrap() })
        .await;
    let mut followed = Vec::new();
    while followed.len() < outcomes.len() {
        if let Entry::Outcome(outcome) = next(&mut follower).await {
            followed.push((*outcome).clone());
        }
    }
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, followed);
    let distinct: HashSet<_> = followed.iter().map(|outcome| outcome.task).collect();
    assert_eq!(distinct.len(), outcomes.len());
}

pub async fn an_outcome_larger_than_a_message_is_kept(bench: &impl Bench) {
    let bus = bench.open().await;
    let (large, small) = (outcome(&task("a", 1), &"x".repeat(3 << 20)), outcome(&task("a", 2), "small"));
    for outcome in [&large, &large, &small] {
        bus.record(job("a"), outcome).await.unwrap();
    }
    let read = read(&mut bus.journal(job("a")).await.unwrap()).await;
    assert!(read == [large, small], "{} other outcomes", read.len());
}
