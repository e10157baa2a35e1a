//! Coordinators and workers as processes of their own, over a real nats-server.

#[path = "cluster/common.rs"]
mod common;
#[path = "cluster/whole.rs"]
mod whole;
