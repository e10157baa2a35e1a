//! From layers to settings.

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

/// The file that is looked for in the working directory.
pub const FILE: &str = "tributary.toml";

/// Where settings are looked for.
pub struct Sources<'a> {
    /// Where [`FILE`] may stand.
    pub directory: PathBuf,
    pub environment: Vec<(String, String)>,
    pub flags: &'a SettingsArgs,
}

impl<'a> Sources<'a> {
    /// This process's own.
    pub fn of_process(flags: &'a SettingsArgs) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { directory: PathBuf::new(), environment, flags }
    }
}

/// The settings in effect, and where each comes from.
#[derive(Clone)]
pub struct Loaded {
    pub config: Config,
    /// The same with origins, secrets in the clear.
    pub(super) merged: Map<String, Value>,
}

/// Without what is merged, where secrets are in the clear.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.config.fmt(f)
    }
}

impl Loaded {
    /// Whether anybody said which model does the work.
    pub fn names_a_model(&self) -> bool {
        self.names("models", "default") || !self.config.job.models.by_kind.is_empty()
    }

    /// Whether anybody said where NATS is.
    pub fn names_nats(&self) -> bool {
        self.names("nats", "url")
    }

    /// Whether anybody said where a role is to listen.
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
/// Where the file that was asked for can't be read, where a layer has an unknown key or a value of the wrong type, and
/// where the settings together can't be worked with.
pub fn load(sources: &Sources) -> Result<Loaded> {
    let mut layers = vec![Layer::defaults()];
    layers.extend(file(&sources.directory, sources.flags.config.as_deref())?);
    layers.extend(environment::layers(&sources.environment)?);
    layers.extend(flags::layers(sources.flags));

    let merged = layers.into_iter().fold(config::Config::builder(), |builder, layer| builder.add_source(layer));
    let merged = merged.build().and_then(|merged| merged.collect()).context("the settings don't go together")?;
    let config = layer::read(merged.clone()).context("the settings don't go together")?;
    config.check().map_err(|reason| anyhow!("settings: {reason}"))?;
    Ok(Loaded { config, merged })
}

/// The layer of the file that is asked for, or of the one that is there.
fn file(directory: &Path, asked: Option<&Path>) -> Result<Option<Layer>> {
    let path = asked.map_or_else(|| directory.join(FILE), Path::to_owned);
    let origin = path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && asked.is_none() => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("{origin}: the settings can't be read")),
    };
    let layer = Layer { origin, text };
    if let Err(wrong) = layer.check() {
        let place = wrong.place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        bail!("{}{place}: {}", layer.origin, wrong.message);
    }
    Ok(Some(layer))
}
