//! Settings of all pipelines' jobs, and their wire format.
//!
//! Only settings that affect the result travel with a job. The place and the speed of the work don't.

use std::{collections::BTreeMap, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{budget::Window, kind::Kind, wire};

/// The settings of jobs of all pipelines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSettings {
    /// The language of prompts and results.
    pub language: Language,
    /// The smallest context window of the models in use, in tokens, at least [`JobSettings::LEAST_WINDOW`].
    pub window: Window,
    pub models: Models,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self { language: Language::default(), window: Window(128_000), models: Models::default() }
    }
}

impl JobSettings {
    /// The least window with room for a prompt's instructions, an outline and some text.
    pub const LEAST_WINDOW: u32 = 4_096;

    /// Checks the bounds of all settings.
    ///
    /// # Errors
    ///
    /// The name of a setting out of its bounds, with the bound.
    pub fn check(&self) -> Result<(), String> {
        at_least("window", self.window.0, Self::LEAST_WINDOW)?;
        for kind in self.models.by_kind.keys() {
            kind.parse::<Kind>().map_err(|error| format!("models.for: {error}"))?;
        }
        Ok(())
    }
}

pub(crate) fn at_least(name: &str, value: u32, least: u32) -> Result<(), String> {
    if value < least { Err(format!("{name} is {value}; at least {least} is needed")) } else { Ok(()) }
}

pub(crate) fn at_most(name: &str, value: u32, most: u32) -> Result<(), String> {
    if value > most { Err(format!("{name} is {value}; at most {most} is allowed")) } else { Ok(()) }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    Zh,
}

/// The models of a job: names such as `openai/gpt-4.1-mini`, `gemini/gemini-2.5-flash`, `extractive`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Models {
    pub default: String,
    /// Models of single kinds of task, by the kind's name. An unknown name is a newer build's kind.
    #[serde(rename = "for")]
    pub by_kind: BTreeMap<String, String>,
}

impl Models {
    /// The model without key and server.
    pub const EXTRACTIVE: &str = "extractive";

    pub fn of(&self, kind: Kind) -> &str {
        self.by_kind.get(kind.name()).unwrap_or(&self.default)
    }

    /// Returns every model that a job may call.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.default.as_str()).chain(self.by_kind.values().map(String::as_str))
    }
}

impl Default for Models {
    fn default() -> Self {
        Self { default: Self::EXTRACTIVE.to_owned(), by_kind: BTreeMap::new() }
    }
}

/// Settings on the wire: additive, while the settings written by users are strict.
///
/// All values travel, so a running job keeps its defaults when a later build changes them. A reader takes the known
/// settings, keeps unknown ones ([`WireSettings::unknown`]) for a newer reader after it, and gives missing ones their
/// defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct WireSettings<T> {
    known: T,
    /// The settings as sent.
    sent: Value,
}

impl<T: Serialize + Default> WireSettings<T> {
    /// Returns the settings' part of a job's id: the values that differ from their defaults, by path. A build with a
    /// new setting gives the same job the same id, as long as the new setting isn't used.
    pub fn identity(&self) -> Vec<u8> {
        let defaults = leaves(&value_of(&T::default()));
        let mut differing = leaves(&self.sent);
        differing.retain(|path, value| defaults.get(path) != Some(value));
        wire::fields(&differing)
    }

    /// Returns the paths of settings from a newer build that this build doesn't know, such as `convolution.momentum`.
    pub fn unknown(&self) -> Vec<String> {
        let known = leaves(&value_of(&self.known));
        leaves(&self.sent).into_keys().filter(|path| !known.contains_key(path)).collect()
    }
}

impl<T: Serialize> From<T> for WireSettings<T> {
    fn from(known: T) -> Self {
        let sent = value_of(&known);
        Self { known, sent }
    }
}

impl<T> Deref for WireSettings<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.known
    }
}

impl<T> Serialize for WireSettings<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sent.serialize(serializer)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for WireSettings<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Value::deserialize(deserializer)?;
        let known = T::deserialize(&sent).map_err(serde::de::Error::custom)?;
        Ok(Self { known, sent })
    }
}

fn value_of<T: Serialize>(settings: &T) -> Value {
    serde_json::to_value(settings).expect("settings are plain values under text keys")
}

/// Returns the values of a tree by their paths, such as `convolution.layers`.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    fn gather(path: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
        match value {
            Value::Object(table) => {
                for (key, value) in table {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    gather(&path, value, into);
                }
            }
            value => _ = into.insert(path.to_owned(), value.clone()),
        }
    }
    let mut all = BTreeMap::new();
    gather("", value, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        job::{Job, Request},
        survey::{SurveyRequest, SurveySettings},
    };

    /// Settings as the build before knew them.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Older {
        layers: u32,
        model: String,
    }

    /// The same with a setting more.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Newer {
        momentum: f64,
        layers: u32,
        model: String,
    }

    #[test]
    fn an_older_reader_takes_newer_settings_names_what_it_does_not_know_and_hands_it_on() {
        let sent = WireSettings::from(Newer { momentum: 0.9, layers: 4, model: "m".into() });
        let read: WireSettings<Older> = wire::decode(&wire::encode(&sent)).unwrap();
        assert_eq!(*read, Older { layers: 4, model: "m".into() });
        assert_eq!(read.unknown(), ["momentum"]);
        let handed_on: WireSettings<Newer> = wire::decode(&wire::encode(&read)).unwrap();
        assert_eq!(handed_on, sent);
        assert!(handed_on.unknown().is_empty());
    }

    #[test]
    fn a_setting_that_is_not_used_leaves_the_identity_as_it_was() {
        let older = WireSettings::from(Older { layers: 4, model: "m".into() });
        let newer = |momentum| WireSettings::from(Newer { momentum, layers: 4, model: "m".into() }).identity();
        assert_eq!(newer(0.0), older.identity());
        assert_ne!(newer(0.5), older.identity());
    }

    #[test]
    fn a_job_with_settings_of_a_newer_build_is_taken_under_its_own_id() {
        let mut settings = WireSettings::from(SurveySettings::default());
        let request = |settings| Request::Survey(SurveyRequest { title: "Mills".into(), settings });
        let job = Job::new(request(settings.clone()), JobSettings::default(), 1, Vec::new());
        settings.sent["convolution"]["momentum"] = 0.9.into();
        let mut newer = Job { request: request(settings), ..job.clone() };
        newer.settings.sent["models"]["for"]["weave"] = "openai/m".into();
        let read: Job = wire::decode(&wire::encode(&newer)).unwrap();
        assert_eq!(read.id, job.id);
        assert_eq!(read.unknown_settings(), ["convolution.momentum"]);
        assert_eq!(read.settings.models.by_kind["weave"], "openai/m");
    }
}
