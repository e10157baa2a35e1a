//! Jobs whose processes die, whose broker dies, and whose broker forgets.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tributary_tests::{
    cluster::{CORPUS, Cluster},
    nats_server::NatsServer,
    process::{Running, wait_until},
    simulated::{Settings, SimulatedModel},
};

use crate::common::{alone, check_nothing_left, corpus, number};

/// Slow enough to be hit while it works.
fn slow() -> Settings {
    Settings { latency_mean: 0.15, ..Settings::default() }
}

fn answered(model: &SimulatedModel, at_least: u64) {
    wait_until("calls are answered", || model.stats().answered >= at_least);
}

fn signal(running: &Running, name: &str) {
    let status = Command::new("kill").args([name, &running.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "`kill` can't be run");
}

/// Roles that are started again when they end, as a cluster's own supervisor does.
struct Supervised {
    coordinator: Option<Running>,
    workers: Vec<Running>,
    wanted: usize,
}

impl Supervised {
    fn start(cluster: &Cluster, workers: u64) -> Self {
        let mut roles = Self { coordinator: None, workers: Vec::new(), wanted: workers as usize };
        roles.revive(cluster);
        roles
    }

    fn revive(&mut self, cluster: &Cluster) {
        if !self.coordinator.as_mut().is_some_and(Running::is_running) {
            self.coordinator = Some(cluster.coordinator());
        }
        self.workers.retain_mut(Running::is_running);
        while self.workers.len() < self.wanted {
            self.workers.push(cluster.worker(2));
        }
    }
}

#[test]
fn kills_of_every_process_at_random_change_no_byte_and_pay_no_recorded_call_twice() {
    let _alone = alone();
    let (kills, seed) = (number("TRIBUTARY_TEST_KILLS", 6), number("TRIBUTARY_TEST_SEED", 1));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut cluster = Cluster::new(&corpus(), slow());
    let single = cluster.alone();
    let calls = single.number("/total/calls") as u64;
    let mut roles = Supervised::start(&cluster, number("TRIBUTARY_TEST_WORKERS", 3));
    let job = cluster.submit(CORPUS);
    let mut in_flight = 0;
    for kill in 0..kills {
        // At a call that chance chooses, from the first to the last.
        let call = calls * kill / (kills + 1) + rng.random_range(0..(calls / (kills + 1)).max(1));
        wait_until("calls are answered", || {
            roles.revive(&cluster);
            cluster.model.stats().answered >= call
        });
        in_flight += cluster.model.stats().in_flight;
        // The first three are one of each.
        match if kill < 3 { kill } else { rng.random_range(0..3) } {
            0 => drop(roles.workers.swap_remove(rng.random_range(0..roles.workers.len())).kill()),
            1 => drop(roles.coordinator.take().map(Running::kill)),
            _ => {
                cluster.nats.kill();
                thread::sleep(Duration::from_millis(rng.random_range(0..300)));
                cluster.nats.restart().unwrap();
            }
        }
    }
    let mut watch = cluster.start_watch(&job);
    wait_until("the job has ended", || {
        roles.revive(&cluster);
        !watch.is_running()
    });
    watch.wait().with(0);
    let made = cluster.result(&job);
    assert_eq!(made.markdown, single.markdown);
    let stats = cluster.model.stats();
    assert!(stats.answered_again <= in_flight, "{} paid twice of {in_flight} in flight", stats.answered_again);
    eprintln!("{kills} kills: {} of {calls} calls twice, {in_flight} in flight", stats.answered_again);
    check_nothing_left(&cluster);
}

#[test]
fn what_the_broker_forgot_is_asked_for_again() {
    let _alone = alone();
    let mut cluster = Cluster::new(&corpus(), slow());
    let single = cluster.alone();
    let calls = single.number("/total/calls") as u64;
    let roles = (cluster.coordinator(), cluster.worker(4), cluster.worker(4));
    let job = cluster.submit(CORPUS);
    answered(&cluster.model, calls / 4);
    cluster.nats.kill();
    let earlier = cluster.path().join("earlier");
    copy(&cluster.nats.store(), &earlier);
    cluster.nats.restart().unwrap();
    answered(&cluster.model, calls / 2);
    cluster.nats.kill();
    fs::remove_dir_all(cluster.nats.store()).unwrap();
    copy(&earlier, &cluster.nats.store());
    cluster.nats.restart().unwrap();
    cluster.watch(&job).with(0);
    assert_eq!(cluster.result(&job).markdown, single.markdown);
    check_nothing_left(&cluster);
    drop(roles);
}

#[test]
fn a_broker_that_comes_back_without_its_store_is_worked_with_again() {
    let _alone = alone();
    let mut cluster = Cluster::new(&corpus(), Settings::default());
    let single = cluster.alone();
    let roles = (cluster.coordinator(), cluster.worker(4));
    let before = cluster.submit(CORPUS);
    cluster.watch(&before).with(0);
    cluster.nats.kill();
    fs::remove_dir_all(cluster.nats.store()).unwrap();
    cluster.nats.restart().unwrap();
    // The roles make anew what is needed, and who submits may be there before them.
    let job = cluster.submit(CORPUS);
    cluster.watch(&job).with(0);
    assert_eq!(cluster.result(&job).markdown, single.markdown);
    check_nothing_left(&cluster);
    drop(roles);
}

#[test]
fn one_of_three_servers_dies_for_good_and_the_job_goes_on_with_two() {
    let _alone = alone();
    let mut servers = NatsServer::cluster(3).unwrap();
    let urls: Vec<String> = servers.iter().map(NatsServer::url).collect();
    let mut cluster = Cluster::on(servers.remove(0), &corpus(), slow());
    cluster.set("TRIBUTARY_NATS_URL", &urls.join(","));
    cluster.set("TRIBUTARY_NATS__REPLICAS", "3");
    let single = cluster.alone();
    let calls = single.number("/total/calls") as u64;
    let mut roles = Supervised::start(&cluster, 2);
    // A cluster of servers takes a while to choose who leads; who asks before is told so and leaves.
    wait_until("the streams are there", || {
        roles.revive(&cluster);
        cluster.tributary().args(["list"]).run().code == Some(0)
    });
    let job = cluster.submit(CORPUS);
    wait_until("calls are answered", || {
        roles.revive(&cluster);
        cluster.model.stats().answered >= calls / 3
    });
    servers.remove(0).kill();
    let mut watch = cluster.start_watch(&job);
    wait_until("the job has ended", || {
        roles.revive(&cluster);
        !watch.is_running()
    });
    watch.wait().with(0);
    assert_eq!(cluster.result(&job).markdown, single.markdown);
    check_nothing_left(&cluster);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_job_whose_coordinator_dies_goes_on_with_another_and_a_sleeper_lets_go() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), slow());
    let single = cluster.alone();
    let first = cluster.coordinator();
    let _worker = cluster.worker(6);
    let job = cluster.submit(CORPUS);
    answered(&cluster.model, 20);
    // It doesn't know that it sleeps, and that another takes its job meanwhile.
    signal(&first, "-STOP");
    let second = cluster.coordinator();
    wait_until("the job is taken over", || cluster.status(&job)["term"] == 2);
    signal(&first, "-CONT");
    cluster.watch(&job).with(0);
    assert_eq!(cluster.result(&job).markdown, single.markdown);
    assert_eq!(cluster.model.stats().answered_again, 0);
    check_nothing_left(&cluster);
    first.kill().tells("another coordinator has taken the job over");
    drop(second);
}

#[test]
fn sigterm_drains_a_worker_and_hands_a_coordinator_s_jobs_back() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), slow());
    let single = cluster.alone();
    let (coordinator, worker) = (cluster.coordinator(), cluster.worker(4));
    let job = cluster.submit(CORPUS);
    answered(&cluster.model, 10);
    signal(&worker, "-TERM");
    signal(&coordinator, "-TERM");
    worker.wait().with(0);
    coordinator.wait().with(0);
    assert_eq!(cluster.status(&job)["status"], "queued");
    let abandoned = cluster.model.stats().failures();
    assert_eq!(abandoned, 0, "calls that were under way came to their end");
    let roles = (cluster.coordinator(), cluster.worker(4));
    cluster.watch(&job).with(0);
    assert_eq!(cluster.result(&job).markdown, single.markdown);
    assert_eq!(cluster.model.stats().answered_again, 0);
    drop(roles);
}
