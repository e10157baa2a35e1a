//! Streams, consumers, subjects, addresses and ports are called the same in the manifests and in the code.

use std::collections::BTreeSet;

use serde_json::Value;
use tributary_protocol::{
    bus::nats::NatsNames,
    id::{Hasher, JobId},
    task::Kind,
};

use super::rendered::{PREFIX, Rendered, file, list, overlays, text};

/// The part of a subject or a name that tells one job from another.
fn job() -> JobId {
    JobId::of(Hasher::new("job").part(b"any"))
}

fn names() -> NatsNames {
    NatsNames::new(PREFIX).unwrap()
}

/// All streams by their names on the server, but for the blobs, of which each job has one.
fn streams() -> BTreeSet<String> {
    let names = names();
    let buckets = [names.replies(), names.states()].map(|bucket| format!("KV_{bucket}"));
    let stores = [names.results(), names.large_replies()].map(|store| format!("OBJ_{store}"));
    let streams = [names.tasks(), names.dead(), names.journal(), names.jobs()];
    streams.into_iter().chain(buckets).chain(stores).collect()
}

fn consumers() -> BTreeSet<String> {
    let names = names();
    Kind::all().map(|kind| names.tasks_consumer(kind)).chain([names.jobs_consumer()]).collect()
}

#[test]
fn workers_are_scaled_by_the_consumer_of_every_kind() {
    for rendered in overlays().unwrap_or_default() {
        let scaled = rendered.find("ScaledObject", "worker");
        let target = rendered.find("Deployment", text(&scaled["spec"]["scaleTargetRef"]["name"]));
        assert!(target["spec"]["replicas"].is_null(), "two would decide how many workers there are");
        let args = &target["spec"]["template"]["spec"]["containers"][0]["args"];
        let concurrency = after(args, "--concurrency").expect("--concurrency is given");

        let triggers = list(&scaled["spec"]["triggers"]);
        let consumers: Vec<_> = triggers.iter().map(|trigger| text(&trigger["metadata"]["consumer"])).collect();
        let kinds: Vec<_> = Kind::all().map(|kind| names().tasks_consumer(kind)).collect();
        assert_eq!(consumers, kinds);
        for trigger in triggers.iter().map(|trigger| &trigger["metadata"]) {
            assert_eq!(trigger["stream"], names().tasks());
            assert_eq!(trigger["account"], "TRIBUTARY");
            assert_eq!(trigger["lagThreshold"], concurrency);
            assert_eq!(address(rendered, text(&trigger["natsServerMonitoringEndpoint"])), "nats-headless");
        }
    }
}

#[test]
fn permissions_name_what_there_is_and_leave_nothing_out() {
    let accounts = file("kubernetes/base/nats/accounts.conf");
    assert!(accounts.contains("TRIBUTARY: {"), "KEDA asks for this account");
    let subjects: BTreeSet<_> =
        accounts.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"')).collect();
    let (streams, consumers) = (streams(), consumers());
    let names = names();
    let stores = [names.results(), names.large_replies(), names.replies(), names.states()];
    for subject in &subjects {
        let parts: Vec<_> = subject.split('.').collect();
        for part in parts.iter().filter(|part| part.starts_with("tributary-") || part.contains("_tributary-")) {
            let known = streams.contains(*part) || (parts[0] != "$JS" && stores.iter().any(|store| store == part));
            assert!(known, "{subject}: there is no {part}");
        }
        if let ["$JS", "API", "CONSUMER", "MSG", "NEXT", _, consumer] = parts[..] {
            assert!(consumer == "*" || consumers.contains(consumer), "{subject}: there is no {consumer}");
        }
    }
    let covers = |subject: &str| subjects.iter().any(|allowed| covers(allowed, subject));
    let (task, job) = (names.all_tasks(), job());
    for used in [task, names.journal_of_job(job), names.all_dead_letters(), names.job(job)] {
        assert!(covers(&used), "nobody may use {used}");
    }
    // What coordinators may not delete, whatever they may make.
    for stream in streams {
        let denied = format!("$JS.API.STREAM.DELETE.{stream}");
        assert!(subjects.contains(denied.as_str()), "{denied} is not denied");
    }
}

#[test]
fn alarms_and_dashboard_ask_for_streams_and_consumers_that_there_are() {
    let alarms = file("kubernetes/components/monitoring/alarms.yaml");
    let dashboard = file("kubernetes/components/monitoring/dashboard.json").replace("\\\"", "\"");
    let (streams, consumers) = (streams(), consumers());
    for (label, known) in [("stream_name=\"", &streams), ("consumer_name=\"", &consumers)] {
        for text in [&alarms, &dashboard] {
            for asked in text.split(label).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(known.contains(asked), "there is no {asked}");
            }
        }
    }
    assert!(alarms.contains(&names().tasks()) && dashboard.contains(&names().tasks()));
}

#[test]
fn every_alarm_is_explained() {
    let readme = file("README.md");
    for rendered in overlays().unwrap_or_default() {
        for rule in rendered.of_kind("PrometheusRule").flat_map(|rule| list(&rule["spec"]["groups"][0]["rules"])) {
            let alarm = text(&rule["alert"]);
            assert!(readme.contains(&format!("`{alarm}`")), "README.md doesn't explain {alarm}");
        }
    }
}

#[test]
fn what_is_scraped_is_a_container_that_says_so_and_jobs_are_called_as_in_the_alarms() {
    let alarms = file("kubernetes/components/monitoring/alarms.yaml");
    for rendered in overlays().unwrap_or_default() {
        let open = open_ports(rendered);
        let monitors: Vec<_> = rendered.of_kind("PodMonitor").collect();
        for monitor in &monitors {
            let port = text(&monitor["spec"]["podMetricsEndpoints"][0]["port"]);
            let selector = &monitor["spec"]["selector"]["matchLabels"];
            let number = rendered
                .workloads()
                .filter(|workload| workload["spec"]["selector"]["matchLabels"] == *selector)
                .find_map(|workload| container_port(workload, port));
            let number = number.unwrap_or_else(|| panic!("no container of {selector} has a port {port}"));
            assert!(open.contains(&number), "Prometheus can't reach {number}");
        }
        if !monitors.is_empty() {
            for asked in alarms.split("up{job=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let (namespace, name) = asked.split_once('/').expect("a job is called by namespace and name");
                assert_eq!(rendered.find("PodMonitor", name)["metadata"]["namespace"], namespace);
            }
        }
    }
}

#[test]
fn services_probes_and_routes_lead_to_ports_that_are_open() {
    for rendered in overlays().unwrap_or_default() {
        let open = open_ports(rendered);
        for service in rendered.of_kind("Service") {
            let target = rendered
                .workloads()
                .find(|workload| workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"])
                .expect("a service is one workload's");
            for port in list(&service["spec"]["ports"]) {
                let number = container_port(target, text(&port["targetPort"])).expect("a service leads to a port");
                assert_eq!(port["port"].as_u64(), Some(number));
                assert!(open.contains(&number), "{}: no policy opens {number}", rendered.overlay);
            }
        }
        for workload in rendered.workloads() {
            for container in list(&workload["spec"]["template"]["spec"]["containers"]) {
                for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                    let Some(port) = container[probe]["httpGet"]["port"].as_str() else { continue };
                    assert!(container_port(workload, port).is_some(), "{probe} of {}", container["name"]);
                }
            }
        }
        let server = text(&rendered.config_map("nats-config")["data"]["server.conf"]);
        let routes: Vec<_> =
            server.lines().filter_map(|line| line.trim().strip_prefix("\"nats://")?.strip_suffix('"')).collect();
        let servers = rendered.find("StatefulSet", "nats")["spec"]["replicas"].as_u64().unwrap();
        assert_eq!(routes.len() as u64, if servers > 1 { servers } else { 0 });
        for (n, route) in routes.iter().enumerate() {
            let rest = route.strip_prefix(&format!("nats-{n}.")).expect("a route leads to each server in turn");
            assert_eq!(address(rendered, rest), "nats-headless");
        }
    }
}

/// The service at an address, which must have the address's port.
pub fn address<'a>(rendered: &'a Rendered, address: &'a str) -> &'a str {
    let (host, port) = address.rsplit_once(':').expect("an address has a port");
    let service = host.split('.').next().unwrap_or_default();
    let full = format!("{service}.{PREFIX}.svc.cluster.local");
    assert!(host == service || host == full, "{host} should be {full}");
    let ports = list(&rendered.find("Service", service)["spec"]["ports"]);
    assert!(ports.iter().any(|open| open["port"].as_u64() == port.parse().ok()), "{service} has no port {port}");
    service
}

/// What follows a flag.
pub fn after<'a>(args: &'a Value, flag: &str) -> Option<&'a str> {
    let args = list(args);
    let at = args.iter().position(|arg| arg == flag)?;
    args.get(at + 1)?.as_str()
}

pub fn container_port(workload: &Value, name: &str) -> Option<u64> {
    let containers = list(&workload["spec"]["template"]["spec"]["containers"]);
    let mut ports = containers.iter().flat_map(|container| list(&container["ports"]));
    ports.find(|port| port["name"] == name)?["containerPort"].as_u64()
}

/// The ports that some policy lets something in by.
fn open_ports(rendered: &Rendered) -> BTreeSet<u64> {
    let rules = rendered.of_kind("NetworkPolicy").flat_map(|policy| list(&policy["spec"]["ingress"]));
    rules.flat_map(|rule| list(&rule["ports"])).filter_map(|port| port["port"].as_u64()).collect()
}

/// Whether all that a narrower subject stands for is among what a wider one does.
fn covers(wider: &str, narrower: &str) -> bool {
    let mut narrower = narrower.split('.');
    for part in wider.split('.') {
        match (part, narrower.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (part, Some(other)) if part == other => {}
            _ => return false,
        }
    }
    narrower.next().is_none()
}
