//! What whole-system tests stand on: a simulated model, a real nats-server and one that is too old, the program as a
//! process and what it shows over HTTP, a collector of traces, corpora, readers of articles, and what every bus must do.

pub mod article;
pub mod cluster;
pub mod collector;
pub mod conformance;
pub mod corpus;
pub mod nats_server;
pub mod old_nats_server;
pub mod probe;
pub mod process;
pub mod simulated;
