//! The work of a task: asked of the model, in halves where too long, and quoted from the sources where the model fails.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, future::BoxFuture};
use tokio::task::spawn_blocking;
use tributary_protocol::{bus::BusError, task::Product, wire::WireError};

use super::{
    bill::TaskBill,
    call::ModelCaller,
    piece::WorkPiece,
    repair::{ConversationEnd, converse},
};
use crate::kernel::{self, TaskKernel};

/// The most halvings of work too long for its model's window.
pub(super) const HALVINGS: u32 = 4;

/// The result of a piece of work.
pub(super) enum WorkResult {
    Made { product: Product, degraded: Option<String> },
    Failed { reason: String },
    Stopped { reason: String },
    LeftToPeers,
}

/// Asks the model for a piece of work. Work that is too long is halved; where the model fails, the extractive model stands in.
pub(super) fn solve<'a>(
    caller: &'a ModelCaller<'a>,
    piece: WorkPiece,
    halvings: u32,
    bill: &'a mut TaskBill,
) -> BoxFuture<'a, Result<WorkResult, BusError>> {
    async move {
        let end = AssertUnwindSafe(converse(caller, &piece, bill)).catch_unwind().await;
        let (usable, reason) = match end {
            Ok(end) => match end? {
                ConversationEnd::Good(product) => return Ok(WorkResult::Made { product, degraded: None }),
                ConversationEnd::Poor { usable, reason } => (usable, reason),
                ConversationEnd::Stopped { reason } => return Ok(WorkResult::Stopped { reason }),
                ConversationEnd::LeftToPeers => return Ok(WorkResult::LeftToPeers),
                ConversationEnd::TooLong { reason } => match kernel::for_work(piece.work(), &piece.blobs)?.halves() {
                    Some(halves) if halvings > 0 => {
                        let mut results = Vec::new();
                        for half in halves {
                            results.push(solve(caller, WorkPiece::half(&piece, half), halvings - 1, bill).await?);
                        }
                        return Ok(joined(results, &*kernel::for_work(piece.work(), &piece.blobs)?));
                    }
                    _ => (None, reason),
                },
            },
            Err(panic) => (None, format!("the kernel panicked: {}", panic_message(&*panic))),
        };
        Ok(match usable {
            Some(product) => WorkResult::Made { product, degraded: Some(reason) },
            None => match quote(piece).await {
                Ok(product) => WorkResult::Made { product, degraded: Some(reason) },
                Err(second) => WorkResult::Failed { reason: format!("{reason}; then {second}") },
            },
        })
    }
    .boxed()
}

/// Does a piece of work with the extractive model, on a thread of its own: arithmetic would hold up other tasks' calls.
///
/// # Errors
///
/// The reason for the lack of a product, for people.
pub(super) async fn quote(piece: WorkPiece) -> Result<Product, String> {
    let done = spawn_blocking(move || Ok(kernel::for_work(piece.work(), &piece.blobs)?.fallback())).await;
    match done {
        Ok(made) => made.map_err(|error: WireError| error.to_string()),
        Err(error) => Err(match error.try_into_panic() {
            Ok(panic) => format!("the extractive model panicked: {}", panic_message(&*panic)),
            Err(error) => format!("the extractive model: {error}"),
        }),
    }
}

/// Joins the results of two halves. A half without a product leaves the whole without a product.
fn joined(halves: Vec<WorkResult>, kernel: &dyn TaskKernel) -> WorkResult {
    let (mut products, mut reasons) = (Vec::new(), Vec::new());
    for half in halves {
        match half {
            WorkResult::Made { product, degraded } => {
                products.push(product);
                reasons.extend(degraded);
            }
            other => return other,
        }
    }
    reasons.dedup();
    let degraded = (!reasons.is_empty()).then(|| reasons.join("; "));
    match products.into_iter().reduce(|one, other| kernel.join(one, other)) {
        Some(product) => WorkResult::Made { product, degraded },
        None => WorkResult::Failed { reason: "nothing came of the halves".to_owned() },
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
