//! The settings: what is done, by which models, how fast, and where the results go.
//!
//! Layers outrank one another, in this order: defaults, the settings file, the environment, flags. Each layer is read
//! strictly and alone before they are merged, so that an unknown key or a wrong type is reported with the file, variable
//! or flag that it stands in.

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
