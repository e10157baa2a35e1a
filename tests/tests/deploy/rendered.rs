//! The overlays as `kubectl kustomize` renders them.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

const OVERLAYS: [&str; 2] = ["small", "production"];

/// The prefix and the namespace of the manifests.
pub const PREFIX: &str = "tributary";

/// An overlay's objects.
pub struct Rendered {
    pub overlay: &'static str,
    pub objects: Vec<Value>,
}

impl Rendered {
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    pub fn find(&self, kind: &str, name: &str) -> &Value {
        let found = self.of_kind(kind).find(|object| object["metadata"]["name"] == name);
        found.unwrap_or_else(|| panic!("{} has no {kind} {name}", self.overlay))
    }

    /// The generated map whose name, but for the hash of what it holds, is this.
    pub fn config_map(&self, name: &str) -> &Value {
        let found = self.of_kind("ConfigMap").find(|map| {
            let full = map["metadata"]["name"].as_str().unwrap_or_default();
            full == name || full.rsplit_once('-').is_some_and(|(stem, _)| stem == name)
        });
        found.unwrap_or_else(|| panic!("{} has no ConfigMap {name}", self.overlay))
    }

    /// The pods' workloads.
    pub fn workloads(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(|object| object["spec"]["template"]["spec"]["containers"].is_array())
    }
}

/// All overlays. None where this machine has nothing to render them with, which is said.
pub fn overlays() -> Option<&'static [Rendered]> {
    static RENDERED: OnceLock<Option<Vec<Rendered>>> = OnceLock::new();
    let rendered = RENDERED.get_or_init(|| OVERLAYS.into_iter().map(render).collect());
    rendered.as_deref()
}

pub fn file(path: &str) -> String {
    let path = folder().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Past the test's own output, which nobody reads where it passes.
fn say_skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn render(overlay: &'static str) -> Option<Rendered> {
    let path = folder().join("kubernetes/overlays").join(overlay);
    let mut output = Command::new("kubectl").arg("kustomize").arg(&path).output();
    if output.is_err() {
        output = Command::new("kustomize").arg("build").arg(&path).output();
    }
    let Ok(output) = output else {
        say_skipped("the manifests are not checked: neither `kubectl` nor `kustomize` is on this machine");
        return None;
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{overlay} doesn't render cleanly: {complaint}");
    let text = String::from_utf8(output.stdout).expect("kustomize writes UTF-8");
    let objects = serde_saphyr::from_multiple(&text).expect("kustomize writes YAML");
    Some(Rendered { overlay, objects })
}
