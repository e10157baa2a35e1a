//! The long texts of `--help`.

use crate::exit;

pub const ABOUT: &str = "\
Turns a corpus too large for any context window into one long article that cites it.

Sources are mapped to digests, digests are merged in convolution rounds that keep the best outlines, and the article is \
written bottom-up from the result (LLM×MapReduce-V2, arXiv 2504.05732). Every citation names a source that was read; what \
was degraded or dropped stands in the report.";

pub const RUN: &str = "\
Make the articles, here, in this process.

For each article DIR gets md/SLUG.md (the article), SLUG.jsonl (the same for programs) and SLUG.report.json (sources used \
and cited, calls, tokens, cost and time by stage, and all that was degraded or dropped). Their paths are printed on \
stdout, a line each; everything else goes to stderr.

The state lives in DIR/.tributary. A run that ended early, however it ended, goes on where it was when the same command \
is given again, and no answered call is paid for twice.";

pub const ASK: &str = "\
Answer a question from the sources, here, in this process (LLM×MapReduce-V1, arXiv 2410.09342).

Every chunk of every source is read for the question; findings are merged until one prompt holds them, and the last call \
answers. The answer is printed on stdout, with its confidence from 0 to 5, the quotes that it rests on (each found in its \
source word for word, with heading and page) and what speaks against it. Where the sources don't say, the answer says so. \
DIR gets SLUG.answer.md, SLUG.answer.json and SLUG.report.json.

Without a model, the sentences that share the most telling words with the question are the answer.

A question that was interrupted goes on where it was when the same command is given again.";

pub const PLAN: &str = "\
Say what a run would cost, by stage: calls, prompt and reply tokens, and money where a price is set. Nothing is spent: no \
model is asked.

Prices are settings, in US dollars a million tokens:

  [prices.\"openai/gpt-4.1-mini\"]
  prompt = 0.40
  cached_prompt = 0.10
  reply = 1.60";

pub const COORDINATOR: &str = "\
Hold jobs of a cluster: claim them, run them, keep what came of them.

Any number of coordinators may run. A job that one of them holds goes to another when it has been silent for nats.lease \
seconds, and goes on where it was. SIGTERM hands all jobs back. NATS is found by TRIBUTARY_NATS_URL or the settings' [nats] \
section.";

pub const WORKER: &str = "\
Do the work of a cluster's jobs: pull tasks, ask models, record outcomes.

Keys and addresses of models are this process's own; which model does a task is the job's affair. With --model only tasks \
of these models are done; others are passed on to workers that serve them, as often as need be.

Where a model can't be used here, for a wrong key or a network of its own, its tasks are left to workers that can use it, and \
this one is not ready; only where none can, jobs stop.

SIGTERM drains: nothing new is pulled, what runs may end within cluster.grace seconds, and what doesn't is handed back.";

pub const SUBMIT: &str = "\
Hand jobs in to a cluster, and print their ids on stdout, a line each.

Inputs and settings are those of `run`. A job's id is made from its sources, settings and seed: to submit it again changes \
nothing while it is out or done, and makes it go on where it was after its model failed.";

pub const DOCTOR: &str = "\
Check all that jobs need, and say what to do where something is missing: is NATS there, does it take this login, is \
JetStream on, are the streams right, does each model answer, does it take a schema. Each model is asked for a few tokens. \
The exit code is 0 where all is well and 1 where something is not.";

pub const CONFIG: &str = "\
Print the settings in effect as TOML, each with where it comes from. Secrets are hidden. The output is a valid \
tributary.toml: keep what you want to change.";

pub const COMPLETIONS: &str = "\
Print a shell's completions, to be put where the shell looks for them:

  bash  tributary completions bash > ~/.local/share/bash-completion/completions/tributary
  zsh   tributary completions zsh > \"${fpath[1]}/_tributary\"
  fish  tributary completions fish > ~/.config/fish/completions/tributary.fish";

pub const SHORT_END: &str = "`--help` shows examples, settings, environment and exit codes.";

const EXAMPLES: &str = "
  tributary run surveys.jsonl
      an article a line, without key or server: the extractive model quotes the sources

  tributary run papers/ --title \"Retrieval for language models\" --model openai/gpt-4.1-mini
      one article from a folder of PDFs, Markdown, text and HTML (OPENAI_API_KEY must be set)

  tributary plan papers/ --title T --model openai/gpt-4.1-mini --model-for write=openai/gpt-4.1
      what that would cost, with a stronger model for writing

  export OPENAI_BASE_URL=http://localhost:11434/v1
  tributary run papers/ --title T --model openai/qwen3:8b --window 32000
      a model on this machine (Ollama, llama.cpp, vLLM) and its window";

const SETTINGS: &str = "
  Each of these outranks those before it:
    1. defaults, the parameters of LLM×MapReduce-V2
    2. tributary.toml in the working directory, or the file that --config names
    3. OPENAI_*, GOOGLE_* and GEMINI_* variables
    4. TRIBUTARY_* variables, with __ between levels: TRIBUTARY_CONVOLUTION__LAYERS=4
    5. flags
  `tributary config` prints them all, with where each comes from. An unknown setting is an error.";

const ENVIRONMENT: &str = "
  OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_API_BASE   key and address for openai/ models
  GOOGLE_API_KEY, GEMINI_API_KEY                     key for gemini/ models
  TRIBUTARY_*                                        any setting, as text or TOML
  TRIBUTARY_NATS_URL                                 where the cluster's NATS is: nats://host:4222
  TRIBUTARY_CONFIG                                   the settings file, as --config
  OTEL_EXPORTER_OTLP_ENDPOINT                        the OpenTelemetry collector that traces go to
  TRIBUTARY_LOG                                      a log filter: warn,tributary=debug
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NO_COLOR        as everywhere";

/// What stands below the options in `tributary --help`.
pub fn end() -> String {
    format!("Examples:{EXAMPLES}\n\nSettings:{SETTINGS}\n\nEnvironment:{ENVIRONMENT}\n\nExit codes:\n{}", exit::TABLE)
}
