//! The names of models.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The place of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provider {
    /// Any server with OpenAI's chat completions.
    Openai,
    /// Google's native API.
    Gemini,
    /// This process: no server, no key.
    Extractive,
}

/// A provider and its name for a model: `openai/gpt-4o-mini`, `gemini/gemini-2.5-flash`, `extractive`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName {
    pub provider: Provider,
    /// The provider's own name, slashes and all; empty for [`Provider::Extractive`].
    pub name: String,
}

/// A text in place of a model's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no model: `openai/NAME`, `gemini/NAME` and `extractive` do")]
pub struct BadModelName(String);

impl FromStr for ModelName {
    type Err = BadModelName;

    fn from_str(text: &str) -> Result<Self, BadModelName> {
        let named = |provider, name: &str| Self { provider, name: name.to_owned() };
        match text.trim().split_once('/') {
            None if text.trim() == "extractive" => Ok(named(Provider::Extractive, "")),
            Some(("openai", name)) if !name.is_empty() => Ok(named(Provider::Openai, name)),
            Some(("gemini", name)) if !name.is_empty() => Ok(named(Provider::Gemini, name)),
            _ => Err(BadModelName(text.to_owned())),
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.provider {
            Provider::Openai => write!(f, "openai/{}", self.name),
            Provider::Gemini => write!(f, "gemini/{}", self.name),
            Provider::Extractive => f.write_str("extractive"),
        }
    }
}

impl TryFrom<String> for ModelName {
    type Error = BadModelName;

    fn try_from(text: String) -> Result<Self, BadModelName> {
        text.parse()
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["openai/gpt-4o-mini", "openai/meta-llama/llama-3.3-70b", "gemini/gemini-2.5-flash", "extractive"] {
            assert_eq!(text.parse::<ModelName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_name_without_a_known_provider_is_refused_with_the_known_ones() {
        for text in ["", "gpt-4o", "openai/", "anthropic/x", "extractive/x"] {
            let refusal = text.parse::<ModelName>().unwrap_err().to_string();
            assert!(refusal.contains("openai/NAME"), "{refusal}");
        }
    }
}
