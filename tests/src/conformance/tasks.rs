//! Tasks: at least once, and not oftener than they are published.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures::future::join_all;
use tributary_protocol::{
    bus::{Kinds, Lag},
    survey::SurveyKind,
    task::Kind,
};

use super::fixtures::{Bench, condensing, outcome, task};

pub async fn a_task_that_is_done_is_gone(bench: &impl Bench) {
    let bus = bench.open().await;
    let (one, two) = (task("a", 1), task("a", 2));
    bus.publish(&one).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!((&*delivery.task, delivery.delivery), (&one, 1));
    bus.record(one.job, &outcome(&one, "first")).await.unwrap();
    delivery.acknowledge().await.unwrap();
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
        delivery.acknowledge().await.unwrap();
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
    delivery.requeue_after(delay).await.unwrap();
    let again = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!((&*again.task, again.delivery), (&task("a", 1), 2));
    assert!(began.elapsed() >= delay, "it came back after {:?}", began.elapsed());
}

pub async fn a_task_passed_on_comes_back_unless_its_job_was_cleared(bench: &impl Bench) {
    let bus = bench.open().await;
    let (cleared, wanted) = (task("a", 1), task("b", 1));
    bus.publish(&cleared).await.unwrap();
    bus.publish(&wanted).await.unwrap();
    let deliveries = [bus.pull(&Kinds::all()).await.unwrap(), bus.pull(&Kinds::all()).await.unwrap()];
    bus.clear(cleared.job).await.unwrap();
    for delivery in deliveries {
        delivery.requeue_uncounted(Duration::ZERO).await.unwrap();
    }
    let again = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!(*again.task, wanted);
    assert!(bus.lag().await.unwrap().values().all(|lag| lag.waiting == 0));
}

pub async fn a_worker_gets_only_the_kinds_that_it_serves(bench: &impl Bench) {
    let bus = bench.open().await;
    let (group, condense) = (task("a", 1), condensing("a", 1, 0));
    bus.publish(&group).await.unwrap();
    bus.publish(&condense).await.unwrap();
    let only = |kind: SurveyKind| Kinds::only([kind.into()]).unwrap();
    assert_eq!(*bus.pull(&only(SurveyKind::Condense)).await.unwrap().task, condense);
    assert_eq!(*bus.pull(&only(SurveyKind::Group)).await.unwrap().task, group);
}

pub async fn workers_at_once_get_each_task_once(bench: &impl Bench) {
    let bus = bench.open().await;
    const TASKS: u32 = 200;
    let pullers = (0..8).map(|_| async {
        let mut pulled = Vec::new();
        for _ in 0..TASKS / 8 {
            let delivery = bus.pull(&Kinds::all()).await.unwrap();
            pulled.push(delivery.task.id);
            delivery.acknowledge().await.unwrap();
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
        delivery.acknowledge().await.unwrap();
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

pub async fn a_kind_that_always_has_tasks_keeps_no_worker_from_the_others(bench: &impl Bench) {
    let bus = bench.open().await;
    const WAITING: u32 = 64;
    const PATIENCE: u32 = 20_000;
    for n in 0..WAITING {
        bus.publish(&task("large", n)).await.unwrap();
    }
    let first = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!(first.task.kind(), SurveyKind::Group.into());
    bus.publish(&condensing("small", 1, 0)).await.unwrap();
    for n in WAITING..PATIENCE {
        bus.publish(&task("large", n)).await.unwrap();
        let delivery = bus.pull(&Kinds::all()).await.unwrap();
        if delivery.task.kind() == SurveyKind::Condense.into() {
            return;
        }
        delivery.acknowledge().await.unwrap();
    }
    panic!("{PATIENCE} tasks of one kind came before the only one of another");
}

pub async fn a_task_larger_than_a_message_arrives(bench: &impl Bench) {
    let bus = bench.open().await;
    let large = condensing("a", 1, 3 << 20);
    bus.publish(&large).await.unwrap();
    bus.publish(&large).await.unwrap();
    bus.publish(&condensing("a", 2, 10)).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert!(*delivery.task == large, "another task");
    delivery.acknowledge().await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert!(*delivery.task == condensing("a", 2, 10), "another task");
}

pub async fn tasks_that_are_out_are_counted_by_kind(bench: &impl Bench) {
    let bus = bench.open().await;
    let lag = async |kind: SurveyKind| {
        let lags = bus.lag().await.unwrap();
        assert_eq!(lags.len(), Kind::all().count());
        lags[&kind.into()]
    };
    assert_eq!(lag(SurveyKind::Group).await, Lag::default());
    for n in 0..3 {
        bus.publish(&task("a", n)).await.unwrap();
    }
    bus.publish(&condensing("b", 1, 0)).await.unwrap();
    let delivery = bus.pull(&Kinds::only([SurveyKind::Group.into()]).unwrap()).await.unwrap();
    assert_eq!(lag(SurveyKind::Group).await, Lag { waiting: 2, in_hand: 1 });
    assert_eq!(lag(SurveyKind::Condense).await, Lag { waiting: 1, in_hand: 0 });
    bus.record(delivery.task.job, &outcome(&delivery.task, "made")).await.unwrap();
    delivery.acknowledge().await.unwrap();
    assert_eq!(lag(SurveyKind::Group).await, Lag { waiting: 2, in_hand: 0 });
    bus.clear(task("a", 0).job).await.unwrap();
    assert_eq!(lag(SurveyKind::Group).await, Lag::default());
    assert_eq!(lag(SurveyKind::Condense).await.waiting, 1);
}
