//! Reading replies: the schema that a reply is asked to follow, and what is made of one that nearly does.

pub(super) mod citations;
pub(super) mod lenient;
pub(super) mod schema;
pub(super) mod truncate;
