//! A layer of settings: TOML and an origin.

use std::{fmt, ops::Range, sync::LazyLock};

use config::{ConfigError, FileFormat, Format, Map, Source, Value, ValueKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use toml::{
    Spanned, Table,
    de::{DeTable, DeValue, Deserializer},
};
use tributary_protocol::{answer::AnswerSettings, settings::JobSettings, survey::SurveySettings};

use super::config::{Config, Execution};

/// A layer of settings. Every value in the merged configuration remembers the layer's `origin`.
#[derive(Clone)]
pub struct Layer {
    /// The origin: `tributary.toml`, `TRIBUTARY_WINDOW`, `--model`.
    pub origin: String,
    pub text: String,
}

impl Layer {
    /// The origin of the defaults, which every other layer outranks.
    pub const DEFAULT: &str = "default";

    pub fn defaults() -> Self {
        let mut table = table_of(&JobSettings::default());
        table.extend(table_of(&Execution::default()));
        table.insert(SURVEY.to_owned(), table_of(&SurveySettings::default()).into());
        table.insert(ANSWER.to_owned(), table_of(&AnswerSettings::default()).into());
        Self { origin: Self::DEFAULT.to_owned(), text: table.to_string() }
    }

    /// Returns a layer with a single setting, given by path.
    pub fn of(origin: impl Into<String>, path: &[&str], value: impl Into<toml::Value>) -> Self {
        let value = path.iter().rev().fold(value.into(), |value, key| {
            let mut table = Table::new();
            table.insert((*key).to_owned(), value);
            toml::Value::Table(table)
        });
        Self { origin: origin.into(), text: value.as_table().map(Table::to_string).unwrap_or_default() }
    }

    /// Parses the layer separately from the others. The error gives the place and the problem, but not the text, which
    /// may contain a key.
    pub fn check(&self) -> Result<Config, WrongSetting> {
        let wrong = |error: toml::de::Error| WrongSetting::new(&error, &self.text);
        let table = DeTable::parse(&self.text).map_err(wrong)?;
        let span = table.span();
        let [mut job, mut survey, mut answer, mut execution] =
            [DeTable::new(), DeTable::new(), DeTable::new(), DeTable::new()];
        for (key, value) in table.into_inner() {
            match (section(key.get_ref()), value) {
                (Some(Section::Job), value) => _ = job.insert(key, value),
                (Some(Section::Execution), value) => _ = execution.insert(key, value),
                (Some(Section::OfSurvey), value) => _ = survey.insert(key, value),
                (Some(section @ (Section::Survey | Section::Answer)), value) => match value.into_inner() {
                    DeValue::Table(table) if section == Section::Survey => survey.extend(table),
                    DeValue::Table(table) => answer.extend(table),
                    _ => {
                        let message = format!("`{}` must be a table", key.get_ref());
                        return Err(WrongSetting::at(&self.text, key.span(), message));
                    }
                },
                (None, _) => return Err(WrongSetting::unknown(&self.text, key.span(), key.get_ref(), &known())),
            }
        }
        let execution = Deserializer::from(Spanned::new(span.clone(), execution));
        Ok(Config {
            job: self.strictly(&job, span.clone())?,
            survey: self.strictly(&survey, span.clone())?,
            answer: self.strictly(&answer, span)?,
            execution: Execution::deserialize(execution).map_err(wrong)?,
        })
    }

    /// Parses settings and rejects unknown keys. These types accept unknown keys by themselves, because they travel
    /// between versions.
    fn strictly<T>(&self, table: &DeTable<'_>, span: Range<usize>) -> Result<T, WrongSetting>
    where
        T: DeserializeOwned + Serialize + Default,
    {
        let mut unknown: Option<String> = None;
        let settings = serde_ignored::deserialize(Deserializer::from(Spanned::new(span, table.clone())), |path| {
            unknown.get_or_insert(path.to_string());
        });
        let settings = settings.map_err(|error| WrongSetting::new(&error, &self.text))?;
        let Some(path) = unknown else { return Ok(settings) };
        let (mut table, mut defaults) = (table, &table_of(&T::default()));
        for key in path.split('.') {
            let Some((found, value)) = table.iter().find(|(known, _)| known.get_ref() == key) else { break };
            match (value.get_ref(), defaults.get(key)) {
                (DeValue::Table(inner), Some(toml::Value::Table(known))) => (table, defaults) = (inner, known),
                _ => return Err(WrongSetting::unknown(&self.text, found.span(), key, &keys(defaults))),
            }
        }
        Err(WrongSetting { place: None, message: format!("unknown setting `{path}`") })
    }
}

/// Omits the text, which may contain secrets.
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
        let mut settings = FileFormat::Toml.parse(Some(&self.origin), &self.text).map_err(ConfigError::Foreign)?;
        // The survey's settings may also stand at the top level.
        let of_survey = settings.extract_if(|key, _| section(key) == Some(Section::OfSurvey)).collect::<Map<_, _>>();
        if !of_survey.is_empty() {
            let survey = settings.entry(SURVEY.to_owned());
            let survey = survey.or_insert_with(|| Value::new(Some(&self.origin), Map::<String, Value>::new()));
            if let ValueKind::Table(table) = &mut survey.kind {
                merge(table, of_survey);
            }
        }
        Ok(settings)
    }
}

/// Puts values into a table. Tables that stand in both become one.
fn merge(table: &mut Map<String, Value>, values: Map<String, Value>) {
    for (key, value) in values {
        if let ValueKind::Table(inner) = &value.kind
            && let Some(Value { kind: ValueKind::Table(known), .. }) = table.get_mut(&key)
        {
            merge(known, inner.clone());
        } else {
            table.insert(key, value);
        }
    }
}

/// Reads the settings from the merged layers.
pub fn read(merged: Map<String, Value>) -> Result<Config, ConfigError> {
    let of = |wanted| {
        let chosen: Map<_, _> = merged.clone().into_iter().filter(|(key, _)| section(key) == Some(wanted)).collect();
        Value::new(None, chosen)
    };
    let table = |name: &str| merged.get(name).cloned().unwrap_or_else(|| Map::<String, Value>::new().into());
    Ok(Config {
        job: of(Section::Job).try_deserialize()?,
        survey: table(SURVEY).try_deserialize()?,
        answer: table(ANSWER).try_deserialize()?,
        execution: of(Section::Execution).try_deserialize()?,
    })
}

/// The names of the tables of the pipelines' settings.
const SURVEY: &str = "survey";
const ANSWER: &str = "answer";

/// The part of [`Config`] that a top-level key belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Job,
    /// The table of survey settings.
    Survey,
    /// A survey setting at the top level.
    OfSurvey,
    /// The table of answer settings.
    Answer,
    Execution,
}

fn section(key: &str) -> Option<Section> {
    let sections = [(&*JOB, Section::Job), (&*OF_SURVEY, Section::OfSurvey), (&*EXECUTION, Section::Execution)];
    let found = sections.into_iter().find(|(table, _)| table.contains_key(key)).map(|(_, section)| section);
    match key {
        SURVEY => Some(Section::Survey),
        ANSWER => Some(Section::Answer),
        _ => found,
    }
}

static JOB: LazyLock<Table> = LazyLock::new(|| table_of(&JobSettings::default()));
static OF_SURVEY: LazyLock<Table> = LazyLock::new(|| table_of(&SurveySettings::default()));
static EXECUTION: LazyLock<Table> = LazyLock::new(|| table_of(&Execution::default()));

/// Returns the keys that may stand at the top level.
fn known() -> Vec<String> {
    [keys(&JOB), vec![SURVEY.to_owned(), ANSWER.to_owned()], keys(&EXECUTION)].concat()
}

fn keys(table: &Table) -> Vec<String> {
    table.keys().cloned().collect()
}

fn table_of<T: Serialize>(defaults: &T) -> Table {
    Table::try_from(defaults).expect("the defaults of settings are TOML")
}

/// A setting that can't be read, with the place in the text.
#[derive(Debug)]
pub struct WrongSetting {
    /// The line and the column, counted from 1.
    pub place: Option<(usize, usize)>,
    pub message: String,
}

impl WrongSetting {
    fn new(error: &toml::de::Error, text: &str) -> Self {
        let mut bare = error.clone();
        // Without the input, the error names the key instead of quoting the line.
        bare.set_input(None);
        let message = without_value(bare.to_string().trim_end()).replace('\n', ", ");
        Self { place: error.span().map(|span| place(text, span.start)), message }
    }

    fn unknown(text: &str, span: Range<usize>, key: &str, known: &[String]) -> Self {
        let known: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
        Self::at(text, span, format!("unknown setting `{key}`, expected one of {}", known.join(", ")))
    }

    fn at(text: &str, span: Range<usize>, message: String) -> Self {
        Self { place: Some(place(text, span.start)), message }
    }
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Removes the value from an error about a string of the wrong type, because the string may be a misplaced key.
fn without_value(message: &str) -> String {
    match (message.starts_with("invalid type: string \""), message.rsplit_once("\", expected ")) {
        (true, Some((_, expected))) => format!("invalid type: string, expected {expected}"),
        _ => message.to_owned(),
    }
}
