//! Kernels: one for each kind of task, in a file of its own.
//!
//! A kernel says what a model is asked (the context of its prompt's template), what the answer must look like (a Rust type
//! and its schema, with the handles that this call may use), and what the answer is worth: a product, or a reason to send
//! it back. Nothing here waits or calls; [`crate::perform`] does.

mod citations;
mod condense;
mod convolve;
mod digest;
mod feedback;
mod fit;
mod form;
mod group;
mod illustrate;
mod introduce;
mod lexicon;
mod lineage;
mod merge_outlines;
mod outline;
mod passage;
mod refine;
mod reply;
mod score;
mod sections;
mod write;

#[cfg(test)]
mod tests;

use minijinja::Value;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tributary_protocol::{
    budget::count,
    id::{CallId, Hasher},
    task::{Brief, Kind, Product, Task, Work},
    wire,
};

pub(crate) use self::fit::notes as fit_notes;
use crate::{
    model::{Call, Message, ReplySchema, extractive::Texts, json::find_json},
    prompt,
};

/// What a reply was worth: something made, or a flaw.
pub type Checked<T = Product> = Result<Made<T>, Flaw<T>>;

/// What came of a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Made<T = Product> {
    pub product: T,
    /// Citations of sources that the call didn't offer, taken out.
    pub citations_removed: u32,
}

impl<T> Made<T> {
    fn new(product: T) -> Self {
        Self { product, citations_removed: 0 }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Made<U> {
        Made { product: change(self.product), citations_removed: self.citations_removed }
    }
}

/// What is wrong with a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw<T = Product> {
    /// Told to the model, and to people where nothing better comes.
    pub reason: String,
    /// A light flaw is told once; after that the reply is as good as any.
    pub light: bool,
    /// What is good of the reply, where that is enough to go on with.
    pub usable: Option<Box<Made<T>>>,
}

impl<T> Flaw<T> {
    fn fatal(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), light: false, usable: None }
    }

    fn grave(reason: impl Into<String>, usable: Made<T>) -> Self {
        Self { reason: reason.into(), light: false, usable: Some(Box::new(usable)) }
    }

    fn light(reason: impl Into<String>, usable: Made<T>) -> Self {
        Self { reason: reason.into(), light: true, usable: Some(Box::new(usable)) }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Flaw<U> {
        Flaw { reason: self.reason, light: self.light, usable: self.usable.map(|made| Box::new(made.map(change))) }
    }
}

/// How one kind of task is asked and its answer read.
pub trait Kernel: Send + Sync {
    type Reply: DeserializeOwned + JsonSchema;

    /// What the template of this kind names.
    fn context(&self) -> Value;

    /// The reply's schema with what this call offers, clean for strict modes.
    fn schema(&self) -> serde_json::Value;

    /// Tokens that a good reply has at most, its JSON included.
    fn reply_tokens(&self) -> u32;

    fn check(&self, reply: Self::Reply) -> Checked;
}

/// A kernel with its task, whatever its reply's type.
pub(crate) trait Asking: Send + Sync {
    /// The first call.
    fn call(&self) -> Call;

    /// What the text of a reply is worth.
    fn read(&self, text: &str) -> Checked;
}

struct Asked<'a, K> {
    kernel: K,
    work: &'a Work,
    brief: &'a Brief,
}

impl<K: Kernel> Asking for Asked<'_, K> {
    fn call(&self) -> Call {
        let kind = self.work.kind();
        let language = self.brief.language;
        let messages = vec![
            Message::system(prompt::system(language, self.brief.genre)),
            Message::user(prompt::render(language, kind.name(), self.kernel.context())),
        ];
        let mut call = Call {
            messages,
            schema: ReplySchema { name: kind.name().to_owned(), schema: self.kernel.schema() },
            max_reply_tokens: self.kernel.reply_tokens(),
            temperature: if kind == Kind::Refine { 0.7 } else { 0.3 },
            seed: None,
        };
        fit_reply(&mut call, self.brief);
        call.seed = Some(seed(&call, self.work));
        call
    }

    fn read(&self, text: &str) -> Checked {
        let Some(json) = find_json(text) else { return Err(Flaw::fatal("it holds no complete JSON object")) };
        let mut reader = serde_json::Deserializer::from_str(json);
        match serde_path_to_error::deserialize(&mut reader) {
            Ok(reply) => self.kernel.check(reply),
            Err(error) => {
                let path = error.path().to_string();
                let place = if path == "." { String::new() } else { format!("at {path}: ") };
                Err(Flaw::fatal(format!("{place}{}", error.inner())))
            }
        }
    }
}

/// The kernel of a task's work. `texts` holds what the work refers to by blob.
pub(crate) fn of<'a>(work: &'a Work, brief: &'a Brief, texts: &'a Texts) -> Box<dyn Asking + 'a> {
    fn asked<'a, K: Kernel + 'a>(kernel: K, work: &'a Work, brief: &'a Brief) -> Box<dyn Asking + 'a> {
        Box::new(Asked { kernel, work, brief })
    }
    match work {
        Work::Group { sources, size } => asked(group::Group { brief, sources, size: *size }, work, brief),
        Work::Outline { sources } => asked(outline::Outline::new(brief, sources, &texts.cards), work, brief),
        Work::MergeOutlines { outlines } => asked(merge_outlines::MergeOutlines { brief, outlines }, work, brief),
        Work::Digest { source, text: _, part, outline, only } => {
            asked(digest::Digest::new(brief, source, &texts.chunk, *part, outline, only), work, brief)
        }
        Work::Feedback { outline, digests } => asked(feedback::Feedback { brief, outline, digests }, work, brief),
        Work::Score { outline } => asked(score::Score { brief, outline }, work, brief),
        Work::Convolve { members } => asked(convolve::Convolve { brief, members }, work, brief),
        Work::Refine { outline, .. } => asked(refine::Refine { brief, outline }, work, brief),
        Work::Condense { section, notes, room } => {
            asked(condense::Condense { brief, section, notes, room: *room }, work, brief)
        }
        Work::Write { section, notes, words } => {
            asked(write::Write { brief, section, notes, words: *words }, work, brief)
        }
        Work::Introduce { section, children, words } => {
            let section = section.as_ref();
            asked(introduce::Introduce { brief, section, children, words: *words }, work, brief)
        }
        Work::Illustrate { section, notes } => asked(illustrate::Illustrate { brief, section, notes }, work, brief),
    }
}

/// The first call that a language model is asked for a task; `texts` holds what its work refers to by blob.
pub fn render(task: &Task, texts: &Texts) -> Call {
    of(&task.work, &task.brief, texts).call()
}

/// Tokens of a call's prompt: its messages, and its schema, which some servers show to the model.
pub fn prompt_tokens(call: &Call) -> u32 {
    message_tokens(call) + count(&call.schema.schema.to_string())
}

/// Tokens of a call's messages: what every server counts.
pub fn message_tokens(call: &Call) -> u32 {
    /// What a chat's format adds for each message.
    const FRAME: u32 = 4;
    call.messages.iter().map(|message| count(&message.text) + FRAME).sum()
}

/// The fewest tokens that a reply may be left with.
pub(crate) const LEAST_REPLY: u32 = 48;

/// Lowers the reply's ceiling to what the window leaves beside the prompt. False where that is nothing worth asking for.
pub(crate) fn fit_reply(call: &mut Call, brief: &Brief) -> bool {
    let left = brief.window.usable().saturating_sub(prompt_tokens(call));
    call.max_reply_tokens = call.max_reply_tokens.min(left.max(LEAST_REPLY));
    left >= LEAST_REPLY
}

/// Equal questions have equal seeds, whichever job asks; tries of one question that are meant to differ don't.
fn seed(call: &Call, work: &Work) -> u64 {
    let mut hasher = Hasher::new("seed");
    hasher.part(&wire::fields(call));
    if let Work::Refine { round, attempt, .. } = work {
        hasher.part(&wire::fields(&(round, attempt)));
    }
    u64::from_str_radix(&CallId::of(&hasher).to_string()[..16], 16).expect("an id is hexadecimal")
}
