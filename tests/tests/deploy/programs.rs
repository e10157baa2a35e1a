//! Containers are started with flags that the program takes, and with settings that it understands.

use std::{collections::BTreeSet, fs};

use clap::Parser as _;
use serde_json::Value;
use tributary::{
    args::{Args, SettingsArgs},
    settings::{Sources, load},
};
use tributary_protocol::bus::nats::{Auth, NatsOptions};

use super::{
    names::{address, after, container_port},
    rendered::{PREFIX, Rendered, file, list, overlays, text},
};

const ROLES: [&str; 2] = ["coordinator", "worker"];

/// How long a worker that is told to stop may take, unless it is told otherwise.
const GRACE: u64 = 25;

/// Stands for a secret's value.
const SECRET: &str = "s3cret";

#[test]
fn flags_are_those_of_the_program_and_ports_those_of_the_flags() {
    let compose = compose();
    for role in ROLES {
        let started = list(&compose["services"][role]["command"]);
        let plain: Vec<_> =
            started.iter().map(|arg| if text(arg).starts_with("${") { "16" } else { text(arg) }).collect();
        parses(&plain);
    }
    for rendered in overlays().unwrap_or_default() {
        for role in ROLES {
            let (workload, container) = container(rendered, role);
            let args: Vec<_> = list(&container["args"]).iter().map(text).collect();
            assert_eq!(args[0], role);
            parses(&args);
            let listen = after(&container["args"], "--listen").expect("--listen is given");
            let port = container_port(workload, "http").expect("the port is named");
            assert_eq!(listen, format!("0.0.0.0:{port}"));
            let grace = workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_u64();
            assert!(grace.is_some_and(|grace| grace > GRACE), "{role} is killed before its time is up");
        }
    }
}

#[test]
fn settings_are_those_of_the_program() {
    for rendered in overlays().unwrap_or_default() {
        for role in ROLES {
            let (_, container) = container(rendered, role);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tributary.toml");
            fs::write(&path, settings_file(rendered)).unwrap();
            let flags = SettingsArgs { config: Some(path), ..SettingsArgs::default() };
            let sources =
                Sources { directory: folder.path().into(), environment: environment(container), flags: &flags };
            let loaded = load(&sources).unwrap_or_else(|error| panic!("{} {role}: {error:#}", rendered.overlay));
            assert_eq!(loaded.config.execution.nats, nats(rendered, container));
            assert_eq!(loaded.config.execution.cluster.grace, GRACE as f64);
        }
    }
}

#[test]
fn the_bus_is_where_its_clients_look_for_it_and_they_are_who_it_knows() {
    let accounts = file("kubernetes/base/nats/accounts.conf");
    for rendered in overlays().unwrap_or_default() {
        for role in ROLES {
            let (workload, container) = container(rendered, role);
            let options = nats(rendered, container);
            let (scheme, place) = options.url.split_once("://").expect("an address has a scheme");
            assert_eq!(address(rendered, place), "nats");
            assert_eq!(options.prefix, PREFIX);
            let Auth::User { user, password } = &options.auth else { panic!("{role} has no login") };
            assert_eq!((user.as_str(), password.as_str()), (role, SECRET));
            assert!(accounts.contains(&format!("user: {role},")));
            let secrets = list(&container["env"]).iter().map(|variable| &variable["valueFrom"]["secretKeyRef"]);
            assert!(secrets.into_iter().any(|secret| secret["name"] == "tributary-nats" && secret["key"] == role));

            let servers = rendered.find("StatefulSet", "nats")["spec"]["replicas"].as_u64().unwrap();
            assert_eq!(options.replicas as u64, servers, "a message is on every server");
            assert_eq!(options.adjust, role == "coordinator", "one role decides how streams are");

            let server = text(&rendered.config_map("nats-config")["data"]["server.conf"]);
            let encrypted = server.lines().any(|line| line == "tls {");
            assert_eq!((scheme == "tls", options.tls.required), (encrypted, encrypted));
            if let Some(ca) = &options.tls.ca {
                let mounts = list(&container["volumeMounts"]);
                let mount =
                    mounts.iter().find(|mount| ca.starts_with(text(&mount["mountPath"]))).expect("it is mounted");
                let volumes = list(&workload["spec"]["template"]["spec"]["volumes"]);
                let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
                let items: Vec<_> = list(&volume["secret"]["items"]).iter().map(|item| text(&item["path"])).collect();
                assert_eq!(items, ["ca.crt"], "clients have no business with the servers' key");
            }
        }
    }
}

#[test]
fn servers_are_told_all_that_their_configuration_asks_for() {
    let asked = asked_of_the_environment(&["nats.conf", "accounts.conf"]);
    assert!(asked.contains("WORKER_PASSWORD") && asked.contains("MAX_FILE_STORE"), "{asked:?}");
    for rendered in overlays().unwrap_or_default() {
        let server = rendered.find("StatefulSet", "nats");
        let container = &list(&server["spec"]["template"]["spec"]["containers"])[0];
        let told: Vec<_> = list(&container["env"]).iter().map(|variable| text(&variable["name"])).collect();
        for variable in &asked {
            assert!(told.contains(&variable.as_str()), "{}: {variable} is not set", rendered.overlay);
        }
        let files = rendered.config_map("nats-config")["data"].as_object().unwrap();
        let included = text(&files["nats.conf"]).lines().filter_map(|line| line.strip_prefix("include "));
        for include in included {
            assert!(files.contains_key(include.trim_matches('"')), "{include} is not there");
        }
    }
    let compose = compose();
    let told = compose["services"]["nats"]["environment"].as_object().expect("variables are a map");
    for variable in &asked {
        assert!(told.contains_key(variable), "compose.yaml: {variable} is not set");
    }
}

/// The variables that are used in these files and that they don't define themselves.
pub fn asked_of_the_environment(files: &[&str]) -> BTreeSet<String> {
    let text: String = files.iter().map(|name| file(&format!("kubernetes/base/nats/{name}"))).collect();
    let used =
        text.lines().filter_map(|line| line.trim().split_once(": $")).chain(text.lines().flat_map(|line| {
            line.match_indices(": $").map(move |(at, found)| (&line[..at], &line[at + found.len()..]))
        }));
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>();
    used.map(|(_, rest)| word(rest)).filter(|name| !text.contains(&format!("\n{name}: {{"))).collect()
}

fn parses(args: &[&str]) {
    if let Err(error) = Args::try_parse_from(["tributary"].iter().chain(args)) {
        panic!("{args:?}: {error}");
    }
}

fn compose() -> Value {
    serde_saphyr::from_str(&file("compose.yaml")).expect("compose.yaml is YAML")
}

fn container<'a>(rendered: &'a Rendered, role: &str) -> (&'a Value, &'a Value) {
    let workload = rendered.find("Deployment", role);
    let container = &list(&workload["spec"]["template"]["spec"]["containers"])[0];
    assert!(text(&container["image"]).starts_with("tributary:"));
    (workload, container)
}

fn settings_file(rendered: &Rendered) -> &str {
    text(&rendered.config_map("tributary-settings")["data"]["tributary.toml"])
}

/// The container's variables, with `$(NAME)` replaced as Kubernetes does.
fn environment(container: &Value) -> Vec<(String, String)> {
    let mut set: Vec<(String, String)> = Vec::new();
    for variable in list(&container["env"]) {
        let mut value = variable["value"].as_str().unwrap_or(SECRET).to_owned();
        for (name, earlier) in &set {
            value = value.replace(&format!("$({name})"), earlier);
        }
        assert!(!value.contains("$("), "{} names a variable that isn't set before it", variable["name"]);
        // The file is given to the program by its place on this machine.
        if variable["name"] != "TRIBUTARY_CONFIG" {
            set.push((text(&variable["name"]).to_owned(), value));
        }
    }
    set
}

fn nats(rendered: &Rendered, container: &Value) -> NatsOptions {
    let mut settings: toml::Table = settings_file(rendered).parse().expect("the settings are TOML");
    let nats = settings["nats"].as_table_mut().expect("[nats] is a table");
    for (name, value) in environment(container) {
        if let Some(key) = name.strip_prefix("TRIBUTARY_NATS__") {
            nats.insert(key.to_lowercase(), value.parse().expect("the value is TOML"));
        }
    }
    settings["nats"].clone().try_into().expect("[nats] has the bus's own settings")
}
