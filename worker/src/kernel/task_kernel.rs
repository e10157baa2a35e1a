//! A kernel with its task, whatever the types of its reply and product: the call it makes, the replies it reads.

use tributary_protocol::{
    id::{CallId, Hasher},
    task::Product,
    wire,
};

use super::{
    contract::{HalfWork, Kernel, PromptFrame},
    reply::error_text::error_text,
    verdict::{ReplyFlaw, ReplyVerdict},
};
use crate::{
    model::{ChatMessage, ModelCall, ReplySchema, ReplyText},
    prompt,
};

/// A kernel with its task, whatever the types of its reply and product.
pub(crate) trait TaskKernel: Send + Sync {
    /// The first call.
    fn call(&self) -> ModelCall;

    /// The product of a reply, or a flaw.
    fn read(&self, reply: &ReplyText) -> ReplyVerdict;

    /// See [`Kernel::fallback`].
    fn fallback(&self) -> Product;

    /// See [`Kernel::halves`].
    fn halves(&self) -> Option<[HalfWork; 2]>;

    /// See [`Kernel::join`]. The first stands where the two are products of different pipelines, which no halves are.
    fn join(&self, one: Product, other: Product) -> Product;
}

struct FramedKernel<'a, K> {
    kernel: K,
    kind: &'static str,
    frame: &'a dyn PromptFrame,
}

/// Binds a kernel to the name of its kind, shared with its template and schema.
pub(crate) fn framed<'a, K: Kernel + 'a>(
    kernel: K,
    kind: &'static str,
    frame: &'a dyn PromptFrame,
) -> Box<dyn TaskKernel + 'a> {
    Box::new(FramedKernel { kernel, kind, frame })
}

impl<K: Kernel> TaskKernel for FramedKernel<'_, K> {
    fn call(&self) -> ModelCall {
        let (kind, language) = (self.kind, self.frame.language());
        let messages = vec![
            ChatMessage::system(self.frame.system()),
            ChatMessage::user(prompt::render(language, kind, self.kernel.context())),
        ];
        let mut call = ModelCall {
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

    fn read(&self, reply: &ReplyText) -> ReplyVerdict {
        let Some(json) = reply.json() else { return Err(ReplyFlaw::fatal("it holds no complete JSON object")) };
        let mut reader = serde_json::Deserializer::from_str(json);
        match serde_path_to_error::deserialize(&mut reader) {
            Ok(reply) => match self.kernel.check(reply) {
                Ok(made) => Ok(made.map(Into::into)),
                Err(flaw) => Err(flaw.map(Into::into)),
            },
            Err(error) => {
                let path = error.path().to_string();
                let place = if path == "." { String::new() } else { format!("at {path}: ") };
                Err(ReplyFlaw::fatal(format!("{place}{}", error_text(error.inner()))))
            }
        }
    }

    fn fallback(&self) -> Product {
        self.kernel.fallback().into()
    }

    fn halves(&self) -> Option<[HalfWork; 2]> {
        self.kernel.halves()
    }

    fn join(&self, one: Product, other: Product) -> Product {
        match (K::Product::try_from(one.clone()), K::Product::try_from(other)) {
            (Ok(one), Ok(other)) => self.kernel.join(one, other).into(),
            _ => one,
        }
    }
}

/// The seed of a call. Equal calls of all jobs have equal seeds; several attempts at a question have different seeds.
fn seed(call: &ModelCall, attempt: Option<(u32, u32)>) -> u64 {
    let mut hasher = Hasher::new("seed");
    hasher.part(&wire::fields(call));
    if let Some(attempt) = attempt {
        hasher.part(&wire::fields(&attempt));
    }
    u64::from_str_radix(&CallId::of(&hasher).to_string()[..16], 16).expect("an id is hexadecimal")
}
