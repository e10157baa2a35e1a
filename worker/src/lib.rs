pub mod model;
pub mod throttle;
