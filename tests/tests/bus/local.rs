//! The bus on the local disk.

use std::{fs, sync::Arc, time::Duration};

use tempfile::TempDir;
use tributary_protocol::bus::{
    Bus, BusError, Gossip, JobQueue, Kinds,
    local::{LocalBus, LocalOptions},
};
use tributary_tests::{
    conformance::{Bench, condensing, job, outcome, read, task},
    for_each_behaviour,
};

struct Local(TempDir);

fn bench() -> Local {
    Local(tempfile::tempdir().unwrap())
}

impl Local {
    fn try_open(&self) -> Result<LocalBus, BusError> {
        LocalBus::open(self.0.path(), LocalOptions::default())
    }
}

impl Bench for Local {
    async fn open(&self) -> Arc<dyn Bus> {
        Arc::new(self.try_open().unwrap())
    }

    async fn open_jobs(&self) -> Arc<dyn JobQueue> {
        Arc::new(self.try_open().unwrap())
    }

    async fn open_gossip(&self) -> Arc<dyn Gossip> {
        Arc::new(self.try_open().unwrap())
    }
}

for_each_behaviour!(behaviours);

#[tokio::test]
async fn a_folder_in_use_is_not_opened_again() {
    let bench = bench();
    let first = bench.try_open().unwrap();
    assert!(matches!(bench.try_open(), Err(BusError::InUse { place }) if place == bench.0.path().to_string_lossy()));
    drop(first);
    bench.try_open().unwrap();
}

#[tokio::test]
async fn a_folder_of_other_files_is_left_alone() {
    let bench = bench();
    fs::write(bench.0.path().join("thesis.tex"), "text").unwrap();
    let error = bench.try_open().err().unwrap().to_string();
    assert!(error.contains(&*bench.0.path().to_string_lossy()) && error.contains("other files"), "{error}");
    assert_eq!(fs::read_dir(bench.0.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_damaged_folder_is_named() {
    let bench = bench();
    bench.open().await.record(job("a"), &outcome(&task("a", 1), "done")).await.unwrap();
    fs::write(bench.0.path().join("db/version"), "something else").unwrap();
    let error = bench.try_open().err().unwrap().to_string();
    assert!(error.contains(&*bench.0.path().to_string_lossy()) && error.contains("damaged"), "{error}");
}

#[tokio::test]
async fn a_folder_whose_making_was_cut_short_is_made_anew() {
    let bench = bench();
    fs::write(bench.0.path().join("tributary.lock"), "").unwrap();
    fs::create_dir_all(bench.0.path().join("db/keyspaces")).unwrap();
    fs::write(bench.0.path().join("db/0.jnl"), "").unwrap();
    bench.open().await.record(job("a"), &outcome(&task("a", 1), "done")).await.unwrap();
}

#[tokio::test]
async fn an_end_cut_off_in_writing_loses_only_what_was_not_acknowledged() {
    let bench = bench();
    let bus = bench.open().await;
    let outcomes: Vec<_> = (0..20).map(|n| outcome(&task("a", n), "done")).collect();
    for outcome in &outcomes {
        bus.record(job("a"), outcome).await.unwrap();
    }
    // What the disk holds now is what a killed process leaves.
    let copy = tempfile::tempdir().unwrap();
    copy_folder(bench.0.path(), copy.path());
    let left = Local(copy).open().await;
    assert_eq!(read(&mut left.journal(job("a")).await.unwrap()).await, outcomes);
}

#[tokio::test]
async fn a_cleared_job_gives_its_room_back() {
    let bench = bench();
    let bus = bench.open().await;
    for n in 0..40u32 {
        bus.put(job("a"), noise(u64::from(n) + 1, 1 << 20).into()).await.unwrap();
    }
    bus.clear(job("a")).await.unwrap();
    drop(bus);
    let bus = bench.open().await;
    let kept = bytes_in(&bench.0.path().join("db/keyspaces"));
    assert!(kept < 8 << 20, "{kept} bytes are left");
    drop(bus);
}

#[tokio::test]
async fn jobs_take_turns() {
    let bus = bench().open().await;
    for n in 0..100 {
        bus.publish(&task("large", n)).await.unwrap();
    }
    for n in 0..3 {
        bus.publish(&task("small", n)).await.unwrap();
    }
    let mut small = 0;
    for _ in 0..6 {
        let delivery = bus.pull(&Kinds::all()).await.unwrap();
        small += u32::from(delivery.task.job == job("small"));
        delivery.acknowledge().await.unwrap();
    }
    assert_eq!(small, 3);
}

#[tokio::test]
async fn a_finished_task_is_not_delivered_again() {
    let bus = bench().open().await;
    bus.publish(&task("a", 1)).await.unwrap();
    let dropped = bus.pull(&Kinds::all()).await.unwrap();
    bus.record(job("a"), &outcome(&task("a", 1), "done")).await.unwrap();
    drop(dropped);
    bus.publish(&task("a", 1)).await.unwrap();
    bus.publish(&condensing("a", 2, 1)).await.unwrap();
    assert_eq!(*bus.pull(&Kinds::all()).await.unwrap().task, condensing("a", 2, 1));
}

#[tokio::test]
async fn a_waiting_worker_gets_the_task_that_comes_back() {
    let bus = bench().open().await;
    bus.publish(&task("a", 1)).await.unwrap();
    let delivery = bus.pull(&Kinds::all()).await.unwrap();
    let kinds = Kinds::all();
    let mut waiting = bus.pull(&kinds);
    assert!(futures::poll!(&mut waiting).is_pending());
    delivery.requeue_after(Duration::ZERO).await.unwrap();
    assert_eq!(waiting.await.unwrap().delivery, 2);
}

/// Bytes that no compression makes shorter.
fn noise(mut seed: u64, bytes: usize) -> Vec<u8> {
    let next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 24) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn bytes_in(folder: &std::path::Path) -> u64 {
    let sizes = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() });
    sizes.sum()
}
