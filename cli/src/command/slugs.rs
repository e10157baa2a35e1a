//! Chooses the names of jobs' files, so that no two jobs share a file, whatever their titles.

use std::{collections::HashSet, fs, iter, path::Path};

use serde::Deserialize;
use tributary_coordinator::ingest::slug;
use tributary_protocol::id::JobId;

/// Returns the name of a job's files in this folder.
pub fn of_one(folder: &Path, title: &str, job: JobId) -> String {
    free(folder, title, job, |_| true)
}

/// Returns the names of several jobs' files in this folder, all different.
pub fn of_all<'a>(folder: &Path, jobs: impl Iterator<Item = (&'a str, JobId)>) -> Vec<String> {
    let mut taken = HashSet::new();
    jobs.map(|(title, job)| free(folder, title, job, |name| taken.insert(name.to_owned()))).collect()
}

/// Returns the first of `title`, `title-2`, `title-3` that is free for the job and that the caller accepts.
fn free(folder: &Path, title: &str, job: JobId, mut takes: impl FnMut(&str) -> bool) -> String {
    let slug = slug(title);
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    let mut names = iter::once(slug.clone()).chain(numbered);
    let name = names.find(|name| !holds_another(&folder.join(format!("{name}{REPORT}")), job) && takes(name));
    name.expect("numbers don't end")
}

/// The suffix of a report's file name. Every pipeline writes a report, which names the job.
const REPORT: &str = ".report.json";

/// Returns true if the report names another job.
fn holds_another(report: &Path, job: JobId) -> bool {
    #[derive(Deserialize)]
    struct Report {
        job: String,
    }
    let report = fs::read(report).ok();
    let report = report.and_then(|report| serde_json::from_slice::<Report>(&report).ok());
    report.is_some_and(|report| report.job != job.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(digit: &str) -> JobId {
        digit.repeat(32).parse().unwrap()
    }

    #[test]
    fn jobs_of_one_title_have_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let titles = ["Rust", "rust!", "Rust 2", "RUST"].map(|title| (title, job("0")));
        assert_eq!(of_all(folder.path(), titles.into_iter()), ["rust", "rust-2", "rust-2-2", "rust-3"]);
    }

    #[test]
    fn no_job_takes_the_place_of_another_and_each_finds_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for (digit, expected) in [("0", "rust"), ("1", "rust-2"), ("0", "rust"), ("1", "rust-2")] {
            let name = of_one(folder.path(), "Rust", job(digit));
            assert_eq!(name, expected);
            let report = folder.path().join(format!("{name}{REPORT}"));
            fs::write(report, format!(r#"{{"job": "{}"}}"#, job(digit))).unwrap();
        }
    }
}
