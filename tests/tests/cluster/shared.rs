//! Jobs beside each other, jobs that are called off, and jobs whose model fails.

use tributary_tests::{cluster::Cluster, corpus::Corpus, process::wait_until, simulated::Settings};

use crate::common::{SLUG, alone, check_nothing_left, corpus};

#[test]
fn a_small_job_is_not_starved_by_a_large_one() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings { latency_mean: 0.1, ..Settings::default() });
    Corpus::new("A Large Matter", 300, 60, 2).write(cluster.path(), "large.jsonl");
    Corpus::new("A Small Matter", 20, 60, 3).write(cluster.path(), "small.jsonl");
    let roles = (cluster.coordinator(), cluster.worker(8), cluster.worker(8));
    let large = cluster.submit("large.jsonl");
    wait_until("the large job is under way", || cluster.model.stats().answered >= 60);
    let ended = |job: &str, stage: &str| cluster.status(job)["progress"]["stages"][stage]["ended"].as_u64();
    let small = cluster.submit("small.jsonl");
    let before = cluster.model.stats().answered;
    cluster.watch(&small).with(0);
    let calls = cluster.status(&small)["usage"]["calls"].as_u64().unwrap();
    let meanwhile = cluster.model.stats().answered - before;
    // A good part of the calls were its own: behind all of the large job, none would have been.
    assert!(meanwhile <= 4 * calls, "{meanwhile} calls were answered while the small job made {calls}");
    assert_eq!(cluster.status(&large)["status"], "running", "{:?}", ended(&large, "digest"));
    cluster.tributary().args(["cancel", &large]).run().with(0);
    cluster.watch(&large).with(1).tells("cancelled");
    check_nothing_left(&cluster);
    drop(roles);
}

#[test]
fn a_job_whose_model_fails_waits_for_another_submission_and_goes_on() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings { latency_mean: 0.05, ..Settings::default() });
    let single = cluster.alone("corpus.jsonl", SLUG);
    let coordinator = cluster.coordinator();
    let nowhere = ["worker", "--listen", "off", "--concurrency", "1"];
    let broken = cluster.tributary().env("OPENAI_BASE_URL", "http://127.0.0.1:1/none").args(nowhere);
    let broken = broken.env("OPENAI_API_KEY", "bad key\u{7f}").start();
    let job = cluster.submit("corpus.jsonl");
    cluster.watch(&job).with(3).tells("model failed");
    broken.kill();
    let worker = cluster.worker(4);
    assert_eq!(cluster.submit("corpus.jsonl"), job);
    cluster.watch(&job).with(0);
    assert_eq!(cluster.result(&job, SLUG).markdown, single.markdown);
    check_nothing_left(&cluster);
    drop((coordinator, worker));
}

#[test]
fn deployments_under_other_prefixes_do_not_see_one_another() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings::default());
    let other = || cluster.tributary().env("TRIBUTARY_NATS__PREFIX", "other");
    let job = cluster.submit("corpus.jsonl");
    let idle =
        (other().args(["coordinator", "--listen", "off"]).start(), other().args(["worker", "--listen", "off"]).start());
    assert_eq!(other().args(["list"]).run().with(0).stdout, "");
    other().args(["status", &job]).run().with(2).tells("there is no job");
    let roles = (cluster.coordinator(), cluster.worker(4));
    cluster.watch(&job).with(0);
    assert_eq!(other().args(["list"]).run().with(0).stdout, "");
    drop((idle, roles));
}
