//! The addresses of the servers, their keys and their time-outs.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer};

/// Addresses, keys and patience: data only, read from the settings by whoever makes the models.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct Endpoints {
    /// The base address of the server that speaks OpenAI's API, with or without `/v1`; OpenAI's own where there is none.
    pub openai_base: Option<String>,
    /// The key; required by OpenAI's own server, and by few others.
    pub openai_key: Option<Secret>,
    /// The base address of Gemini's API, with or without `/v1beta`; Google's own where there is none.
    pub gemini_base: Option<String>,
    pub gemini_key: Option<Secret>,
    /// The longest time to connect, in seconds.
    #[serde(deserialize_with = "seconds")]
    pub connect_timeout: Duration,
    /// The longest time for a whole call, in seconds.
    #[serde(deserialize_with = "seconds")]
    pub call_timeout: Duration,
    /// The longest silence of a server, before its answer or within, in seconds. Servers are silent while they make a
    /// reply, so this must exceed the time of the slowest reply.
    #[serde(deserialize_with = "seconds")]
    pub stall_timeout: Duration,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            openai_base: None,
            openai_key: None,
            gemini_base: None,
            gemini_key: None,
            connect_timeout: Duration::from_secs(15),
            call_timeout: Duration::from_secs(900),
            stall_timeout: Duration::from_secs(300),
        }
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(serde::de::Error::custom(format!("{seconds} is no time-out: a number of seconds above 0 is"))),
    }
}

/// A key: usable, and never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The key itself, without blanks and line ends left around by files and shells.
    pub fn expose(&self) -> &str {
        self.0.trim()
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        let endpoints = Endpoints { openai_key: Some("sk-hush".into()), ..Endpoints::default() };
        assert!(!format!("{endpoints:?}").contains("hush"));
    }

    #[test]
    fn time_outs_are_seconds_above_zero() {
        let read = |text| serde_json::from_str::<Endpoints>(text);
        assert_eq!(read(r#"{"call_timeout": 2.5}"#).unwrap().call_timeout, Duration::from_millis(2500));
        assert!(read(r#"{"call_timeout": 0}"#).is_err());
        assert!(read(r#"{"call_timeout": -1}"#).is_err());
        assert!(read(r#"{"call_timeout": 1e300}"#).is_err());
    }
}
