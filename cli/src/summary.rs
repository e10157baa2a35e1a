//! What a finished job is summed up as, for people.

use std::{fmt, path::PathBuf, time::Duration};

use tributary_protocol::task::Usage;

use crate::{progress::spent, units};

/// An article that is written, in numbers.
#[derive(Clone, Debug)]
pub struct Summary {
    pub title: String,
    /// The article.
    pub article: PathBuf,
    /// Where all that was degraded or dropped is told.
    pub report: PathBuf,
    /// The other files.
    pub others: Vec<PathBuf>,
    pub words: u64,
    pub sources: u64,
    pub cited: u64,
    pub usage: Usage,
    pub wall: Duration,
    /// Tasks that an earlier run had done, of how many.
    pub done_before: (u64, u64),
    /// Units of work that a fallback had to do, and units and sources that were dropped.
    pub degraded: u64,
    pub dropped: u64,
}

impl Summary {
    /// Every file that was written, the article first.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.article].into_iter().chain(&self.others).chain([&self.report])
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, article, report, words, sources, cited, usage, wall, done_before, degraded, dropped, .. } =
            self;
        let article = article.display();
        writeln!(f, "{title}")?;
        writeln!(f, "  {article}: {}, {cited} of {sources} sources cited", units::plural(*words, "word"))?;
        write!(f, "  {}", spent(usage))?;
        match *done_before {
            (0, _) => write!(f, " in {}", units::time(*wall))?,
            (before, all) if before >= all => f.write_str(", all of it in an earlier run")?,
            (before, all) => {
                let (before, all) = (units::count(before), units::count(all));
                write!(f, "; this run took {}, {before} of {all} tasks had been done before", units::time(*wall))?;
            }
        }
        match (degraded, dropped) {
            (0, 0) => Ok(()),
            _ => write!(f, "\n  {degraded} degraded, {dropped} dropped: see {}", report.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_was_made_what_it_cost_and_where_to_look_for_trouble() {
        let summary = Summary {
            title: "Rust".into(),
            article: "out/md/rust.md".into(),
            report: "out/rust.report.json".into(),
            others: vec!["out/rust.jsonl".into()],
            words: 9_431,
            sources: 187,
            cited: 185,
            usage: Usage {
                calls: 800,
                calls_from_cache: 64,
                prompt_tokens: 1_000_000,
                cost_micros: 1_800_000,
                ..Usage::default()
            },
            wall: Duration::from_secs(108),
            done_before: (0, 1_000),
            degraded: 2,
            dropped: 0,
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
