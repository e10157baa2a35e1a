//! The settings of jobs, models, speed and output.
//!
//! Layers outrank one another in this order: defaults, the settings file, the environment, flags. Each layer is parsed
//! strictly and separately before merging, so that an error names the file, variable or flag with the unknown key or
//! the wrong type.

mod cluster;
mod config;
mod environment;
mod flags;
mod layer;
mod load;
mod models;
mod secret;
mod show;

pub use self::{
    cluster::Cluster,
    config::{Config, Endpoint, Execution, Limits, Price, Timeouts},
    load::{FILE, Loaded, Sources, load},
    secret::Secret,
};

#[cfg(test)]
mod tests;
