//! Decides which settings are secrets.

pub use tributary_worker::model::Secret;

/// Returns true if a setting with this name, at any level, must never be shown with this value. An address may contain
/// credentials before an `@` or after a `?`.
pub fn is_secret(name: &str, value: &str) -> bool {
    match name {
        "key" | "token" | "password" | "nkey" => true,
        "base" | "url" => value.contains(['@', '?']),
        _ => false,
    }
}
