//! The verdict of a kernel on a reply: a product, or a flaw.

use tributary_protocol::task::Product;

/// The verdict on a reply.
pub type ReplyVerdict<T = Product> = Result<ReplyProduct<T>, ReplyFlaw<T>>;

/// The product of a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyProduct<T = Product> {
    pub product: T,
    /// Removed citations of sources not offered in the call.
    pub citations_removed: u32,
}

impl<T> ReplyProduct<T> {
    /// A product without any removed citation.
    pub fn new(product: T) -> Self {
        Self { product, citations_removed: 0 }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> ReplyProduct<U> {
        ReplyProduct { product: change(self.product), citations_removed: self.citations_removed }
    }
}

/// A flaw of a reply, sent back to the model.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyFlaw<T = Product> {
    /// The reason, told to the model, and to people where no better reply comes.
    pub reason: String,
    /// A light flaw is told once; after that the reply is good enough.
    pub light: bool,
    /// The good part of the reply, where sufficient to go on with.
    pub usable: Option<Box<ReplyProduct<T>>>,
}

impl<T> ReplyFlaw<T> {
    /// A flaw without a usable part.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), light: false, usable: None }
    }

    /// A flaw with a usable part to fall back on.
    pub fn grave(reason: impl Into<String>, usable: ReplyProduct<T>) -> Self {
        Self { reason: reason.into(), light: false, usable: Some(Box::new(usable)) }
    }

    /// A flaw of a reply good enough to use, if the model doesn't do better.
    pub fn light(reason: impl Into<String>, usable: ReplyProduct<T>) -> Self {
        Self { reason: reason.into(), light: true, usable: Some(Box::new(usable)) }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> ReplyFlaw<U> {
        ReplyFlaw { reason: self.reason, light: self.light, usable: self.usable.map(|made| Box::new(made.map(change))) }
    }
}
