//! A provider's limits, kept by the workers before the provider has to enforce them.
//!
//! Every call asks for a [`CallPermit`] first and reports its end. [`LocalThrottle`] keeps the limits of a model within
//! a process; [`SharedThrottle`] keeps the limits for all processes of a deployment together.

mod ceiling;
mod contract;
mod group;
mod limits;
mod local;
mod minute;
mod permit;
mod share;
mod shared;
mod state;

pub use self::{
    contract::Throttle,
    limits::RateLimits,
    local::LocalThrottle,
    permit::{CallOutcome, CallPermit},
    shared::SharedThrottle,
    state::{LONGEST_ASKED, ThrottleSnapshot},
};
