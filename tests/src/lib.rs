//! What whole-system tests stand on: a simulated model, a real nats-server, the program as a process, corpora for it,
//! readers of its articles, and what every bus must do.

pub mod article;
pub mod cluster;
pub mod conformance;
pub mod corpus;
pub mod nats_server;
pub mod process;
pub mod simulated;
