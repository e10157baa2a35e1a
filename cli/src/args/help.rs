//! The long texts of `--help`.

use crate::exit;

pub const ABOUT: &str = "\
Turns a corpus too large for any context window into one long article that cites it.

Sources are mapped to digests, digests are merged in convolution rounds that keep the best outlines, and the article is \
written bottom-up from the result (LLM×MapReduce-V2, arXiv 2504.05732). Every citation names a source that was read; what \
was degraded or dropped stands in the report.";

pub const RUN: &str = "\
Write articles in this process.

For each article DIR gets md/SLUG.md (the article), SLUG.jsonl (the article for programs) and SLUG.report.json (sources used \
and cited, calls, tokens, cost and time by stage, and all that was degraded or dropped). Their paths are printed on \
stdout, one per line; everything else goes to stderr.

The state lives in DIR/.tributary. A run that ended early, for whatever reason, resumes when the same command is given again, \
and no answered call is paid for twice.";

pub const ASK: &str = "\
Answer a question from the sources in this process (LLM×MapReduce-V1, arXiv 2410.09342).

Every chunk of every source is read for the question; findings are merged until one prompt holds them, and the last call \
answers. The answer is printed on stdout, with its confidence from 0 to 5, the quotes that it rests on (each found in its \
source word for word, with heading and page) and what speaks against it. Where the sources don't say, the answer says so. \
DIR gets SLUG.answer.md, SLUG.answer.json and SLUG.report.json.

Without a model, the answer consists of the sentences that share the most telling words with the question.

An interrupted run resumes when the same command is given again.";

pub const PLAN: &str = "\
Estimate the cost of a run by stage: calls, prompt and reply tokens, and money where a price is set. Nothing is spent: no \
model is asked.

Prices are settings, in US dollars per million tokens:

  [prices.\"openai/gpt-4.1-mini\"]
  prompt = 0.40
  cached_prompt = 0.10
  reply = 1.60";

pub const COORDINATOR: &str = "\
Run a cluster's coordinator: claim jobs, run them, keep their results.

Any number of coordinators may run. If a coordinator is silent for nats.lease seconds, its jobs are redelivered to others and \
resume there. SIGTERM releases all jobs. Set the address of NATS with TRIBUTARY_NATS_URL or in the settings' [nats] \
section.";

pub const WORKER: &str = "\
Run a cluster's worker: pull tasks, ask models, record outcomes.

Keys and addresses of models are settings of this process; the job chooses the model of each task. With --model only tasks \
of these models are performed; other tasks are requeued for workers that serve their models.

If a model is unavailable on this worker (a wrong key, a separate network), its tasks are left to workers that can use it, and \
this worker is not ready. Jobs stop only if no worker can use the model.

SIGTERM drains the worker: no new task is pulled, running tasks get cluster.grace seconds to finish, the rest is requeued.";

pub const SUBMIT: &str = "\
Submit jobs to a cluster and print their ids on stdout, one per line.

Inputs and settings are those of `run`. A job's id is made from its sources, settings and seed: to submit a job again changes \
nothing while the job is queued, running or done, and resumes the job after a failure of its model.";

pub const DOCTOR: &str = "\
Check everything that jobs need, and print a remedy for every failed check: NATS can be reached and accepts this login, \
JetStream is on, the streams are right, each model answers and takes a schema. Each model is asked for a few tokens. \
The exit code is 0 if every check passes, else 1.";

pub const CONFIG: &str = "\
Print the settings in effect as TOML, each with its origin. Secrets are hidden. The output is a valid \
tributary.toml: keep the lines to change.";

pub const COMPLETIONS: &str = "\
Print completions for a shell, to be saved where the shell looks for them:

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
  `tributary config` prints all settings with their origins. An unknown setting is an error.";

const ENVIRONMENT: &str = "
  OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_API_BASE   key and address for openai/ models
  GOOGLE_API_KEY, GEMINI_API_KEY                     key for gemini/ models
  TRIBUTARY_*                                        any setting, as text or TOML
  TRIBUTARY_NATS_URL                                 the address of the cluster's NATS: nats://host:4222
  TRIBUTARY_CONFIG                                   the settings file, as --config
  OTEL_EXPORTER_OTLP_ENDPOINT                        the address of the OpenTelemetry collector for traces
  TRIBUTARY_LOG                                      a log filter: warn,tributary=debug
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NO_COLOR        as everywhere";

/// Returns the text below the options in `tributary --help`.
pub fn end() -> String {
    format!("Examples:{EXAMPLES}\n\nSettings:{SETTINGS}\n\nEnvironment:{ENVIRONMENT}\n\nExit codes:\n{}", exit::TABLE)
}
