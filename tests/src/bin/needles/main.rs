//! Needles in haystacks of any size, as InfiniteBench has them, asked through the pipeline of `tributary ask`; and the
//! benchmark's own files.
//!
//!     cargo run --release -p tributary-tests --bin needles -- [--tokens 128000,1000000] [--windows 4096,128000] [--cases 10]
//!     cargo run --release -p tributary-tests --bin needles -- --infinitebench passkey.jsonl --model openai/NAME
//!
//! Needles are asked of two models that know nothing: the extractive one, and a simulated one that finds what is asked for
//! literally. What they miss is the pipeline's fault, so the exit code is 1 where they miss more than a bar allows.

mod asking;
mod infinitebench;
mod literal;
mod score;
mod task;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use tributary_protocol::{
    settings::{JobSettings, Language, Models},
    task::Usage,
};

use self::{
    asking::{Asked, Reader, Told},
    score::Task,
    task::NEEDLES,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures how many facts of long texts are found.
#[derive(Parser)]
struct Flags {
    /// Tokens of the texts
    #[arg(long, value_delimiter = ',', default_value = "128000,1000000")]
    tokens: Vec<u32>,
    /// Context windows of the models, in tokens
    #[arg(long, value_delimiter = ',', default_value = "4096,128000",
        value_parser = clap::value_parser!(u32).range(i64::from(JobSettings::LEAST_WINDOW)..))]
    windows: Vec<u32>,
    /// Cases of each task, the needle of each at another depth
    #[arg(long, default_value_t = 10, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    cases: usize,
    /// The first case's seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls at a time
    #[arg(long, default_value_t = 2, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    concurrency: usize,
    /// A file of the benchmark, named for its task, such as kv_retrieval.jsonl, in place of needles
    #[arg(long)]
    infinitebench: Option<PathBuf>,
    /// The model that the file is asked of: openai/NAME over OPENAI_BASE_URL
    #[arg(long, default_value = Models::EXTRACTIVE, requires = "infinitebench")]
    model: String,
    /// One line a case
    #[arg(long)]
    verbose: bool,
}

/// A row of the table.
struct Row {
    task: Task,
    tokens: Option<u32>,
    reader: Reader,
    cases: usize,
    score: f64,
    usage: Usage,
    took: Duration,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let flags = Flags::parse();
    println!("| task | tokens | window | model | right | calls | prompt tokens | s |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    if let Some(file) = &flags.infinitebench {
        let task = infinitebench::task_of(file)?;
        for window in &flags.windows {
            let mut row = Row::new(task, None, flags.reader(&flags.model, *window));
            for example in infinitebench::examples(file)? {
                let example = example?;
                let language = infinitebench::language(task);
                let asked = Asked { text: &example.context, question: example.question(task), language };
                row.add(&asked, &example.right(), flags.verbose).await?;
            }
            row.print();
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut missed = false;
    for tokens in &flags.tokens {
        for needle in NEEDLES {
            for window in &flags.windows {
                for model in [Models::EXTRACTIVE, literal::NAME] {
                    let mut row = Row::new(needle, Some(*tokens), flags.reader(model, *window));
                    row.hide_and_ask(*tokens, &flags).await?;
                    row.print();
                    missed |= row.share() < bar(needle);
                }
            }
        }
    }
    if missed {
        eprintln!("fewer are right than {:.0} %, of pairs {:.0} %", 100.0 * bar(NEEDLES[0]), 100.0 * bar(NEEDLES[2]));
    }
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The share of the cases that has to be right.
fn bar(needle: Task) -> f64 {
    if needle == Task::KvRetrieval { 0.98 } else { 1.0 }
}

impl Flags {
    fn reader(&self, model: &str, window: u32) -> Reader {
        Reader { model: model.to_owned(), window, concurrency: self.concurrency }
    }
}

impl Row {
    fn new(task: Task, tokens: Option<u32>, reader: Reader) -> Self {
        Self { task, tokens, reader, cases: 0, score: 0.0, usage: Usage::default(), took: Duration::ZERO }
    }

    /// Asks for every needle in a text of its own.
    async fn hide_and_ask(&mut self, tokens: u32, flags: &Flags) -> Result<()> {
        for case in 0..flags.cases {
            let made = task::case(self.task, tokens, task::depth(case, flags.cases), flags.seed + case as u64);
            let asked = Asked { text: &made.text, question: made.question, language: Language::En };
            self.add(&asked, &[made.answer], flags.verbose).await?;
        }
        Ok(())
    }

    async fn add(&mut self, asked: &Asked<'_>, right: &[String], verbose: bool) -> Result<()> {
        let Told { answer, tokens, usage, took } = self.reader.ask(asked).await?;
        let score = self.task.score(&answer, right);
        self.cases += 1;
        self.score += score;
        self.usage += usage;
        self.took += took;
        if verbose {
            let (case, seconds) = (self.cases, took.as_secs_f64());
            println!(
                "{case}: {score:.2} of {right:?}, {tokens} tokens, {} calls, {seconds:.1} s: {answer}",
                usage.calls
            );
        }
        Ok(())
    }

    fn share(&self) -> f64 {
        self.score / self.cases.max(1) as f64
    }

    fn print(&self) {
        let Self { task, tokens, reader, cases, score, usage, took } = self;
        let (tokens, window) = (tokens.map(grouped).unwrap_or_default(), grouped(reader.window));
        let score = if score.fract() == 0.0 { format!("{score}") } else { format!("{score:.1}") };
        println!(
            "| {} | {tokens} | {window} | {} | {score} of {cases} | {} | {:.2} M | {:.1} |",
            task.name(),
            reader.model,
            grouped(usage.calls),
            usage.prompt_tokens as f64 / 1e6,
            took.as_secs_f64(),
        );
    }
}

/// A number with its digits in groups of three.
fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap_or("")).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn needles_are_found_by_both_models_through_a_small_window() {
        for needle in NEEDLES {
            for model in [Models::EXTRACTIVE, literal::NAME] {
                let reader = Reader { model: model.to_owned(), window: 4_096, concurrency: 2 };
                let mut row = Row::new(needle, None, reader);
                let flags = Flags::parse_from(["needles", "--cases", "3"]);
                row.hide_and_ask(8_000, &flags).await.unwrap();
                assert_eq!(row.score, 3.0, "{needle:?} {model}");
            }
        }
    }

    #[test]
    fn digits_stand_in_threes() {
        assert_eq!([grouped(7), grouped(4_096), grouped(1_000_000)], ["7", "4,096", "1,000,000"]);
    }
}
