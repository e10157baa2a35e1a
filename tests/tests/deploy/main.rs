//! What `deploy/` holds is what Kubernetes takes, and what the program, its streams and its settings are called.

mod image;
mod names;
mod programs;
mod rendered;
mod roles;
mod schema;
