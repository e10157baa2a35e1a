//! Writes `tracing` logs to stderr, as text or as one JSON object per line, without disturbing the progress bars.

use std::io;

use anyhow::{Result, anyhow};
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{
    args::{Console, LogFormat},
    terminal::Terminal,
    traces::Traces,
};

/// The environment variable with a `tracing` filter, such as `warn,tributary=debug`. The filter outranks `-v` and `-q`.
pub const VARIABLE: &str = "TRIBUTARY_LOG";

/// Starts logging for the whole process, and tracing if wanted.
///
/// # Errors
///
/// Fails if [`VARIABLE`] holds no valid filter, or if logging has started already.
pub fn start(console: &Console, terminal: &Terminal, traces: Option<&Traces>) -> Result<()> {
    let filter = filter(console, std::env::var(VARIABLE).ok())?;
    let log = fmt::layer::<Registry>().with_writer(BetweenBars(terminal.clone()));
    let log = match console.log_format {
        LogFormat::Text => log.with_ansi(terminal.takes_bars()).with_filter(filter).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_ansi(false).with_filter(filter).boxed(),
    };
    let traces = traces.map(|traces| traces.layer().boxed());
    let layers: Vec<_> = [Some(log), traces].into_iter().flatten().collect();
    tracing_subscriber::registry().with(layers).try_init().map_err(|error| anyhow!("failed to start logging: {error}"))
}

fn filter(console: &Console, variable: Option<String>) -> Result<EnvFilter> {
    if let Some(directives) = variable.filter(|text| !text.trim().is_empty()) {
        // The text of the error includes the cause.
        return EnvFilter::try_new(&directives).map_err(|error| anyhow!("{VARIABLE} is no valid log filter: {error}"));
    }
    Ok(EnvFilter::new(match (console.quiet, console.verbose, console.log_format) {
        (true, ..) => "error",
        // Messages about a bad PDF come from the reader, with the file's name.
        (_, 0, LogFormat::Text) => "warn,lopdf=off",
        // In JSON, messages to the user are log records too.
        (_, 0, LogFormat::Json) => "warn,lopdf=off,tributary=info",
        (_, 1, _) => "warn,tributary=info",
        (_, 2, _) => "info,tributary=debug",
        _ => "debug,tributary=trace",
    }))
}

/// A log writer that writes each record between two redraws of the bars.
struct BetweenBars(Terminal);

impl<'a> MakeWriter<'a> for BetweenBars {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl io::Write for &BetweenBars {
    /// Writes a whole record, because the subscriber makes one call per record.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
