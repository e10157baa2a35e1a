//! The context that all steps of an answer share.

use std::sync::Arc;

use tributary_protocol::{
    answer::{AnswerBrief, AnswerRequest, AnswerSettings, AnswerWork},
    job::Job,
    task::{Stage, Work},
};

use super::{budget::AnswerBudget, place::AnswerPlace};
use crate::tasks::{self, JobContext, Urgency};

pub(super) struct AnswerContext {
    pub job: Arc<Job>,
    pub settings: AnswerSettings,
    pub brief: Arc<AnswerBrief>,
    pub budget: AnswerBudget,
}

impl AnswerContext {
    pub fn new(job: Arc<Job>, request: &AnswerRequest) -> Self {
        let budget = AnswerBudget::new(job.settings.window);
        let brief = Arc::new(AnswerBrief {
            question: request.question.clone(),
            language: job.settings.language,
            window: job.settings.window,
            limits: budget.limits,
        });
        Self { settings: *request.settings, job, brief, budget }
    }
}

impl JobContext for AnswerContext {
    type Work = AnswerWork;

    fn job(&self) -> &Job {
        &self.job
    }

    fn complete(&self, work: AnswerWork) -> Work {
        Work::Answer(Arc::clone(&self.brief), work)
    }

    fn urgency(&self, stage: Stage, _: &AnswerWork) -> Urgency {
        Urgency { rank: stage.number(), ..Urgency::default() }
    }
}

/// The right to ask for an answer's tasks.
pub(super) type Ask<'a> = tasks::Ask<'a, AnswerContext, AnswerPlace>;
