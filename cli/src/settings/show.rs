//! Prints the settings in effect.

use std::fmt::Write;

use config::{Map, Value, ValueKind};

use super::{load::Loaded, secret::is_secret};

impl Loaded {
    /// Returns all settings as TOML, each with the origin as a comment. Secrets are hidden.
    pub fn show(&self) -> String {
        let mut text = String::new();
        table(&mut text, &[], &self.merged);
        text
    }
}

fn table(text: &mut String, path: &[String], entries: &Map<String, Value>) {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    let (tables, values): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(_, value)| matches!(value.kind, ValueKind::Table(_)));
    if !values.is_empty() && !path.is_empty() {
        let names: Vec<_> = path.iter().map(|key| quoted(key)).collect();
        let _ = write!(text, "\n[{}]\n", names.join("."));
    }
    for (key, value) in values {
        let _ = writeln!(text, "{}", line(key, value));
    }
    for (key, value) in tables {
        if let ValueKind::Table(entries) = &value.kind {
            table(text, &[path, std::slice::from_ref(key)].concat(), entries);
        }
    }
}

fn line(key: &str, value: &Value) -> String {
    let origin = value.origin().unwrap_or("unknown origin");
    let value = literal(&value.kind);
    if is_secret(key, &value) {
        return format!("# {} is set, from {origin}", quoted(key));
    }
    format!("{} = {value}  # {origin}", quoted(key))
}

fn literal(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => toml::Value::from(text.as_str()).to_string(),
        ValueKind::Float(number) => toml::Value::from(*number).to_string(),
        ValueKind::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| literal(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// Quotes a key for TOML if needed.
fn quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { key.to_owned() } else { toml::Value::from(key).to_string() }
}
