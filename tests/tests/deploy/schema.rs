//! Every object is read as the type that its kind has in Kubernetes, and written again: what is then missing is a field
//! that Kubernetes doesn't know, and what is then there besides is one that it asks for.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscalerBehavior,
        core::v1::{ConfigMap, Namespace, Service},
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::rendered::{Rendered, list, overlays, text};

#[test]
fn every_object_is_what_kubernetes_says_its_kind_is() {
    for Rendered { overlay, objects } in overlays().unwrap_or_default() {
        assert!(objects.len() > 10, "{overlay} has {} objects", objects.len());
        for object in objects {
            let problems = problems(object);
            let name = format!("{overlay}: {} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
            assert!(problems.is_empty(), "{name}:\n  {}", problems.join("\n  "));
            assert_eq!(object["metadata"]["namespace"].is_null(), object["kind"] == "Namespace", "{name}");
        }
    }
}

#[test]
fn what_selects_pods_selects_some() {
    for rendered in overlays().unwrap_or_default() {
        let labels: Vec<_> =
            rendered.workloads().map(|workload| &workload["spec"]["template"]["metadata"]["labels"]).collect();
        let selects = |selector: &Value| {
            let wanted = selector.as_object().expect("a selector is a map");
            labels.iter().any(|labels| wanted.iter().all(|(key, value)| labels[key] == *value))
        };
        for object in &rendered.objects {
            let spec = &object["spec"];
            let selector = match text(&object["kind"]) {
                "Service" => &spec["selector"],
                "NetworkPolicy" => &spec["podSelector"]["matchLabels"],
                "Deployment" | "StatefulSet" | "PodDisruptionBudget" | "PodMonitor" => &spec["selector"]["matchLabels"],
                _ => continue,
            };
            let everything = object["kind"] == "NetworkPolicy" && selector.is_null();
            assert!(everything || selects(selector), "{}: {object} selects nothing", rendered.overlay);
        }
    }
}

#[test]
fn no_object_holds_a_secret_and_all_that_is_mounted_is_there() {
    for rendered in overlays().unwrap_or_default() {
        assert_eq!(rendered.of_kind("Secret").count(), 0, "{}", rendered.overlay);
        for workload in rendered.workloads() {
            let pod = &workload["spec"]["template"]["spec"];
            let mut volumes: Vec<_> = list(&pod["volumes"]).iter().map(|volume| text(&volume["name"])).collect();
            volumes.extend(
                list(&workload["spec"]["volumeClaimTemplates"]).iter().map(|claim| text(&claim["metadata"]["name"])),
            );
            for mount in list(&pod["containers"]).iter().flat_map(|container| list(&container["volumeMounts"])) {
                assert!(volumes.contains(&text(&mount["name"])), "{mount} in {}", workload["metadata"]["name"]);
            }
            for map in list(&pod["volumes"]).iter().filter_map(|volume| volume["configMap"]["name"].as_str()) {
                rendered.find("ConfigMap", map);
            }
        }
    }
}

#[test]
fn every_container_is_locked_down_and_has_its_share() {
    for rendered in overlays().unwrap_or_default() {
        for workload in rendered.workloads() {
            let pod = &workload["spec"]["template"]["spec"];
            let name = format!("{}: {}", rendered.overlay, workload["metadata"]["name"]);
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            for container in list(&pod["containers"]) {
                let rights = &container["securityContext"];
                assert_eq!(rights["readOnlyRootFilesystem"], true, "{name}");
                assert_eq!(rights["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(rights["capabilities"]["drop"], json!(["ALL"]), "{name}");
                assert!(container["resources"]["requests"]["cpu"].is_string(), "{name}");
                assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
                let image = text(&container["image"]);
                assert!(image.split_once(':').is_some_and(|(_, tag)| tag != "latest"), "{name}: {image}");
            }
        }
    }
}

#[test]
fn a_field_that_kubernetes_does_not_know_and_one_that_it_misses_are_found() {
    let service = |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec});
    assert_eq!(problems(&service(json!({"ports": [{"port": 1}]}))), [""; 0]);
    assert_eq!(problems(&service(json!({"port": 1}))), ["/spec/port is no field"]);
    assert_eq!(problems(&service(json!({"ports": [{"name": "x"}]}))), ["/spec/ports/0/port is missing"]);
    assert_eq!(problems(&service(json!({"ports": 1}))).len(), 1);
}

fn problems(object: &Value) -> Vec<String> {
    let check = match (text(&object["apiVersion"]), text(&object["kind"])) {
        ("v1", "Namespace") => compare::<Namespace>,
        ("v1", "ConfigMap") => compare::<ConfigMap>,
        ("v1", "Service") => compare::<Service>,
        ("apps/v1", "Deployment") => compare::<Deployment>,
        ("apps/v1", "StatefulSet") => compare::<StatefulSet>,
        ("policy/v1", "PodDisruptionBudget") => compare::<PodDisruptionBudget>,
        ("networking.k8s.io/v1", "NetworkPolicy") => compare::<NetworkPolicy>,
        ("keda.sh/v1alpha1", "ScaledObject") => compare::<Custom<ScaledObject>>,
        ("monitoring.coreos.com/v1", "PodMonitor") => compare::<Custom<PodMonitor>>,
        ("monitoring.coreos.com/v1", "PrometheusRule") => compare::<Custom<PrometheusRule>>,
        (version, kind) => return vec![format!("{version} {kind} is not known here")],
    };
    check(object)
}

fn compare<T: Serialize + DeserializeOwned>(object: &Value) -> Vec<String> {
    let read: T = match serde_json::from_value(object.clone()) {
        Ok(read) => read,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems = Vec::new();
    differences("", object, &serde_json::to_value(read).expect("it was read from JSON"), &mut problems);
    problems
}

fn differences(path: &str, given: &Value, known: &Value, problems: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given {
                match known.get(key) {
                    Some(known) => differences(&format!("{path}/{key}"), value, known, problems),
                    None => problems.push(format!("{path}/{key} is no field")),
                }
            }
            let missing = known.keys().filter(|key| !given.contains_key(*key));
            problems.extend(missing.map(|key| format!("{path}/{key} is missing")));
        }
        (Value::Array(given), Value::Array(known)) if given.len() == known.len() => {
            for (at, (given, known)) in given.iter().zip(known).enumerate() {
                differences(&format!("{path}/{at}"), given, known, problems);
            }
        }
        _ if given == known => {}
        _ => problems.push(format!("{path} is {given} and was read as {known}")),
    }
}

/// An object of a kind that Kubernetes learns from others.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Custom<S> {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: S,
}

/// As far as it is used, of KEDA 2.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScaledObject {
    scale_target_ref: Target,
    min_replica_count: u32,
    max_replica_count: u32,
    polling_interval: u32,
    cooldown_period: u32,
    advanced: Advanced,
    triggers: Vec<Trigger>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advanced {
    horizontal_pod_autoscaler_config: Autoscaler,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Autoscaler {
    behavior: HorizontalPodAutoscalerBehavior,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trigger {
    r#type: String,
    metadata: JetStream,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JetStream {
    nats_server_monitoring_endpoint: String,
    account: String,
    stream: String,
    consumer: String,
    lag_threshold: String,
    activation_lag_threshold: String,
}

/// As far as they are used, of the Prometheus operator.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PodMonitor {
    selector: LabelSelector,
    pod_metrics_endpoints: Vec<Endpoint>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    port: String,
    path: String,
    interval: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrometheusRule {
    groups: Vec<Group>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    r#for: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}
