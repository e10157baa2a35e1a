//! What whole-system tests stand on: a simulated model, a real nats-server, and what every bus must do.

pub mod conformance;
pub mod nats_server;
pub mod simulated;
