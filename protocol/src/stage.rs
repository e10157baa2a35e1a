//! Stages of jobs, of all pipelines.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A stage of a job for its user: its name, and its number in the order of its pipeline's stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stage {
    number: u8,
    name: &'static str,
}

impl Stage {
    /// Makes a stage; each pipeline numbers its own stages.
    pub(crate) fn numbered(number: u8, name: &'static str) -> Self {
        Self { number, name }
    }

    pub fn name(self) -> &'static str {
        self.name
    }

    /// Returns the number in the order of its pipeline's stages, from 0.
    pub fn number(self) -> u8 {
        self.number
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || de::Error::custom(format!("this build doesn't know the stage `{name}`"));
        Self::all().find(|stage| stage.name == name).ok_or_else(unknown)
    }
}
