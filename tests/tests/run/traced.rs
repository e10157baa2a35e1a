//! Traces of a run in one process, and collectors that can't be had.

use std::net::TcpListener;

use tributary_tests::{
    collector::Collector,
    simulated::{Settings, SimulatedModel},
};

use crate::common::Desk;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

#[test]
fn a_run_is_one_trace() {
    let (collector, desk, model) = (Collector::start(), Desk::new(), SimulatedModel::start(Settings::default()));
    desk.run().asking(&model).env(ENDPOINT, &collector.url).run().with(0);
    let spans = collector.spans();
    let root = spans.iter().find(|span| span.name == "job").expect("the job is told");
    assert_eq!((root.parent.as_str(), root.get("outcome")), ("", "done"));
    assert!(spans.iter().all(|span| span.trace == root.trace), "{spans:?}");
    for name in ["ingest", "digest", "write", "reduce"] {
        assert!(spans.iter().any(|span| span.name == name && span.parent == root.id), "no {name} hangs on the job");
    }
    let calls = spans.iter().filter(|span| span.name == "call").count() as u64;
    assert_eq!((calls, root.number("calls")), (model.stats().answered, model.stats().answered));
}

#[test]
fn a_collector_that_is_away_costs_one_warning_and_one_that_is_silent_holds_nobody_up() {
    let desk = Desk::new();
    // With a batch whenever there is a span.
    let run = |endpoint: &str| {
        let model = SimulatedModel::start(Settings::default());
        let run = desk.run().args(["--fresh"]).asking(&model).env(ENDPOINT, endpoint);
        run.env("OTEL_BSP_SCHEDULE_DELAY", "1").env("OTEL_EXPORTER_OTLP_TIMEOUT", "600000").run().with(0)
    };
    let ended = run("http://127.0.0.1:1");
    assert_eq!(ended.stderr.matches("traces are lost").count(), 1, "{ended}");

    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    run(&format!("http://{}", silent.local_addr().unwrap()));
}
