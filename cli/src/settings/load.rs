//! Merges the layers of settings.

use std::{
    fmt, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use config::{Map, Source, Value, ValueKind};

use super::{
    config::Config,
    environment, flags,
    layer::{self, Layer},
};
use crate::args::SettingsArgs;

/// The name of the settings file in the working directory.
pub const FILE: &str = "tributary.toml";

/// The sources of settings.
pub struct Sources<'a> {
    /// The directory that may contain [`FILE`].
    pub directory: PathBuf,
    pub environment: Vec<(String, String)>,
    pub flags: &'a SettingsArgs,
}

impl<'a> Sources<'a> {
    /// Returns the sources of this process.
    pub fn of_process(flags: &'a SettingsArgs) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { directory: PathBuf::new(), environment, flags }
    }
}

/// The settings in effect, with the origin of each.
#[derive(Clone)]
pub struct Loaded {
    pub config: Config,
    /// The merged values with origins; secrets are in plain text.
    pub(super) merged: Map<String, Value>,
}

/// Omits `merged`, which contains secrets in plain text.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl Loaded {
    /// Returns true if any source sets a model.
    pub fn names_a_model(&self) -> bool {
        self.names("models", "default") || !self.config.job.models.by_kind.is_empty()
    }

    /// Returns true if any source sets the address of NATS.
    pub fn names_nats(&self) -> bool {
        self.names("nats", "url")
    }

    /// Returns true if any source sets the address to listen on.
    pub fn names_listen(&self) -> bool {
        self.merged.get("listen").and_then(Value::origin) != Some(Layer::DEFAULT)
    }

    fn names(&self, section: &str, key: &str) -> bool {
        let section = self.merged.get(section).map(|value| &value.kind);
        let Some(ValueKind::Table(section)) = section else { return false };
        section.get(key).and_then(Value::origin) != Some(Layer::DEFAULT)
    }
}

/// Merges defaults, file, environment and flags.
///
/// # Errors
///
/// Fails if the requested file can't be read, if a layer has an unknown key or a value of the wrong type, or if the
/// merged settings are invalid.
pub fn load(sources: &Sources) -> Result<Loaded> {
    let mut layers = vec![Layer::defaults()];
    layers.extend(file(&sources.directory, sources.flags.config.as_deref())?);
    layers.extend(environment::layers(&sources.environment)?);
    layers.extend(flags::layers(sources.flags));

    let merged = layers.into_iter().fold(config::Config::builder(), |builder, layer| builder.add_source(layer));
    let merged = merged.build().and_then(|merged| merged.collect()).context("failed to merge the settings")?;
    let config = layer::read(merged.clone()).context("failed to merge the settings")?;
    config.check().map_err(|reason| anyhow!("settings: {reason}"))?;
    Ok(Loaded { config, merged })
}

/// Reads the layer of the requested file, or of the default file if present.
fn file(directory: &Path, asked: Option<&Path>) -> Result<Option<Layer>> {
    let path = asked.map_or_else(|| directory.join(FILE), Path::to_owned);
    let origin = path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && asked.is_none() => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{origin}: failed to read the settings")),
    };
    let layer = Layer { origin, text };
    if let Err(wrong) = layer.check() {
        let place = wrong.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        bail!("{}{place}: {}", layer.origin, wrong.message);
    }
    Ok(Some(layer))
}
