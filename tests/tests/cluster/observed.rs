//! What monitoring sees of a cluster: probes, metrics, and one trace a job.

use std::collections::HashSet;

use serde_json::Value;
use tributary_tests::{
    cluster::{CORPUS, Cluster},
    collector::{Collector, Span},
    probe::Role,
    process::wait_until,
    simulated::Settings,
};

use crate::common::{alone, corpus};

/// A flawed model, so that there is something to try again.
fn flawed() -> Settings {
    Settings { latency_mean: 0.02, failure_rate: 0.05, ..Settings::default() }
}

fn start(cluster: &Cluster, args: &[&str]) -> Role {
    Role::start(cluster.tributary().args(args))
}

/// A figure of what a job has cost.
#[track_caller]
fn usage(status: &Value, name: &str) -> f64 {
    status["usage"][name].as_f64().unwrap_or_else(|| panic!("no {name} in {status}"))
}

#[test]
fn metrics_of_both_roles_say_what_a_job_took_and_readiness_ends_with_nats() {
    let _alone = alone();
    let mut cluster = Cluster::new(&corpus(), flawed());
    cluster.set("TRIBUTARY_PRICES", "{ 'openai/simulated' = { prompt = 2, reply = 8 } }");
    // No worker is there at first: a coordinator that takes fright at that publishes tasks again, and some are done twice.
    cluster.set("TRIBUTARY_CLUSTER__SILENCE", "60");
    let coordinator = start(&cluster, &["coordinator"]);
    let job = cluster.submit(CORPUS);
    let lag = |state: &str| coordinator.metric("tributary_queue_lag", &[&format!("state=\"{state}\"")]);
    wait_until("tasks wait for a worker", || lag("waiting").is_some_and(|tasks| tasks > 0.0));
    assert_eq!(lag("in_hand"), Some(0.0));
    assert_eq!(coordinator.metric("tributary_jobs_held", &[]), Some(1.0));

    let worker = start(&cluster, &["worker", "--concurrency", "4"]);
    wait_until("tasks are in flight", || worker.metric("tributary_tasks_in_flight", &[]).is_some_and(|n| n > 0.0));
    cluster.watch(&job).with(0);
    wait_until("no task is out", || lag("waiting") == Some(0.0) && lag("in_hand") == Some(0.0));
    let status = cluster.status(&job);
    let stages = status["progress"]["stages"].as_object().expect("stages are a map");
    let ended = |stage: &str| stages[stage]["ended"].as_f64().expect("it is a number");
    let all: f64 = stages.keys().map(|stage| ended(stage)).sum();
    wait_until("the worker has counted all tasks", || worker.metric("tributary_tasks_total", &[]) == Some(all));

    let kind = "kind=\"digest\"";
    assert_eq!(worker.metric("tributary_tasks_total", &[kind, "outcome=\"done\""]), Some(ended("digest")));
    assert_eq!(coordinator.metric("tributary_outcomes_total", &[kind, "outcome=\"done\""]), Some(ended("digest")));
    assert_eq!(worker.metric("tributary_task_seconds_count", &[kind]), Some(ended("digest")));
    assert_eq!(coordinator.metric("tributary_turnaround_seconds_count", &[kind]), Some(ended("digest")));
    for (result, number) in [("answered", "calls"), ("failed", "calls_failed"), ("cached", "calls_from_cache")] {
        let counted = worker.metric("tributary_calls_total", &[&format!("result=\"{result}\"")]);
        assert_eq!(counted, Some(usage(&status, number)), "{result}");
    }
    assert!(usage(&status, "calls_failed") > 0.0, "nothing was tried again");
    for (of, number) in [("prompt", "prompt_tokens"), ("reply", "reply_tokens")] {
        let of = [&*format!("of=\"{of}\"")];
        assert_eq!(worker.metric("tributary_tokens_total", &of), Some(usage(&status, number)));
        assert_eq!(coordinator.metric("tributary_outcome_tokens_total", &of), Some(usage(&status, number)));
    }
    let cost = usage(&status, "cost_micros");
    assert!(cost > 0.0);
    assert_eq!(worker.metric("tributary_cost_microdollars_total", &[]), Some(cost));
    assert_eq!(coordinator.metric("tributary_outcome_cost_microdollars_total", &[]), Some(cost));
    assert_eq!(coordinator.metric("tributary_jobs_total", &["outcome=\"done\""]), Some(1.0));
    assert_eq!(coordinator.metric("tributary_published_total", &["again=\"false\""]), Some(all));
    assert!(worker.metric("tributary_deliveries_total", &["again=\"false\""]) >= Some(all));

    cluster.nats.kill();
    for role in [&coordinator, &worker] {
        wait_until("a role without NATS isn't ready", || role.status("/readyz") == Some(503));
        assert_eq!(role.status("/healthz"), Some(200), "it lives, and waits");
    }
    wait_until("what isn't known is no number", || lag("waiting").is_some_and(f64::is_nan));
    cluster.nats.restart().unwrap();
    for role in [&coordinator, &worker] {
        wait_until("a role is ready again", || role.status("/readyz") == Some(200));
    }
}

#[test]
fn a_job_is_one_trace_in_all_processes() {
    let _alone = alone();
    let (collector, mut cluster) = (Collector::start(), Cluster::new(&corpus(), flawed()));
    cluster.set("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url);
    let worker = || start(&cluster, &["worker", "--concurrency", "2"]);
    // They send what is left before they end.
    let stop = |role: Role| {
        role.running.interrupt();
        role.running.wait().with(0);
    };
    let (first, workers) = (start(&cluster, &["coordinator"]), [worker(), worker()]);
    let job = cluster.submit(CORPUS);
    wait_until("the job is under way", || cluster.model.stats().answered >= 10);
    stop(first);
    let second = start(&cluster, &["coordinator"]);
    cluster.watch(&job).with(0);
    let status = cluster.status(&job);
    workers.into_iter().chain([second]).for_each(stop);

    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == job), "not one trace: {spans:?}");
    let ids: HashSet<_> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "an id is used twice");
    let roots: Vec<_> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    assert_eq!(roots.len(), 1, "{roots:?}");
    let orphan = spans.iter().find(|span| !span.parent.is_empty() && !ids.contains(span.parent.as_str()));
    assert!(orphan.is_none(), "{orphan:?}");

    let root = roots[0];
    assert_eq!((root.name.as_str(), root.id.as_str(), root.get("outcome")), ("job", &job[..16], "done"));
    assert!(root.ended > root.began && !root.failed);
    let of = |service: &str| -> Vec<&Span> {
        spans.iter().filter(|span| span.of_process("service.name") == service).collect()
    };
    let names = |spans: &[&Span]| {
        let mut names: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&of("tributary-coordinator")), ["hold", "hold", "job", "reduce"]);
    assert_eq!(names(&of("tributary")), ["ingest"]);

    let done = of("tributary-worker");
    let (calls, tasks): (Vec<&Span>, Vec<&Span>) = done.into_iter().partition(|span| span.name == "call");
    let workers: HashSet<_> = tasks.iter().map(|task| task.of_process("service.instance.id")).collect();
    assert_eq!(workers.len(), 2, "each worker did something");
    assert!(tasks.iter().all(|task| task.parent == root.id && task.name == task.get("kind")));
    let stages = status["progress"]["stages"].as_object().expect("stages are a map");
    let ended: u64 = stages.values().map(|stage| stage["ended"].as_u64().unwrap()).sum();
    // What was just done when the coordinators changed may have been asked for again.
    let finished = tasks.iter().filter(|task| task.get("outcome") == "done").map(|task| task.get("place"));
    assert_eq!(finished.collect::<HashSet<_>>().len() as u64, ended);
    let digest = tasks.iter().find(|task| task.name == "digest").expect("there are digests");
    assert_eq!((digest.get("stage"), digest.get("model"), digest.get("delivery")), ("digest", "openai/simulated", "1"));
    assert!(!digest.get("place").is_empty());

    let tokens: u64 = tasks.iter().map(|task| task.number("prompt_tokens")).sum();
    assert_eq!(tokens as f64, usage(&status, "prompt_tokens"));
    let failed = calls.iter().filter(|call| call.failed).count();
    assert_eq!(failed as f64, usage(&status, "calls_failed"));
    assert_eq!((calls.len() - failed) as f64, usage(&status, "calls"));
    let tasks: HashSet<_> = tasks.iter().map(|task| task.id.as_str()).collect();
    assert!(calls.iter().all(|call| tasks.contains(call.parent.as_str())), "a call is part of a task");
}
