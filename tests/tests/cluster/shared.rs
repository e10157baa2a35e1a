//! Jobs beside each other, jobs that are called off, and jobs whose model fails.

use serde_json::Value;
use tributary_tests::{
    cluster::{CORPUS, Cluster},
    corpus::Corpus,
    nats_server,
    process::{Tributary, wait_until},
    simulated::Settings,
};

use crate::common::{alone, check_nothing_left, corpus};

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
fn a_job_whose_model_fails_goes_on_when_it_is_resumed_or_submitted_again() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings { latency_mean: 0.05, ..Settings::default() });
    let single = cluster.alone();
    let coordinator = cluster.coordinator();
    let nowhere = ["worker", "--listen", "off", "--concurrency", "1"];
    let broken = cluster.tributary().env("OPENAI_BASE_URL", "http://127.0.0.1:1/none").args(nowhere);
    let broken = broken.env("OPENAI_API_KEY", "bad key\u{7f}").start();
    let job = cluster.submit(CORPUS);
    cluster.watch(&job).with(3).tells("model failed").tells("(worker ");
    assert_eq!(cluster.submit(CORPUS), job);
    cluster.watch(&job).with(3).tells("model failed");
    broken.kill();
    let worker = cluster.worker(4);
    cluster.tributary().args(["resume", &job[..8]]).run().with(0).tells("goes on");
    cluster.watch(&job).with(0);
    cluster.tributary().args(["resume", &job]).run().with(0).tells("done already");
    assert_eq!(cluster.result(&job).markdown, single.markdown);
    check_nothing_left(&cluster);
    drop((coordinator, worker));
}

#[test]
fn a_worker_with_a_wrong_key_stops_no_job() {
    let _alone = alone();
    let model = Settings { key: Some("right".into()), latency_mean: 0.1, ..Settings::default() };
    let mut cluster = Cluster::new(&corpus(), model);
    cluster.set("OPENAI_API_KEY", "right");
    let roles = (cluster.coordinator(), cluster.worker(2));
    let job = cluster.submit(CORPUS);
    wait_until("a worker is at work", || cluster.model.stats().answered > 0);
    let wrong = cluster.tributary().env("OPENAI_API_KEY", "wrong").args(["worker", "--listen", "off"]).start();
    cluster.watch(&job).with(0);
    assert!(cluster.model.stats().failed["unauthorised"] > 0);
    wrong.kill().tells("its tasks are left to others, who can");
    drop(roles);
}

#[test]
fn deployments_under_other_prefixes_do_not_see_one_another() {
    let _alone = alone();
    let cluster = Cluster::new(&corpus(), Settings::default());
    let other = || cluster.tributary().env("TRIBUTARY_NATS__PREFIX", "other");
    let job = cluster.submit(CORPUS);
    let idle =
        (other().args(["coordinator", "--listen", "off"]).start(), other().args(["worker", "--listen", "off"]).start());
    assert_eq!(other().args(["list"]).run().with(0).stdout, "");
    other().args(["status", &job]).run().with(2).tells("there is no job");
    let roles = (cluster.coordinator(), cluster.worker(4));
    cluster.watch(&job).with(0);
    assert_eq!(other().args(["list"]).run().with(0).stdout, "");
    drop((idle, roles));
}

#[test]
fn organisations_with_accounts_of_their_own_neither_see_nor_disturb_one_another() {
    let _alone = alone();
    let account = |name| format!("{name}: {{ jetstream: enabled, users: [{{ user: {name}, password: secret }}] }}");
    let more = format!("accounts {{ {}, {} }}", account("ann"), account("bob"));
    let nats = nats_server::Settings { more, ..nats_server::Settings::default() };
    let cluster = Cluster::with(nats, &corpus(), Settings { latency_mean: 0.02, ..Settings::default() });
    let single = cluster.alone();
    let of = |name: &'static str, prefix: &'static str| {
        let url = cluster.nats.url().replace("nats://", &format!("nats://{name}:secret@"));
        let cluster = &cluster;
        move || cluster.tributary().env("TRIBUTARY_NATS_URL", &url).env("TRIBUTARY_NATS__PREFIX", prefix)
    };
    let (ann, bob) = (of("ann", "anns"), of("bob", "bobs"));
    let submit = |mine: Tributary| {
        mine.args(["submit", CORPUS, "--model", "openai/simulated"]).run().with(0).stdout.trim().to_owned()
    };
    let roles = |mine: &dyn Fn() -> Tributary| {
        ["coordinator", "worker"].map(|role| mine().args([role, "--listen", "off"]).start())
    };
    // The same job for both: it has the same id, and what one does with its own the other doesn't notice.
    let (anns, bobs) = (submit(ann()), submit(bob()));
    assert_eq!(anns, bobs);
    let ann_s_roles = roles(&ann);
    ann().args(["watch", &anns]).run().with(0);
    let status = bob().args(["status", &bobs, "--json"]).run().with(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&status).unwrap()["status"], "queued");
    bob().args(["cancel", &bobs]).run().with(0);
    let bob_s_roles = roles(&bob);
    bob().args(["watch", &bobs]).run().with(1).tells("cancelled");
    ann().args(["result", &anns, "--out", "fetched"]).run().with(0);
    assert_eq!(cluster.fetched().markdown, single.markdown);
    drop((ann_s_roles, bob_s_roles));
}

#[test]
fn a_provider_s_ceiling_holds_over_eight_workers() {
    const IN_FLIGHT: u64 = 16;
    const REQUESTS: u64 = 600;
    let _alone = alone();
    let provider = Settings {
        latency_mean: 0.3,
        max_in_flight: Some(IN_FLIGHT as usize),
        requests_per_minute: Some(REQUESTS as usize),
        ..Settings::default()
    };
    let cluster = Cluster::new(&corpus(), provider);
    let coordinator = cluster.coordinator();
    let worker = || {
        let limits = [("IN_FLIGHT", IN_FLIGHT), ("REQUESTS_PER_MINUTE", REQUESTS)];
        let limited = limits.iter().fold(cluster.tributary(), |tributary, (name, limit)| {
            tributary.env(&format!("TRIBUTARY_LIMITS__{name}"), &limit.to_string())
        });
        limited.args(["worker", "--listen", "off", "--concurrency", "8"]).start()
    };
    let workers: Vec<_> = (0..8).map(|_| worker()).collect();
    let job = cluster.submit(CORPUS);
    cluster.watch(&job).with(0);
    let stats = cluster.model.stats();
    eprintln!("{} requests, {} refused, {} in flight at most", stats.received, stats.rate_limited, stats.max_in_flight);
    assert!(stats.max_in_flight <= IN_FLIGHT && stats.rate_limited * 100 < stats.received, "{stats:?}");
    assert!(stats.max_in_flight > IN_FLIGHT / 2, "much of it is used: {stats:?}");
    drop((coordinator, workers));
}
