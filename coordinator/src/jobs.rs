//! The registry of pipelines: the only place of the coordinator that names them all.

use std::sync::Arc;

use tributary_protocol::{
    job::{Job, Request},
    task::{Outcome, Product, Task, Usage, Verdict, Work},
};

use crate::{
    answer::{self, Answering},
    engine::Machine,
    survey::{self, Survey},
    tasks::NewTask,
};

/// Returns the machine of a job at its beginning, and its first tasks.
pub fn begin(job: Arc<Job>) -> (Box<dyn Machine>, Vec<NewTask>) {
    match &Arc::clone(&job).request {
        Request::Survey(request) => {
            let (engine, first) = Survey::begin(job, request);
            (Box::new(engine), first)
        }
        Request::Answer(request) => {
            let (engine, first) = Answering::begin(job, request);
            (Box::new(engine), first)
        }
    }
}

/// The outcome of a typical reply to a task.
#[derive(Clone, Debug)]
pub struct DryRun {
    pub outcome: Outcome,
    /// Tokens of the reply behind the outcome.
    pub reply_tokens: u64,
}

/// Makes a task's outcome of typical size without a model. Depends on the task alone.
pub fn dry_run(task: &Task) -> DryRun {
    let (product, reply_tokens): (Product, u64) = match &task.work {
        Work::Survey(brief, work) => {
            let product = survey::dry_run::product(task.id, brief, work);
            let reply_tokens = survey::dry_run::reply_tokens(work, &product);
            (product.into(), reply_tokens)
        }
        Work::Answer(_, work) => {
            let product = answer::dry_run::product(task.id, work);
            let reply_tokens = answer::dry_run::reply_tokens(&product);
            (product.into(), reply_tokens)
        }
    };
    let verdict = Verdict::Done(product);
    DryRun { outcome: Outcome { task: task.id, verdict, usage: Usage::default(), citations_removed: 0 }, reply_tokens }
}
