//! Reading replies: the schema asked for, and the repair of replies close to the schema.

pub(super) mod citations;
pub(super) mod error_text;
pub(super) mod lenient;
pub(super) mod schema;
pub(super) mod truncate;
