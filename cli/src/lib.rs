//! The command line of Tributary: arguments become settings, settings become jobs, jobs become articles.
//!
//! [`args`] defines the command line, [`settings`] merges arguments with the file and the environment, and [`command`]
//! has one file per command. Users see the output of [`terminal`], [`progress`], [`summary`] and [`logging`];
//! monitoring sees [`http`] and [`traces`]. The end of the program is in [`interrupt`] and [`exit`].

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
