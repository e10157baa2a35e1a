//! Which settings are secrets.

pub use tributary_worker::model::Secret;

/// Whether a setting of this name, at whatever level, is never shown.
pub fn is_secret(name: &str) -> bool {
    matches!(name, "key" | "token" | "password" | "nkey")
}
