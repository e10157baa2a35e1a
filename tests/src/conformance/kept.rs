//! What is kept: blobs with their job, replies beyond it, everything beyond the process.

use tributary_protocol::{
    bus::{BusError, Kinds},
    id::BlobId,
    survey::SurveyKind,
};

use super::fixtures::{Bench, call, condensing, job, outcome, read, task};

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
    let delivery = bus.pull(&Kinds::only([SurveyKind::Group.into()]).unwrap()).await.unwrap();
    assert_eq!(*delivery.task, in_hand);
    bus.record(job("a"), &outcome(&in_hand, "before")).await.unwrap();
    let blob = bus.put(job("a"), "a source".into()).await.unwrap();

    bus.clear(job("a")).await.unwrap();
    delivery.acknowledge().await.unwrap();
    assert!(matches!(bus.get(job("a"), blob).await, Err(BusError::NoBlob(_))));
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, []);

    let after = outcome(&in_hand, "after");
    bus.publish(&in_hand).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    assert_eq!(*delivery.task, in_hand);
    bus.record(job("a"), &after).await.unwrap();
    delivery.acknowledge().await.unwrap();
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

pub async fn clearing_a_jobs_work_keeps_its_blobs(bench: &impl Bench) {
    let bus = bench.open().await;
    let blob = bus.put(job("a"), "a source".into()).await.unwrap();
    bus.record(job("a"), &outcome(&task("a", 1), "done")).await.unwrap();
    bus.publish(&task("a", 2)).await.unwrap();
    bus.publish(&task("b", 2)).await.unwrap();
    bus.clear_work(job("a")).await.unwrap();
    assert_eq!(bus.get(job("a"), blob).await.unwrap(), "a source");
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, []);
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, task("b", 2));
    // Its work may begin again, and its blobs go with the job.
    let again = outcome(&task("a", 1), "again");
    bus.record(job("a"), &again).await.unwrap();
    assert_eq!(read(&mut bus.journal(job("a")).await.unwrap()).await, [again]);
    bus.clear(job("a")).await.unwrap();
    assert!(matches!(bus.get(job("a"), blob).await, Err(BusError::NoBlob(_))));
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
        delivery.acknowledge().await.unwrap();
    }
}
