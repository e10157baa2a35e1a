//! Writes a generated corpus of any size to standard output, as a survey in JSONL.
//!
//!     cargo run --release -p tributary-tests --bin corpus -- --sources 100000 --words 300 > /tmp/corpus.jsonl

use std::io::{BufWriter, Write, stdout};

use clap::Parser;
use tributary_tests::corpus::Corpus;

/// Generates a corpus. Equal flags generate equal corpora.
#[derive(Parser)]
struct Flags {
    #[arg(long, default_value = "Of many things")]
    title: String,
    #[arg(long)]
    sources: usize,
    /// Approximate number of words per source
    #[arg(long, default_value_t = 1_000)]
    words: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let Flags { title, sources, words, seed } = Flags::parse();
    let mut out = BufWriter::new(stdout().lock());
    Corpus::stream(&title, sources, words, seed, &mut out)?;
    Ok(out.flush()?)
}
