//! Summarizes a finished job for people.

use std::{fmt, path::PathBuf};

use tributary_coordinator::artifact::ResultSummary;
use tributary_protocol::task::Usage;

use crate::{progress::spent, units};

/// The figures and files of a finished job.
#[derive(Clone, Debug)]
pub struct Summary {
    pub title: String,
    /// The written files: the main file first, the report last.
    pub files: Vec<PathBuf>,
    pub result: ResultSummary,
    pub usage: Usage,
    /// The tasks that an earlier run finished, and the tasks of the job.
    pub done_before: (u64, u64),
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, files, result, usage, done_before } = self;
        let path = |file: Option<&PathBuf>| file.map(|file| file.display().to_string()).unwrap_or_default();
        writeln!(f, "{title}")?;
        writeln!(f, "  {}: {}", path(files.first()), headline(result))?;
        write!(f, "  {}", spent(usage))?;
        match *done_before {
            (0, _) => write!(f, " in {}", units::time(result.wall))?,
            (before, all) if before >= all => f.write_str(", all of it in an earlier run")?,
            (before, all) => {
                let (before, all) = (units::count(before), units::count(all));
                let time = units::time(result.wall);
                write!(f, "; this run took {time}, {before} of {all} tasks had been done before")?;
            }
        }
        match (result.degraded, result.dropped) {
            (0, 0) => Ok(()),
            (degraded, dropped) => {
                write!(f, "\n  {degraded} degraded, {dropped} dropped: see {}", path(files.last()))
            }
        }
    }
}

/// Formats the figures of a result: `9.43 k words, 185 of 187 sources cited`.
fn headline(result: &ResultSummary) -> String {
    let mut parts: Vec<String> = result.figure("words").map(|words| units::plural(words, "word")).into_iter().collect();
    if let (Some(cited), Some(sources)) = (result.figure("cited"), result.figure("sources")) {
        parts.push(format!("{cited} of {sources} sources cited"));
    }
    match (result.figure("answered"), result.figure("confidence_tenths")) {
        (Some(0), _) => parts.push("the sources don't say".to_owned()),
        (Some(_), Some(tenths)) => parts.push(format!("confidence {:.1} of 5", tenths as f64 / 10.0)),
        _ => {}
    }
    if let (Some(quoted), Some(sources)) = (result.figure("sources_quoted"), result.figure("sources")) {
        parts.push(format!("{quoted} of {sources} sources quoted"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_summary_says_what_was_made_what_it_cost_and_where_to_look_for_trouble() {
        let figures = [("words", 9_431), ("cited", 185), ("sources", 187)];
        let summary = Summary {
            title: "Rust".into(),
            files: ["out/md/rust.md", "out/rust.jsonl", "out/rust.report.json"].map(PathBuf::from).into(),
            result: ResultSummary {
                figures: figures.map(|(name, figure)| (name.to_owned(), figure)).into(),
                degraded: 2,
                dropped: 0,
                wall: Duration::from_secs(108),
            },
            usage: Usage {
                calls: 800,
                calls_from_cache: 64,
                prompt_tokens: 1_000_000,
                cost_micros: 1_800_000,
                ..Usage::default()
            },
            done_before: (0, 1_000),
        };
        let expected = "Rust\n  out/md/rust.md: 9.43 k words, 185 of 187 sources cited\n  864 calls (64 from cache), \
            1.00 M tokens, $1.80 in 1m48s\n  2 degraded, 0 dropped: see out/rust.report.json";
        assert_eq!(summary.to_string(), expected);
        let again = Summary { done_before: (1_000, 1_000), ..summary.clone() };
        assert!(again.to_string().contains("$1.80, all of it in an earlier run\n"), "{again}");
        let resumed = Summary { done_before: (155, 1_000), ..summary };
        let expected = "$1.80; this run took 1m48s, 155 of 1.00 k tasks had been done before\n";
        assert!(resumed.to_string().contains(expected), "{resumed}");
    }
}
