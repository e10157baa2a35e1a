//! The context that all stages of a survey share.

use std::sync::Arc;

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use tributary_protocol::{
    id::Hasher,
    job::Job,
    source::{Source, SourceId},
    survey::{SurveyBrief, SurveyKind, SurveyRequest, SurveySettings, SurveyStage, SurveyWork},
    task::{Stage, Work},
};

use super::prompt_budget::PromptBudget;
use crate::tasks::{self, JobContext, Place, Urgency};

pub(crate) struct SurveyContext {
    pub(crate) job: Arc<Job>,
    pub(crate) settings: SurveySettings,
    pub(crate) brief: Arc<SurveyBrief>,
    pub(crate) budget: PromptBudget,
}

impl SurveyContext {
    pub(crate) fn new(job: Arc<Job>, request: &SurveyRequest) -> Self {
        let settings = SurveySettings::clone(&request.settings);
        let budget = PromptBudget::new(job.settings.window, &settings, job.sources.len());
        let brief = Arc::new(SurveyBrief {
            title: request.title.clone(),
            language: job.settings.language,
            genre: settings.genre,
            window: job.settings.window,
            limits: budget.limits,
        });
        Self { job, settings, brief, budget }
    }

    pub(crate) fn source(&self, id: SourceId) -> &Source {
        self.job.source(id)
    }

    /// Returns a random generator that depends on the seed and the purpose alone, never on earlier events.
    pub(crate) fn chance(&self, purpose: &str, number: usize) -> ChaCha8Rng {
        let mut hasher = Hasher::new("chance");
        hasher.part(&self.job.seed.to_le_bytes()).part(purpose.as_bytes()).part(&(number as u64).to_le_bytes());
        ChaCha8Rng::from_seed(hasher.seed())
    }
}

impl JobContext for SurveyContext {
    type Work = SurveyWork;

    fn job(&self) -> &Job {
        &self.job
    }

    fn complete(&self, work: SurveyWork) -> Work {
        Work::Survey(Arc::clone(&self.brief), work)
    }

    /// Ranks earlier stages first, and figures, which nothing waits for, last. Outlines are merged newest first: each
    /// merge leaves one outline of many.
    fn urgency(&self, stage: Stage, work: &SurveyWork) -> Urgency {
        let kind = SurveyKind::from(work);
        let heavy = [SurveyStage::Feedback, SurveyStage::Convolution].map(Stage::from).contains(&stage);
        let rank = 2 * stage.number() + u8::from(kind == SurveyKind::Illustrate);
        Urgency { rank, heavy, newest_first: kind == SurveyKind::MergeOutlines }
    }
}

/// The right of a stage to ask for tasks in the phase whose places are `P`.
pub(crate) type Ask<'a, P> = tasks::Ask<'a, SurveyContext, P>;

/// The places of a phase that includes a stage with the places `S`.
pub(crate) trait PhaseWith<S>: Place + From<S> {}

impl<S, P: Place + From<S>> PhaseWith<S> for P {}

/// Returns `" (block 2)"` for the second block and nothing for the first, to tell blocks' places apart.
pub(crate) fn block_suffix(block: usize) -> String {
    if block == 0 { String::new() } else { format!(" (block {})", block + 1) }
}
