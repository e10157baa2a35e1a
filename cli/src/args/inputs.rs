//! The arguments that several commands share: inputs and settings.

use std::path::PathBuf;

use clap::{Args as ArgGroup, builder::PossibleValuesParser};
use tributary_protocol::task::Kind;

/// What the articles are made from.
#[derive(Clone, Debug, ArgGroup)]
pub struct Inputs {
    /// JSONL files, documents (Markdown, text, HTML, PDF) or folders of them
    ///
    /// A line of a JSONL file is a survey, {"title", "papers": [{"title", "abstract"?, "txt", "url"?, ...}]}, and several
    /// lines are several articles. Documents and folders make one article together, whose title --title gives.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// The title of the article that documents and folders make
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,
}

impl Inputs {
    /// The same inputs; a question stands for a title where there is none.
    pub fn titled(self, question: Option<&str>) -> Self {
        Self { title: self.title.or_else(|| question.map(str::to_owned)), ..self }
    }
}

/// Settings that have a flag; each outranks the environment and the file.
#[derive(Clone, Debug, Default, ArgGroup)]
#[command(next_help_heading = "Settings")]
pub struct SettingsArgs {
    /// The model that does the work: openai/NAME, gemini/NAME or extractive
    ///
    /// `openai/NAME` is any server that speaks OpenAI's chat completions (OPENAI_BASE_URL says where), `gemini/NAME` is
    /// Google's own API, and `extractive` needs neither key nor server: it quotes the sources.
    #[arg(short, long)]
    pub model: Option<String>,
    /// Another model for one kind of task, such as write=openai/gpt-4.1; repeatable
    ///
    /// Kinds: group, outline, merge-outlines, digest, feedback, score, convolve, refine, condense, write, introduce,
    /// illustrate; for answers: find, collapse, conclude. Most calls are digests: a cheap model there and a strong one for `write` go together well.
    #[arg(long, value_name = "KIND=MODEL", value_parser = model_for)]
    pub model_for: Vec<(Kind, String)>,
    /// The folder that articles, reports and the state are written to [default: tributary-out]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The most calls at a time [default: 16; with the extractive model, the processor's cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// The only source of chance: equal seeds, settings, sources and replies give equal articles [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// The language to write in [default: en]
    #[arg(long, value_parser = PossibleValuesParser::new(["en", "zh"]))]
    pub language: Option<String>,
    /// What kind of text the article is [default: survey]
    #[arg(long, value_parser = PossibleValuesParser::new(["survey", "guide", "report"]))]
    pub genre: Option<String>,
    /// The smallest context window of the models in use, in tokens [default: 128000]
    #[arg(long, value_name = "TOKENS")]
    pub window: Option<u32>,
    /// The settings file; it must exist [default: tributary.toml, where there is one]
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,
}

fn model_for(text: &str) -> Result<(Kind, String), String> {
    match text.split_once('=') {
        Some((kind, model)) if !model.trim().is_empty() => Ok((kind.trim().parse()?, model.trim().to_owned())),
        _ => Err("KIND=MODEL is needed, such as write=openai/gpt-4.1".to_owned()),
    }
}
