//! The command line of Tributary: what is typed becomes settings, settings become jobs, jobs become articles.
//!
//! [`args`] is the command line as typed, [`settings`] is what it means together with the file and the environment, and
//! [`command`] has a file a command. What people see on the way is in [`terminal`], [`progress`], [`summary`] and
//! [`logging`], and what monitoring sees in [`http`] and [`traces`]; how it all ends is in [`interrupt`] and [`exit`].

pub mod args;
pub mod command;
pub mod exit;
pub mod http;
pub mod interrupt;
pub mod logging;
pub mod progress;
pub mod settings;
pub mod summary;
pub mod terminal;
pub mod traces;
pub mod units;
