//! The survey: a corpus becomes a long, cited article, after LLM×MapReduce-V2 (arXiv 2504.05732).
//!
//! Sources are put into groups ([`group`]), outlined ([`outline`]), and read against the outline ([`digest`]). The
//! digests lead to suggestions ([`feedback`]), which are merged layer by layer ([`convolution`]) and refined
//! ([`refine`]). Then the article is written from the notes ([`write`]) and put together ([`reduce`]). [`phase`] has
//! the order of these stages, [`prompt_budget`] their size limits.
//!
//! Stages wait for nothing but their own inputs, and the order of arrivals decides nothing: a task's content depends on
//! its place, the replies that it builds on, and the seed alone.

mod context;
mod convolution;
mod digest;
pub mod dry_run;
mod feedback;
mod finished;
mod group;
mod outline;
mod phase;
mod prompt_budget;
mod reduce;
mod refine;
mod similarity;
mod template;
mod write;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tributary_protocol::{bus::Bus, id::TaskId, job::Job, survey::SurveyRequest, task::Outcome};

use self::{
    context::SurveyContext,
    digest::Rereading,
    phase::{Improving, Outlining, Writing},
    reduce::FinishedRun,
    write::WrittenText,
};
pub use self::{
    finished::{Economies, FinishedSurvey},
    template::SurveyTemplate,
};
use crate::{
    artifact::{ArtifactError, ArtifactSink, ResultSummary},
    engine::Engine,
    pipeline::Pipeline,
    prepare::InputNotes,
    tasks::{Flaw, JobLedger, NewTask, OpenTasks},
};

/// A survey between two outcomes.
pub struct Survey {
    context: SurveyContext,
    phase: Phase,
    /// Flaws of the phases before the current one.
    flaws: Vec<Flaw>,
    economies: Economies,
}

enum Phase {
    Outlining(Box<Outlining>),
    Improving(Box<Improving>),
    Writing(Box<Writing>),
    Finished(Arc<FinishedSurvey>),
}

impl Survey {
    /// Begins a survey and returns its first tasks.
    pub fn begin(job: Arc<Job>, request: &SurveyRequest) -> (Engine<Self>, Vec<NewTask>) {
        let context = SurveyContext::new(job, request);
        Engine::new(|ledger| {
            let split = context.job.sources.iter().filter(|source| source.chunks.len() > 1);
            let economies = Economies {
                sources_split: split.clone().count() as u32,
                chunks_of_split_sources: split.map(|source| source.chunks.len() as u32).sum(),
                ..Economies::default()
            };
            let phase = Phase::Outlining(Box::new(Outlining::start(&context, ledger)));
            let mut survey = Self { context, phase, flaws: Vec::new(), economies };
            survey.go_on(ledger);
            survey
        })
    }

    /// Returns the article and all that belongs to it, once the job is finished.
    pub fn finished(&self) -> Option<&Arc<FinishedSurvey>> {
        match &self.phase {
            Phase::Finished(finished) => Some(finished),
            Phase::Outlining(_) | Phase::Improving(_) | Phase::Writing(_) => None,
        }
    }

    /// Returns all flaws, by stage, and within a stage in the order of places (not of arrival).
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = [self.flaws.clone(), self.flaws_of_phase()].concat();
        // Digests are read again in a later phase.
        flaws.sort_by_key(|flaw| flaw.stage);
        flaws
    }

    pub fn economies(&self) -> &Economies {
        &self.economies
    }

    /// Returns the tasks of the current phase. None once the survey is finished.
    fn tasks(&self) -> Option<&dyn OpenTasks> {
        match &self.phase {
            Phase::Outlining(phase) => Some(phase.tasks()),
            Phase::Improving(phase) => Some(phase.tasks()),
            Phase::Writing(phase) => Some(phase.tasks()),
            Phase::Finished(_) => None,
        }
    }

    fn flaws_of_phase(&self) -> Vec<Flaw> {
        self.tasks().map(OpenTasks::flaws).unwrap_or_default()
    }

    /// Goes on to the next phase as long as the current phase has ended.
    fn go_on(&mut self, ledger: &mut JobLedger) {
        while let Some(next) = self.next_phase(ledger) {
            self.flaws.extend(self.flaws_of_phase());
            self.phase = next;
        }
    }

    /// Returns the next phase, if the current phase has ended.
    fn next_phase(&mut self, ledger: &mut JobLedger) -> Option<Phase> {
        let context = &self.context;
        match &mut self.phase {
            Phase::Outlining(phase) => {
                let ready = phase.ready()?;
                Some(Phase::Improving(Box::new(Improving::first(context, ledger, ready))))
            }
            Phase::Improving(phase) => {
                if !phase.is_complete() {
                    return None;
                }
                let (block, groups) = (phase.block + 1, std::mem::take(&mut phase.groups));
                self.economies.layers_saved += phase.layers_saved();
                self.economies.rounds_saved += phase.rounds_saved();
                let rereading = Rereading::of(phase.reading(), &phase.improved_outline());
                // A block in which nothing is read has no suggestions to convolve.
                Some(if block < context.settings.blocks as usize && !rereading.is_empty() {
                    Phase::Improving(Box::new(Improving::again(context, ledger, block, groups, rereading)))
                } else {
                    Phase::Writing(Box::new(Writing::start(context, ledger, rereading)))
                })
            }
            Phase::Writing(phase) => {
                if !phase.is_complete() {
                    return None;
                }
                self.economies.notes_condensed = phase.writer.condensed as u64;
                self.economies.notes_left_out = phase.writer.unwritten_notes as u64;
                let WrittenText { article, notes, left_out } = phase.text(context.job.title());
                let silent = context.job.sources.iter().map(|source| source.id);
                let silent = silent.filter(|source| !phase.reading.has_notes_of(*source)).collect();
                Some(Phase::Finished(Arc::new(FinishedSurvey { article, notes, silent, left_out })))
            }
            Phase::Finished(_) => None,
        }
    }
}

#[async_trait]
impl Pipeline for Survey {
    fn awaits(&self, task: TaskId) -> bool {
        self.tasks().is_some_and(|tasks| tasks.awaits(task))
    }

    fn settle(&mut self, ledger: &mut JobLedger, outcome: &Outcome) -> bool {
        let context = &self.context;
        let is_of_phase = match &mut self.phase {
            Phase::Outlining(phase) => phase.settle(context, ledger, outcome),
            Phase::Improving(phase) => phase.settle(context, ledger, outcome),
            Phase::Writing(phase) => phase.settle(context, ledger, outcome),
            Phase::Finished(_) => false,
        };
        if is_of_phase {
            self.go_on(ledger);
        }
        is_of_phase
    }

    fn is_finished(&self) -> bool {
        self.finished().is_some()
    }

    async fn make_result(
        &self,
        ledger: &JobLedger,
        bus: &dyn Bus,
        input: InputNotes,
        wall: Duration,
        sink: &mut dyn ArtifactSink,
    ) -> Result<ResultSummary, ArtifactError> {
        let finished = self.finished().ok_or(ArtifactError::Unfinished)?;
        let run = FinishedRun { ledger, flaws: self.flaws(), economies: self.economies.clone(), input, wall };
        reduce::make_result(&self.context, finished, run, bus, sink).await
    }
}
