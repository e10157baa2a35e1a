//! Where articles go: each job has files of its own, whatever other jobs are called.

use std::{collections::HashSet, fs, iter, path::Path};

use serde::Deserialize;
use tributary_coordinator::{ingest::slug, reduce::output::Files};
use tributary_protocol::id::JobId;

/// The files of a job in this folder.
pub fn of_one(folder: &Path, title: &str, job: JobId) -> Files {
    free(folder, title, job, |_| true)
}

/// The files of jobs in this folder, no two alike.
pub fn of_all<'a>(folder: &Path, jobs: impl Iterator<Item = (&'a str, JobId)>) -> Vec<Files> {
    let mut taken = HashSet::new();
    jobs.map(|(title, job)| free(folder, title, job, |name| taken.insert(name.to_owned()))).collect()
}

/// The files of the first name of `title`, `title-2`, `title-3` that is free for the job and that the caller takes.
fn free(folder: &Path, title: &str, job: JobId, mut takes: impl FnMut(&str) -> bool) -> Files {
    let slug = slug(title);
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    let mut names = iter::once(slug.clone()).chain(numbered);
    let name = names.find(|name| !holds_another(&Files::of(folder, name), job) && takes(name));
    Files::of(folder, &name.expect("numbers don't end"))
}

/// Whether another job's article is there, as far as its report says.
fn holds_another(files: &Files, job: JobId) -> bool {
    #[derive(Deserialize)]
    struct Report {
        job: String,
    }
    let report = fs::read(&files.report).ok();
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
    fn articles_of_one_title_have_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let titles = ["Rust", "rust!", "Rust 2", "RUST"].map(|title| (title, job("0")));
        let names: Vec<_> = of_all(folder.path(), titles.into_iter()).iter().map(name).collect();
        assert_eq!(names, ["rust", "rust-2", "rust-2-2", "rust-3"].map(|slug| format!("{slug}.jsonl")));
    }

    #[test]
    fn no_job_takes_the_place_of_another_and_each_finds_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for (digit, expected) in
            [("0", "rust.jsonl"), ("1", "rust-2.jsonl"), ("0", "rust.jsonl"), ("1", "rust-2.jsonl")]
        {
            let files = of_one(folder.path(), "Rust", job(digit));
            assert_eq!(name(&files), expected);
            fs::write(&files.report, format!(r#"{{"job": "{}"}}"#, job(digit))).unwrap();
        }
    }

    fn name(files: &Files) -> String {
        files.jsonl.file_name().unwrap().to_string_lossy().into_owned()
    }
}
