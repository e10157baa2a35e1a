//! One layer of settings: TOML and where it comes from.

use std::{fmt, sync::LazyLock};

use config::{ConfigError, FileFormat, Format, Map, Source, Value};
use serde::{Deserialize, Serialize};
use toml::{
    Spanned, Table,
    de::{DeTable, Deserializer},
};
use tributary_protocol::settings::Settings;

use super::{Config, Execution};

/// Some settings. Every value in the merged configuration remembers the `origin` of its layer.
#[derive(Clone)]
pub struct Layer {
    /// `tributary.toml`, `TRIBUTARY_WINDOW`, `--model`.
    pub origin: String,
    pub text: String,
}

impl Layer {
    /// The layer that every other outranks.
    pub const DEFAULT: &str = "default";

    pub fn defaults() -> Self {
        let mut table = table_of(&Settings::default());
        table.extend(table_of(&Execution::default()));
        Self { origin: Self::DEFAULT.to_owned(), text: table.to_string() }
    }

    /// A single setting, by its path.
    pub fn of(origin: impl Into<String>, path: &[&str], value: impl Into<toml::Value>) -> Self {
        let value = path.iter().rev().fold(value.into(), |value, key| {
            let mut table = Table::new();
            table.insert((*key).to_owned(), value);
            toml::Value::Table(table)
        });
        Self { origin: origin.into(), text: value.as_table().map(Table::to_string).unwrap_or_default() }
    }

    /// Reads the layer as if it were all there is. The error says where in the text it is wrong, and how, without the
    /// text itself: a key may stand there.
    pub fn check(&self) -> Result<Config, Wrong> {
        let wrong = |error: toml::de::Error| Wrong::new(&error, &self.text);
        let table = DeTable::parse(&self.text).map_err(wrong)?;
        let span = table.span();
        if let Some(key) = table.get_ref().keys().find(|key| half(key.get_ref()).is_none()) {
            return Err(Wrong::unknown(key.get_ref(), key.span(), &self.text));
        }
        let (algorithm, execution): (DeTable, DeTable) =
            table.into_inner().into_iter().partition(|(key, _)| half(key.get_ref()) == Some(Half::Algorithm));
        let read = |table| Deserializer::from(Spanned::new(span.clone(), table));
        Ok(Config {
            algorithm: Settings::deserialize(read(algorithm)).map_err(wrong)?,
            execution: Execution::deserialize(read(execution)).map_err(wrong)?,
        })
    }
}

/// Without the text, which may hold secrets.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layer({})", self.origin)
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        FileFormat::Toml.parse(Some(&self.origin), &self.text).map_err(ConfigError::Foreign)
    }
}

/// Reads the merged layers.
pub fn read(merged: Map<String, Value>) -> Result<Config, ConfigError> {
    let (algorithm, execution): (Map<_, _>, Map<_, _>) =
        merged.into_iter().partition(|(key, _)| half(key) == Some(Half::Algorithm));
    Ok(Config {
        algorithm: Value::new(None, algorithm).try_deserialize()?,
        execution: Value::new(None, execution).try_deserialize()?,
    })
}

/// Which half of [`Config`] a top-level key belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Algorithm,
    Execution,
}

fn half(key: &str) -> Option<Half> {
    if ALGORITHM.contains_key(key) {
        Some(Half::Algorithm)
    } else {
        EXECUTION.contains_key(key).then_some(Half::Execution)
    }
}

static ALGORITHM: LazyLock<Table> = LazyLock::new(|| table_of(&Settings::default()));
static EXECUTION: LazyLock<Table> = LazyLock::new(|| table_of(&Execution::default()));

fn table_of<T: Serialize>(defaults: &T) -> Table {
    Table::try_from(defaults).expect("the defaults of settings are TOML")
}

/// What is wrong in a layer, and where.
#[derive(Debug)]
pub struct Wrong {
    /// Line and column, from 1.
    pub place: Option<(usize, usize)>,
    pub message: String,
}

impl Wrong {
    fn new(error: &toml::de::Error, text: &str) -> Self {
        let mut bare = error.clone();
        // Without its input the error names the key instead of showing the line.
        bare.set_input(None);
        let message = without_value(bare.to_string().trim_end()).replace('\n', ", ");
        Self { place: error.span().map(|span| place(text, span.start)), message }
    }

    fn unknown(key: &str, span: std::ops::Range<usize>, text: &str) -> Self {
        let known: Vec<_> = ALGORITHM.keys().chain(EXECUTION.keys()).map(|key| format!("`{key}`")).collect();
        let message = format!("unknown setting `{key}`, expected one of {}", known.join(", "));
        Self { place: Some(place(text, span.start)), message }
    }
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// A string of the wrong type may be a key that was put in the wrong place.
fn without_value(message: &str) -> String {
    match (message.starts_with("invalid type: string \""), message.rsplit_once("\", expected ")) {
        (true, Some((_, expected))) => format!("invalid type: string, expected {expected}"),
        _ => message.to_owned(),
    }
}
