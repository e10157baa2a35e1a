//! The contract of a kernel: all decisions about one kind of task.

use bytes::Bytes;
use minijinja::Value;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tributary_protocol::{
    budget::Window,
    settings::Language,
    task::{Product, Work},
};

use super::verdict::ReplyVerdict;

/// The decisions about one kind of task: the question, the check of a reply, and the stand-in for a reply.
///
/// ```
/// use minijinja::{Value, context};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
/// use tributary_protocol::survey::{SurveyProduct, suggestion::OutlineScore};
/// use tributary_worker::kernel::{Kernel, ReplyFlaw, ReplyProduct, ReplyVerdict};
///
/// /// Asks how good an outline is.
/// struct GradeKernel {
///     outline: String,
/// }
///
/// #[derive(Deserialize, JsonSchema)]
/// struct GradeReply {
///     grade: f64,
/// }
///
/// impl Kernel for GradeKernel {
///     type Reply = GradeReply;
///     type Product = SurveyProduct;
///
///     fn context(&self) -> Value {
///         context! { outline => self.outline.as_str() }
///     }
///
///     fn schema(&self) -> serde_json::Value {
///         schemars::schema_for!(GradeReply).to_value()
///     }
///
///     fn reply_tokens(&self) -> u32 {
///         50
///     }
///
///     fn check(&self, reply: GradeReply) -> ReplyVerdict<SurveyProduct> {
///         let score = OutlineScore { structure: reply.grade, descriptions: reply.grade };
///         match reply.grade {
///             0.0..=10.0 => Ok(ReplyProduct::new(SurveyProduct::Score(score))),
///             _ => Err(ReplyFlaw::fatal("grades are from 0 to 10")),
///         }
///     }
///
///     fn fallback(&self) -> SurveyProduct {
///         SurveyProduct::Score(OutlineScore { structure: 5.0, descriptions: 5.0 })
///     }
/// }
///
/// let kernel = GradeKernel { outline: "1. Tides".to_owned() };
/// let flaw = kernel.check(GradeReply { grade: 11.0 }).unwrap_err();
/// assert_eq!(flaw.reason, "grades are from 0 to 10");
/// ```
pub trait Kernel: Send + Sync {
    type Reply: DeserializeOwned + JsonSchema;
    /// The products of the kernel's pipeline.
    type Product: Into<Product> + TryFrom<Product>;

    /// The values for the prompt's template.
    fn context(&self) -> Value;

    /// The reply's schema with the handles on offer, clean for strict modes.
    fn schema(&self) -> serde_json::Value;

    /// The most tokens of a good reply, JSON included.
    fn reply_tokens(&self) -> u32;

    /// The temperature of the call: 0 for the likeliest reply.
    fn temperature(&self) -> f32 {
        0.3
    }

    /// The number of this attempt, where a question is asked several times for different answers.
    fn attempt(&self) -> Option<(u32, u32)> {
        None
    }

    /// The product of a reply, or a flaw.
    fn check(&self, reply: Self::Reply) -> ReplyVerdict<Self::Product>;

    /// The product of the extractive model for the same work.
    fn fallback(&self) -> Self::Product;

    /// The work in two halves, whose products [`Kernel::join`] joins without a further call. None for indivisible work.
    fn halves(&self) -> Option<[HalfWork; 2]> {
        None
    }

    /// Joins the products of two halves.
    fn join(&self, one: Self::Product, _other: Self::Product) -> Self::Product {
        one
    }
}

/// A half of a task's work, with the bytes of the blobs that the half refers to.
pub struct HalfWork {
    pub work: Work,
    pub blobs: Vec<Bytes>,
}

/// The part of a prompt shared by all kernels of a pipeline.
pub(crate) trait PromptFrame: Send + Sync {
    fn language(&self) -> Language;
    fn window(&self) -> Window;
    /// The system message.
    fn system(&self) -> String;
}
