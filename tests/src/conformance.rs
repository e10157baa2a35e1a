//! What a bus promises, as tests that every adapter passes.
//!
//! Each function is one behaviour. [`for_each_behaviour`] names them all, so that an adapter's tests can't leave one out.

use std::{
    collections::HashSet,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{
    StreamExt as _,
    future::join_all,
    stream::{self, BoxStream},
};
use tributary_protocol::{
    budget::Window,
    bus::{Bus, BusError, Entry, Kinds},
    id::{BlobId, CallId, Hasher, JobId},
    settings::{Genre, Language},
    task::{Brief, Kind, Limits, Outcome, Product, SectionBrief, Stage, Task, Usage, Verdict, Work},
};

/// A place where a bus is kept.
pub trait Bench {
    /// Opens the bus there. What was opened before is gone by then, as if its process had died.
    fn open(&self) -> impl Future<Output = Arc<dyn Bus>>;
}

/// Calls a macro with the names of all behaviours.
#[macro_export]
macro_rules! for_each_behaviour {
    ($call:ident) => {
        $call! {
            a_task_that_is_done_is_gone
            a_task_published_again_while_it_is_out_is_delivered_once
            tasks_of_a_kind_come_in_the_order_of_publication
            a_dropped_delivery_comes_back
            a_task_handed_back_comes_back_after_its_delay
            a_worker_gets_only_the_kinds_that_it_serves
            workers_at_once_get_each_task_once
            a_pull_that_is_given_up_loses_no_task
            unfinished_tasks_of_one_job_hold_up_no_other
            a_task_larger_than_a_message_arrives
            a_journal_gives_what_was_there_then_says_so_then_follows
            a_journal_keeps_the_first_outcome_of_a_task
            a_stopped_outcome_does_not_end_its_task
            journals_of_jobs_are_apart
            outcomes_recorded_at_once_are_all_kept_in_one_order
            an_outcome_larger_than_a_message_is_kept
            a_blob_is_stored_once_and_belongs_to_its_job
            a_blob_of_twenty_megabytes_is_stored
            a_reply_is_kept_and_outlives_its_job
            a_cleared_job_leaves_nothing_and_may_begin_again
            clearing_a_job_leaves_the_others
            what_was_acknowledged_is_there_when_the_bus_is_opened_again
            an_outstanding_task_published_again_after_reopening_is_delivered_once
        }
    };
}

pub async fn a_task_that_is_done_is_gone(bench: &impl Bench) {
    let bus = bench.open().await;
    let (one, two) = (task("a", 1), task("a", 2));
    bus.publish(&one).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!((&*delivery.task, delivery.delivery), (&one, 1));
    bus.record(one.job, &outcome(&one, "first")).await.unwrap();
    delivery.done().await.unwrap();
    bus.publish(&two).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, two);
}

pub async fn a_task_published_again_while_it_is_out_is_delivered_once(bench: &impl Bench) {
    let bus = bench.open().await;
    let (one, two) = (task("a", 1), task("a", 2));
    bus.publish(&one).await.unwrap();
    bus.publish(&one).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    bus.publish(&one).await.unwrap();
    bus.publish(&two).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, two);
    assert_eq!(*delivery.task, one);
}

pub async fn tasks_of_a_kind_come_in_the_order_of_publication(bench: &impl Bench) {
    let bus = bench.open().await;
    for n in 0..50 {
        bus.publish(&task("a", n)).await.unwrap();
    }
    for n in 0..50 {
        let delivery = bus.pull(&Kinds::all()).await.unwrap();
        assert_eq!(*delivery.task, task("a", n));
        delivery.done().await.unwrap();
    }
}

pub async fn a_dropped_delivery_comes_back(bench: &impl Bench) {
    let bus = bench.open().await;
    bus.publish(&task("a", 1)).await.unwrap();
    drop(bus.pull(&Kinds::all()).await.unwrap());
    let again = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!((&*again.task, again.delivery), (&task("a", 1), 2));
}

pub async fn a_task_handed_back_comes_back_after_its_delay(bench: &impl Bench) {
    let bus = bench.open().await;
    let delay = Duration::from_millis(300);
    bus.publish(&task("a", 1)).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    let began = Instant::now();
    delivery.hand_back(delay).await.unwrap();
    let again = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!((&*again.task, again.delivery), (&task("a", 1), 2));
    assert!(began.elapsed() >= delay, "it came back after {:?}", began.elapsed());
}

pub async fn a_worker_gets_only_the_kinds_that_it_serves(bench: &impl Bench) {
    let bus = bench.open().await;
    let (group, condense) = (task("a", 1), condensing("a", 1, 0));
    bus.publish(&group).await.unwrap();
    bus.publish(&condense).await.unwrap();
    let only = |kind| Kinds::only([kind]).unwrap();
    assert_eq!(*bus.pull(&only(Kind::Condense)).await.unwrap().task, condense);
    assert_eq!(*bus.pull(&only(Kind::Group)).await.unwrap().task, group);
}

pub async fn workers_at_once_get_each_task_once(bench: &impl Bench) {
    let bus = bench.open().await;
    const TASKS: u32 = 200;
    let pullers = (0..8).map(|_| async {
        let mut pulled = Vec::new();
        for _ in 0..TASKS / 8 {
            let delivery = bus.pull(&Kinds::all()).await.unwrap();
            pulled.push(delivery.task.id);
            delivery.done().await.unwrap();
        }
        pulled
    });
    let publisher = async {
        for n in 0..TASKS {
            bus.publish(&task("a", n)).await.unwrap();
        }
    };
    let (pulled, ()) = futures::join!(join_all(pullers), publisher);
    let distinct: HashSet<_> = pulled.concat().into_iter().collect();
    assert_eq!(distinct.len(), TASKS as usize);
}

pub async fn a_pull_that_is_given_up_loses_no_task(bench: &impl Bench) {
    let bus = bench.open().await;
    for n in 0..20 {
        let kinds = Kinds::all();
        let mut pull = bus.pull(&kinds);
        assert!(futures::poll!(&mut pull).is_pending());
        bus.publish(&task("a", n)).await.unwrap();
        drop(pull);
        let delivery = bus.pull(&kinds).await.unwrap();
        assert_eq!(*delivery.task, task("a", n));
        delivery.done().await.unwrap();
    }
}

pub async fn unfinished_tasks_of_one_job_hold_up_no_other(bench: &impl Bench) {
    let bus = bench.open().await;
    let mut in_hand = Vec::new();
    for n in 0..100 {
        bus.publish(&task("large", n)).await.unwrap();
    }
    for _ in 0..100 {
        in_hand.push(bus.pull(&Kinds::all()).await.unwrap());
    }
    bus.publish(&task("small", 1)).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, task("small", 1));
}

pub async fn a_task_larger_than_a_message_arrives(bench: &impl Bench) {
    let bus = bench.open().await;
    let large = condensing("a", 1, 3 << 20);
    bus.publish(&large).await.unwrap();
    bus.publish(&large).await.unwrap();
    bus.publish(&condensing("a", 2, 10)).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert!(*delivery.task == large, "another task");
    delivery.done().await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert!(*delivery.task == condensing("a", 2, 10), "another task");
}

pub async fn a_journal_gives_what_was_there_then_says_so_then_follows(bench: &impl Bench) {
    let bus = bench.open().await;
    let mut empty = bus.journal(job("a")).await.unwrap();
    assert_eq!(next(&mut empty).await, Entry::Caught);
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
    assert_eq!(next(&mut follower).await, Entry::Caught);
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
    delivery.done().await.unwrap();
    bus.publish(&asked).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!(*delivery.task, asked);
    bus.record(job("a"), &done).await.unwrap();
    delivery.done().await.unwrap();
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

pub async fn a_blob_is_stored_once_and_belongs_to_its_job(bench: &impl Bench) {
    let bus = bench.open().await;
    for bytes in ["a source", ""] {
        let blob = bus.put(job("a"), bytes.into()).await.unwrap();
        assert_eq!(blob, BlobId::of_bytes(bytes.as_bytes()));
        assert_eq!(bus.put(job("a"), bytes.into()).await.unwrap(), blob);
        assert_eq!(bus.get(job("a"), blob).await.unwrap(), bytes);
        assert!(matches!(bus.get(job("b"), blob).await, Err(BusError::NoBlob(missing)) if missing == blob));
    }
}

pub async fn a_blob_of_twenty_megabytes_is_stored(bench: &impl Bench) {
    let bus = bench.open().await;
    let bytes: Vec<u8> = (0..20u32 << 20).map(|n| (n ^ (n >> 9) ^ (n >> 17)) as u8).collect();
    let blob = bus.put(job("a"), bytes.clone().into()).await.unwrap();
    assert!(bus.get(job("a"), blob).await.unwrap() == bytes, "other bytes");
}

pub async fn a_reply_is_kept_and_outlives_its_job(bench: &impl Bench) {
    let bus = bench.open().await;
    assert_eq!(bus.reply(call("unasked")).await.unwrap(), None);
    let large = "l".repeat(2 << 20);
    bus.keep_reply(call("short"), "an answer".into()).await.unwrap();
    bus.keep_reply(call("large"), large.clone().into()).await.unwrap();
    bus.clear(job("a")).await.unwrap();
    assert_eq!(bus.reply(call("short")).await.unwrap().unwrap(), "an answer");
    assert!(bus.reply(call("large")).await.unwrap().unwrap() == large, "another reply");
}

pub async fn a_cleared_job_leaves_nothing_and_may_begin_again(bench: &impl Bench) {
    let bus = bench.open().await;
    let (waiting, in_hand) = (task("a", 1), task("a", 2));
    let large = condensing("a", 3, 2 << 20);
    for task in [&in_hand, &waiting, &large] {
        bus.publish(task).await.unwrap();
    }
    let delivery = bus.pull(&Kinds::only([Kind::Group]).unwrap()).await.unwrap();
    assert_eq!(*delivery.task, in_hand);
    bus.record(job("a"), &outcome(&in_hand, "before")).await.unwrap();
    let blob = bus.put(job("a"), "a source".into()).await.unwrap();

    bus.clear(job("a")).await.unwrap();
    delivery.done().await.unwrap();
    assert!(matches!(bus.get(job("a"), blob).await, Err(BusError::NoBlob(_))));
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, []);

    let after = outcome(&in_hand, "after");
    bus.publish(&in_hand).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!(*delivery.task, in_hand);
    bus.record(job("a"), &after).await.unwrap();
    delivery.done().await.unwrap();
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, [after]);
    assert_eq!(bus.put(job("a"), "a source".into()).await.unwrap(), blob);
    assert_eq!(bus.get(job("a"), blob).await.unwrap(), "a source");
}

pub async fn clearing_a_job_leaves_the_others(bench: &impl Bench) {
    let bus = bench.open().await;
    let kept = outcome(&task("b", 1), "kept");
    bus.record(job("b"), &kept).await.unwrap();
    let blob = bus.put(job("b"), "kept".into()).await.unwrap();
    bus.put(job("a"), "kept".into()).await.unwrap();
    bus.publish(&task("a", 2)).await.unwrap();
    bus.publish(&task("b", 2)).await.unwrap();
    bus.clear(job("a")).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, task("b", 2));
    assert_eq!(bus.get(job("b"), blob).await.unwrap(), "kept");
    assert_eq!(read(&mut bus.journal(job("b")).await.unwrap()).await, [kept]);
}

pub async fn what_was_acknowledged_is_there_when_the_bus_is_opened_again(bench: &impl Bench) {
    let bus = bench.open().await;
    let outcomes: Vec<_> = (0..20).map(|n| outcome(&task("a", n), "done")).collect();
    for outcome in &outcomes {
        bus.record(job("a"), outcome).await.unwrap();
    }
    let blob = bus.put(job("a"), "a source".into()).await.unwrap();
    bus.keep_reply(call("asked"), "an answer".into()).await.unwrap();
    drop(bus);

    let bus = bench.open().await;
    bus.record(job("a"), &outcome(&task("a", 0), "again")).await.unwrap();
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, outcomes);
    assert_eq!(bus.get(job("a"), blob).await.unwrap(), "a source");
    assert_eq!(bus.reply(call("asked")).await.unwrap().unwrap(), "an answer");
    let more = outcome(&task("a", 20), "done");
    bus.record(job("a"), &more).await.unwrap();
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await.last(), Some(&more));
}

pub async fn an_outstanding_task_published_again_after_reopening_is_delivered_once(bench: &impl Bench) {
    let bus = bench.open().await;
    bus.publish(&task("a", 1)).await.unwrap();
    drop(bus);

    let bus = bench.open().await;
    bus.publish(&task("a", 1)).await.unwrap();
    bus.publish(&task("a", 2)).await.unwrap();
    for n in 1..=2 {
        let delivery = bus.pull(&Kinds::all()).await.unwrap();
        assert_eq!(*delivery.task, task("a", n));
        delivery.done().await.unwrap();
    }
}

/// The outcomes up to [`Entry::Caught`].
pub async fn read(journal: &mut BoxStream<'static, Result<Entry, BusError>>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while let Entry::Outcome(outcome) = next(journal).await {
        outcomes.push((*outcome).clone());
    }
    outcomes
}

async fn next(journal: &mut BoxStream<'static, Result<Entry, BusError>>) -> Entry {
    journal.next().await.expect("a journal has no end").unwrap()
}

pub fn job(name: &str) -> JobId {
    JobId::of(Hasher::new("job").part(name.as_bytes()))
}

pub fn call(name: &str) -> CallId {
    CallId::of(Hasher::new("call").part(name.as_bytes()))
}

/// A small task, one for each number.
pub fn task(of: &str, n: u32) -> Task {
    let work = Work::Group { sources: Vec::new(), size: n };
    Task::new(job(of), Stage::Group, format!("group {n}"), "extractive".into(), brief(), work)
}

/// A task of about `bytes` bytes, one for each number.
pub fn condensing(of: &str, n: u32, bytes: usize) -> Task {
    let section =
        SectionBrief { path: Vec::new(), extract: "e".repeat(bytes), analyse: String::new(), beside: Vec::new() };
    let work = Work::Condense { section, notes: Vec::new(), room: n };
    Task::new(job(of), Stage::Write, format!("condense {n}"), "extractive".into(), brief(), work)
}

fn brief() -> Arc<Brief> {
    let limits = Limits { sections: 1, outline: 1, suggestion: 1, digest: 1, passage: 1 };
    Arc::new(Brief {
        title: "A title".into(),
        language: Language::En,
        genre: Genre::Survey,
        window: Window(8000),
        limits,
    })
}

/// An outcome of a task; another text makes another outcome.
pub fn outcome(task: &Task, text: &str) -> Outcome {
    Outcome {
        task: task.id,
        verdict: Verdict::Degraded { product: Product::Groups(Vec::new()), reason: text.into() },
        usage: Usage::default(),
        citations_removed: 0,
    }
}
