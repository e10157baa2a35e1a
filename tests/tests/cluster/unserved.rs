//! What is said of a job whose tasks no worker serves.

use tributary_tests::{
    cluster::{CORPUS, Cluster},
    probe::Role,
    process::{Ended, wait_until},
    simulated::Settings,
};

use crate::common::{alone, corpus};

const REASON: &str = "no worker serves openai/simulated; 1 worker serves extractive";

#[test]
fn a_job_for_a_model_that_no_worker_serves_says_so_everywhere_and_ends_once_one_does() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings::default());
    let coordinator = Role::start(cluster.tributary().args(["coordinator"]));
    let other = cluster.tributary().args(["worker", "--listen", "off", "--model", "extractive"]).start();
    let job = cluster.submit(CORPUS);
    let watching = cluster.start_watch(&job);
    let doctor = || cluster.tributary().args(["doctor", "--model", "extractive"]).run();

    let waits = || cluster.status(&job)["progress"]["waits_for"].as_str() == Some(REASON);
    wait_until("the job's state says what it waits for", waits);
    let told = |args: &[&str]| cluster.tributary().args(args).run().with(0).stdout;
    assert!(told(&["list"]).contains(REASON) && told(&["status", &job]).contains(REASON));
    let ended: Ended = doctor().with(1);
    assert!(ended.stdout.contains(REASON) && ended.stdout.contains("start a worker that serves"), "{ended}");
    let unserved = || coordinator.metric("tributary_jobs_unserved", &[]);
    assert_eq!(unserved(), Some(1.0));

    // It would take the tasks time and again, and pass them on.
    drop(other);
    let _fitting = cluster.worker(4);
    watching.wait().with(0).tells(REASON).tells("goes on");
    assert_eq!(unserved(), Some(0.0));
    doctor().with(0);
    let status = cluster.status(&job);
    assert!(status["progress"].get("waits_for").is_none(), "{status}");
    coordinator.running.kill().tells(REASON);
}

#[test]
fn both_roles_start_on_one_machine_with_no_flags_and_refuse_a_chosen_address_that_is_taken() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings::default());
    let coordinator = cluster.tributary().args(["coordinator"]).start();
    let worker = cluster.tributary().args(["worker", "--concurrency", "4"]).start();
    let job = cluster.submit(CORPUS);
    cluster.watch(&job).with(0);
    for role in [coordinator, worker] {
        role.interrupt();
        role.wait().with(0);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = cluster.tributary().args(["worker", "--listen", &address]).run().with(2);
    refused.tells(&address).tells("in use");
}
