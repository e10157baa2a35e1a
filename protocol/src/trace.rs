//! Traces: the spans that all processes tell of a job, to whoever listens there.
//!
//! They are `tracing`'s spans under [`TARGET`], which sets them apart from the log's records. A span that stands in no
//! other names its job in a field `job`: that is all it takes for the spans of a job to find together.

/// The target of spans.
pub const TARGET: &str = "trace";

/// The name of the span that is a job from its beginning to its end. All others of the job hang on it.
pub const JOB: &str = "job";

/// The field of a span that began before it was told of: when, in microseconds since 1970.
pub const BEGAN: &str = "began";
