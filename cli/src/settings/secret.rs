//! Keys and passwords.

use std::fmt;

use serde::Deserialize;

/// Something that is used and never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Whether a setting of this name is a secret.
pub fn is_secret(name: &str) -> bool {
    matches!(name, "key" | "token" | "password")
}
