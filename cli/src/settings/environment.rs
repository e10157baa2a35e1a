//! Reads layers of settings from environment variables.

use anyhow::{Result, bail};
use toml::Value;

use super::layer::{Layer, WrongSetting};

const PREFIX: &str = "TRIBUTARY_";

/// The variables with the prefix that are no settings.
const OTHERS: [&str; 3] = [crate::logging::VARIABLE, "TRIBUTARY_CONFIG", NATS_URL];

/// The variable with the address of NATS, shared by all processes of a deployment.
const NATS_URL: &str = "TRIBUTARY_NATS_URL";

/// The settings behind variables with well-known names. Later variables outrank earlier variables.
const WELL_KNOWN: [(&str, [&str; 2]); 6] = [
    (NATS_URL, ["nats", "url"]),
    ("OPENAI_API_BASE", ["openai", "base"]),
    ("OPENAI_BASE_URL", ["openai", "base"]),
    ("OPENAI_API_KEY", ["openai", "key"]),
    ("GEMINI_API_KEY", ["gemini", "key"]),
    ("GOOGLE_API_KEY", ["gemini", "key"]),
];

/// Returns one layer per variable, the most important last. An empty variable counts as unset.
///
/// # Errors
///
/// Fails if a `TRIBUTARY_` variable is no setting or has an invalid value.
pub fn layers(variables: &[(String, String)]) -> Result<Vec<Layer>> {
    let mut set: Vec<_> = variables.iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    set.sort();
    let mut layers = Vec::new();
    for (name, path) in WELL_KNOWN {
        let values = set.iter().filter(|(variable, _)| variable == name);
        layers.extend(values.map(|(_, value)| Layer::of(name, &path, value.trim())));
    }
    for (name, value) in set {
        match name.strip_prefix(PREFIX) {
            Some(path) if !OTHERS.contains(&name.as_str()) && !is_service_link(name) => {
                layers.push(layer(name, path, value)?);
            }
            _ => {}
        }
    }
    Ok(layers)
}

/// Makes a layer of a variable. The value is read as TOML if the result fits the setting (`4`, `true`, `{ prompt = 1
/// }`), else as plain text.
fn layer(name: &str, path: &str, value: &str) -> Result<Layer> {
    let path = path.to_lowercase();
    let mut path: Vec<_> = path.split("__").map(str::to_owned).collect();
    if let [models, by_kind, kind] = &mut path[..]
        && (models.as_str(), by_kind.as_str()) == ("models", "for")
    {
        // Kinds of task have hyphens, which variables can't have.
        *kind = kind.replace('_', "-");
    }
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let text = Layer::of(name, &path, value);
    let layer = value.parse::<Value>().map_or_else(|_| text.clone(), |value| Layer::of(name, &path, value));
    match (layer.check(), text.check()) {
        (Ok(_), _) => Ok(layer),
        (_, Ok(_)) => Ok(text),
        (Err(_), _) if value.trim_start().starts_with(['{', '[', '"']) && value.parse::<Value>().is_err() => {
            bail!("{name}: invalid TOML")
        }
        // The value may be a password.
        (Err(WrongSetting { message, .. }), _) => bail!("{name}: {}", message.replace(value, "…")),
    }
}

/// Returns true for the variables that Kubernetes sets in every pod beside a service whose name begins with
/// `tributary`.
fn is_service_link(name: &str) -> bool {
    ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"].iter().any(|end| name.ends_with(end))
        || ["_SERVICE_PORT_", "_PORT_"].iter().any(|part| name.contains(part))
}
