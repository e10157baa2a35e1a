//! Support for whole-system tests: a simulated model, a real nats-server, an outdated nats-server, the program as a
//! process, probes over HTTP, a trace collector, corpora, parsers of articles, and conformance tests for every bus.

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
