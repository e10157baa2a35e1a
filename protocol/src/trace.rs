//! Traces: the spans of a job, recorded by all processes.
//!
//! The spans are `tracing`'s under [`TARGET`], apart from the log's records. A root span names its job in a field
//! `job`: the field alone joins the spans of a job.

/// The target of spans.
pub const TARGET: &str = "trace";

/// The name of a job's root span, from its beginning to its end. All other spans of the job hang on it.
pub const JOB: &str = "job";

/// The field of a span recorded after its start: the start, in microseconds since 1970.
pub const BEGAN: &str = "began";
