//! Coordinators and workers as processes of their own, over a real nats-server.

#[path = "cluster/asked.rs"]
mod asked;
#[path = "cluster/common.rs"]
mod common;
#[path = "cluster/disturbed.rs"]
mod disturbed;
#[path = "cluster/doctor.rs"]
mod doctor;
#[path = "cluster/observed.rs"]
mod observed;
#[path = "cluster/shared.rs"]
mod shared;
#[path = "cluster/unserved.rs"]
mod unserved;
#[path = "cluster/whole.rs"]
mod whole;
