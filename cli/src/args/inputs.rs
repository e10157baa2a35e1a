//! Arguments that several commands share: inputs and settings.

use std::path::PathBuf;

use clap::{Args as ArgGroup, builder::PossibleValuesParser};
use tributary_protocol::task::Kind;

/// The sources of the articles.
#[derive(Clone, Debug, ArgGroup)]
pub struct Inputs {
    /// JSONL files, documents (Markdown, text, HTML, PDF) or folders of them
    ///
    /// Each line of a JSONL file is a survey, {"title", "papers": [{"title", "abstract"?, "txt", "url"?, ...}]}, and
    /// becomes an article. Documents and folders together become one article, titled by --title.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// The title of the article made from documents and folders
    #[arg(long, value_name = "TITLE")]
    pub title: Option<String>,
}

impl Inputs {
    /// Returns the inputs with the question as the title, if no title is set.
    pub fn titled(self, question: Option<&str>) -> Self {
        Self { title: self.title.or_else(|| question.map(str::to_owned)), ..self }
    }
}

/// Settings with a flag. Flags outrank the environment and the file.
#[derive(Clone, Debug, Default, ArgGroup)]
#[command(next_help_heading = "Settings")]
pub struct SettingsArgs {
    /// The model to use: openai/NAME, gemini/NAME or extractive
    ///
    /// `openai/NAME` is any server with OpenAI's chat completions API (set the address with OPENAI_BASE_URL).
    /// `gemini/NAME` is Google's own API. `extractive` needs neither key nor server and quotes the sources.
    #[arg(short, long)]
    pub model: Option<String>,
    /// Use another model for one kind of task, such as write=openai/gpt-4.1; repeatable
    ///
    /// Kinds: group, outline, merge-outlines, digest, feedback, score, convolve, refine, condense, write, introduce,
    /// illustrate; for answers: find, collapse, conclude. Most calls are digests: combine a cheap model for `digest`
    /// with a strong model for `write`.
    #[arg(long, value_name = "KIND=MODEL", value_parser = model_for)]
    pub model_for: Vec<(Kind, String)>,
    /// The folder for articles, reports and state [default: tributary-out]
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Most calls at a time [default: 16; with the extractive model, the number of processor cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// The seed of all randomness: equal seeds, settings, sources and replies give equal articles [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// The language of the article [default: en]
    #[arg(long, value_parser = PossibleValuesParser::new(["en", "zh"]))]
    pub language: Option<String>,
    /// The genre of the article [default: survey]
    #[arg(long, value_parser = PossibleValuesParser::new(["survey", "guide", "report"]))]
    pub genre: Option<String>,
    /// The smallest context window among the models used, in tokens [default: 128000]
    #[arg(long, value_name = "TOKENS")]
    pub window: Option<u32>,
    /// The settings file, which must exist [default: tributary.toml, if present]
    #[arg(long, value_name = "FILE", env = "TRIBUTARY_CONFIG")]
    pub config: Option<PathBuf>,
}

fn model_for(text: &str) -> Result<(Kind, String), String> {
    match text.split_once('=') {
        Some((kind, model)) if !model.trim().is_empty() => Ok((kind.trim().parse()?, model.trim().to_owned())),
        _ => Err("expected KIND=MODEL, such as write=openai/gpt-4.1".to_owned()),
    }
}
