//! Which settings are secrets.

pub use tributary_worker::model::Secret;

/// Whether a setting of this name, at whatever level, is never shown with this value. Of an address, what stands before an
/// `@` or behind a `?` may let somebody in.
pub fn is_secret(name: &str, value: &str) -> bool {
    match name {
        "key" | "token" | "password" | "nkey" => true,
        "base" | "url" => value.contains(['@', '?']),
        _ => false,
    }
}
