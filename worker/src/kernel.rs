//! Kernels: one for each kind of task, in a file of its own, in a folder for each pipeline.
//!
//! A kernel decides everything about its kind of task: what a model is asked (the context of its prompt's template), what
//! the answer must look like (a Rust type and its schema, with the handles that this call may use), what an answer is
//! worth (a product, or a reason to send it back), how work that is too long is halved, and what is made where no model
//! answers. Nothing here waits or calls; [`crate::perform`] does.

pub(crate) mod answer;
mod reply;
pub(crate) mod survey;

use bytes::Bytes;
use minijinja::Value;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tributary_protocol::{
    budget::Window,
    id::{CallId, Hasher},
    settings::Language,
    task::{Product, Work},
    wire::{self, WireError},
};

use crate::{
    model::{Call, Message, ReplySchema, json::find_json},
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
    pub(crate) fn new(product: T) -> Self {
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

/// How one kind of task is asked, how its answer is read, and what stands in for an answer.
pub trait Kernel: Send + Sync {
    type Reply: DeserializeOwned + JsonSchema;
    /// What the kernel's pipeline makes of tasks.
    type Product: Into<Product> + TryFrom<Product>;

    /// The values that the template of this kind names.
    fn context(&self) -> Value;

    /// The reply's schema with what this call offers, clean for strict modes.
    fn schema(&self) -> serde_json::Value;

    /// Tokens that a good reply has at most, its JSON included.
    fn reply_tokens(&self) -> u32;

    /// 0 for the likeliest reply.
    fn temperature(&self) -> f32 {
        0.3
    }

    /// The number of this try, where a question is asked several times and the answers are meant to differ.
    fn attempt(&self) -> Option<(u32, u32)> {
        None
    }

    /// The product of a reply, or its flaw.
    fn check(&self, reply: Self::Reply) -> Checked<Self::Product>;

    /// The product that the extractive model makes of the same work.
    fn fallback(&self) -> Self::Product;

    /// The work in two halves whose products can be joined without a further call; None where it can't be halved.
    fn halves(&self) -> Option<[Half; 2]> {
        None
    }

    /// One product of the halves' products.
    fn join(&self, one: Self::Product, _other: Self::Product) -> Self::Product {
        one
    }
}

/// A half of a task's work, with the bytes of the blobs that it refers to.
pub struct Half {
    pub work: Work,
    pub blobs: Vec<Bytes>,
}

/// The part of a prompt that all kernels of a pipeline share.
pub(crate) trait PromptFrame: Send + Sync {
    fn language(&self) -> Language;
    fn window(&self) -> Window;
    /// The system message.
    fn system(&self) -> String;
}

/// A kernel with its task, whatever the types of its reply and product.
pub(crate) trait Asking: Send + Sync {
    /// The first call.
    fn call(&self) -> Call;

    /// The product of a reply's text, or its flaw.
    fn read(&self, text: &str) -> Checked;

    /// See [`Kernel::fallback`].
    fn fallback(&self) -> Product;

    /// See [`Kernel::halves`].
    fn halves(&self) -> Option<[Half; 2]>;

    /// See [`Kernel::join`]. The first stands where the two are products of different pipelines, which no halves are.
    fn join(&self, one: Product, other: Product) -> Product;
}

struct Asked<'a, K> {
    kernel: K,
    kind: &'static str,
    frame: &'a dyn PromptFrame,
}

/// Makes a kernel ready to be asked by the name of its kind, which its template and its schema have too.
pub(crate) fn asked<'a, K: Kernel + 'a>(
    kernel: K,
    kind: &'static str,
    frame: &'a dyn PromptFrame,
) -> Box<dyn Asking + 'a> {
    Box::new(Asked { kernel, kind, frame })
}

impl<K: Kernel> Asking for Asked<'_, K> {
    fn call(&self) -> Call {
        let (kind, language) = (self.kind, self.frame.language());
        let messages = vec![
            Message::system(self.frame.system()),
            Message::user(prompt::render(language, kind, self.kernel.context())),
        ];
        let mut call = Call {
            messages,
            schema: ReplySchema { name: kind.to_owned(), schema: self.kernel.schema() },
            max_reply_tokens: self.kernel.reply_tokens(),
            temperature: self.kernel.temperature(),
            seed: None,
        };
        call.fit(self.frame.window());
        call.seed = Some(seed(&call, self.kernel.attempt()));
        call
    }

    fn read(&self, text: &str) -> Checked {
        let Some(json) = find_json(text) else { return Err(Flaw::fatal("it holds no complete JSON object")) };
        let mut reader = serde_json::Deserializer::from_str(json);
        match serde_path_to_error::deserialize(&mut reader) {
            Ok(reply) => match self.kernel.check(reply) {
                Ok(made) => Ok(made.map(Into::into)),
                Err(flaw) => Err(flaw.map(Into::into)),
            },
            Err(error) => {
                let path = error.path().to_string();
                let place = if path == "." { String::new() } else { format!("at {path}: ") };
                Err(Flaw::fatal(format!("{place}{}", error.inner())))
            }
        }
    }

    fn fallback(&self) -> Product {
        self.kernel.fallback().into()
    }

    fn halves(&self) -> Option<[Half; 2]> {
        self.kernel.halves()
    }

    fn join(&self, one: Product, other: Product) -> Product {
        match (K::Product::try_from(one.clone()), K::Product::try_from(other)) {
            (Ok(one), Ok(other)) => self.kernel.join(one, other).into(),
            _ => one,
        }
    }
}

/// The kernel of a task's work. `blobs` holds the bytes of [`Work::blobs`], in their order.
///
/// # Errors
///
/// A blob that can't be read.
pub(crate) fn of<'a>(work: &'a Work, blobs: &'a [Bytes]) -> Result<Box<dyn Asking + 'a>, WireError> {
    match work {
        Work::Survey(brief, work) => survey::of(brief, work, blobs),
        Work::Answer(brief, work) => Ok(answer::of(brief, work, blobs)),
    }
}

/// The first call that a language model is asked for a task; `blobs` holds the bytes of [`Work::blobs`], in their order.
///
/// # Errors
///
/// A blob that can't be read.
pub fn render(work: &Work, blobs: &[Bytes]) -> Result<Call, WireError> {
    Ok(of(work, blobs)?.call())
}

/// Equal questions have equal seeds, whichever job asks; tries of one question that are meant to differ don't.
fn seed(call: &Call, attempt: Option<(u32, u32)>) -> u64 {
    let mut hasher = Hasher::new("seed");
    hasher.part(&wire::fields(call));
    if let Some(attempt) = attempt {
        hasher.part(&wire::fields(&attempt));
    }
    u64::from_str_radix(&CallId::of(&hasher).to_string()[..16], 16).expect("an id is hexadecimal")
}
