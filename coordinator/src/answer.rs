//! The answer: a question is put to a whole corpus, after LLM×MapReduce-V1 (arXiv 2410.09342).
//!
//! Every chunk of every source is read for the question (map). Chunks without findings are counted and left out.
//! Findings that outgrow a prompt are collapsed, level by level ([`AnswerPlace::Collapse`]), as long as each level
//! makes them clearly fewer. The last call concludes (reduce). V1's collapse may go on for ever, since nothing makes
//! the findings shrink: here the surest findings that fit are concluded from, and the report counts the rest.

mod budget;
mod context;
pub(crate) mod dry_run;
mod markdown;
mod place;
mod placed;
mod report;
mod result;
mod template;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tributary_protocol::{
    answer::{
        AnswerProduct, AnswerRequest, AnswerWork,
        finding::{Answer, Finding},
    },
    budget::pack,
    bus::Bus,
    id::TaskId,
    job::Job,
    source::TitledSource,
    task::Outcome,
};

pub use self::template::AnswerTemplate;
use self::{
    context::{AnswerContext, Ask},
    place::AnswerPlace,
    report::FindingCounts,
};
use crate::{
    artifact::{ArtifactError, ArtifactSink, ResultSummary},
    engine::Engine,
    pipeline::Pipeline,
    prepare::InputNotes,
    tasks::{JobLedger, NewTask, OpenTasks, PhaseTasks},
};

/// The most findings that a call collapses or concludes from: servers bound the handles that a schema may list.
const MOST_FINDINGS: usize = 60;

/// Collapsing goes on as long as a level reduces the number of prompts to at most this share.
const WORTHWHILE: f64 = 2.0 / 3.0;

/// An answer between two outcomes.
pub struct Answering {
    context: AnswerContext,
    tasks: PhaseTasks<AnswerPlace>,
    step: Step,
    counts: FindingCounts,
}

enum Step {
    /// Chunks are read. `found` holds the findings of each chunk, by source and chunk, in order.
    Finding {
        found: Vec<Option<Vec<Finding>>>,
        missing: usize,
    },
    /// Findings are collapsed. `batches` holds the batches of the level: the original findings, or the collapsed ones.
    Collapsing {
        batches: Vec<Vec<Finding>>,
        missing: usize,
    },
    /// The last call concludes from these findings.
    Concluding {
        findings: Vec<Finding>,
    },
    Answered(Answer),
}

impl Answering {
    /// Begins an answer and returns its first tasks.
    pub fn begin(job: Arc<Job>, request: &AnswerRequest) -> (Engine<Self>, Vec<NewTask>) {
        let context = AnswerContext::new(job, request);
        Engine::new(|ledger| {
            let mut tasks = PhaseTasks::default();
            let mut ask = Ask::new(&context, &mut tasks, ledger);
            let mut chunks = 0;
            for source in &context.job.sources {
                let parts = source.chunks.len() as u32;
                for (number, chunk) in (0..).zip(&source.chunks) {
                    let work = AnswerWork::Find {
                        source: TitledSource::from(source),
                        text: chunk.text,
                        part: (number, parts),
                        heading: source.heading_of(number as usize).map(str::to_owned),
                        quotes: context.settings.quotes,
                    };
                    ask.ask(AnswerPlace::Find { chunk: chunks, source: source.id, part: number }, work);
                    chunks += 1;
                }
            }
            let step = Step::Finding { found: vec![None; chunks], missing: chunks };
            let counts = FindingCounts { chunks: chunks as u64, ..FindingCounts::default() };
            let mut answering = Self { context, tasks, step, counts };
            if chunks == 0 {
                answering.step = Step::Answered(Answer::nothing());
            }
            answering
        })
    }

    /// Returns the answer, once the job is finished.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.step {
            Step::Answered(answer) => Some(answer),
            Step::Finding { .. } | Step::Collapsing { .. } | Step::Concluding { .. } => None,
        }
    }

    /// Takes the findings of a chunk. The last chunk starts the next step.
    fn found(&mut self, ledger: &mut JobLedger, chunk: usize, product: Option<AnswerProduct>) {
        let Step::Finding { found, missing } = &mut self.step else { return };
        found[chunk] = Some(findings_of(product).unwrap_or_default());
        *missing -= 1;
        if *missing == 0 {
            let found = std::mem::take(found);
            self.counts.silent_chunks = found.iter().flatten().filter(|findings| findings.is_empty()).count() as u64;
            let findings: Vec<Finding> = found.into_iter().flatten().flatten().collect();
            self.counts.findings = findings.len() as u64;
            self.go_on(ledger, findings, 0, None);
        }
    }

    /// Takes the collapsed findings of a batch, if shorter than the original ones. The last batch of the level starts
    /// the next step.
    fn collapsed(&mut self, ledger: &mut JobLedger, level: u32, batch: usize, product: Option<AnswerProduct>) {
        let Step::Collapsing { batches, missing } = &mut self.step else { return };
        if let Some(fewer) = findings_of(product).filter(|fewer| !fewer.is_empty())
            && Finding::tokens_of(&fewer) < Finding::tokens_of(&batches[batch])
        {
            batches[batch] = fewer;
        }
        *missing -= 1;
        if *missing == 0 {
            let batches = std::mem::take(batches);
            self.go_on(ledger, batches.concat(), level + 1, Some(batches.len()));
        }
    }

    /// Concludes from the findings if a single prompt holds them, or collapses them first. `before` is the number of
    /// prompts of the previous level.
    fn go_on(&mut self, ledger: &mut JobLedger, findings: Vec<Finding>, level: u32, before: Option<usize>) {
        if findings.is_empty() {
            self.step = Step::Answered(Answer::nothing());
            return;
        }
        let room = self.context.budget.findings;
        let tokens: Vec<u32> = findings.iter().map(Finding::tokens).collect();
        let batches = pack(&tokens, room, MOST_FINDINGS);
        let is_stuck = before.is_some_and(|before| batches.len() as f64 > before as f64 * WORTHWHILE);
        if batches.len() == 1 || batches.len() == findings.len() || is_stuck {
            return self.conclude(ledger, findings);
        }
        let batches: Vec<Vec<Finding>> = batches.into_iter().map(|range| findings[range].to_vec()).collect();
        let mut ask = Ask::new(&self.context, &mut self.tasks, ledger);
        let mut missing = 0;
        for (batch, findings) in batches.iter().enumerate().filter(|(_, findings)| findings.len() > 1) {
            ask.ask(AnswerPlace::Collapse { level, batch }, AnswerWork::Collapse { findings: findings.clone() });
            missing += 1;
        }
        self.step = Step::Collapsing { batches, missing };
    }

    /// Concludes from the surest findings that fit a prompt, in the order of their sources.
    fn conclude(&mut self, ledger: &mut JobLedger, findings: Vec<Finding>) {
        let kept = Finding::surest(&findings, MOST_FINDINGS, self.context.budget.findings);
        self.counts.dropped_findings = (findings.len() - kept.len()) as u64;
        let findings = kept;
        let work = AnswerWork::Conclude { findings: findings.clone() };
        Ask::new(&self.context, &mut self.tasks, ledger).ask(AnswerPlace::Conclude, work);
        self.step = Step::Concluding { findings };
    }

    /// Takes the answer, or makes the surest finding the answer if the last call failed.
    fn concluded(&mut self, product: Option<AnswerProduct>) {
        let Step::Concluding { findings } = &self.step else { return };
        self.step = Step::Answered(match product {
            Some(AnswerProduct::Answer(answer)) => answer,
            _ => surest(findings),
        });
    }
}

fn findings_of(product: Option<AnswerProduct>) -> Option<Vec<Finding>> {
    match product {
        Some(AnswerProduct::Findings(findings)) => Some(findings),
        _ => None,
    }
}

/// Returns the surest finding as the answer, the first of equals.
fn surest(findings: &[Finding]) -> Answer {
    let best = Finding::surest(findings, 1, 0).pop();
    best.map_or_else(Answer::nothing, |Finding { answer, confidence, quotes, .. }| Answer {
        text: answer,
        confidence,
        quotes,
        against: Vec::new(),
    })
}

#[async_trait]
impl Pipeline for Answering {
    fn awaits(&self, task: TaskId) -> bool {
        self.tasks.awaits(task)
    }

    fn settle(&mut self, ledger: &mut JobLedger, outcome: &Outcome) -> bool {
        let job = Arc::clone(&self.context.job);
        let Some((place, product)) = self.tasks.end::<AnswerProduct>(ledger, &job, outcome) else { return false };
        match place {
            AnswerPlace::Find { chunk, .. } => self.found(ledger, chunk, product),
            AnswerPlace::Collapse { level, batch } => self.collapsed(ledger, level, batch, product),
            AnswerPlace::Conclude => self.concluded(product),
        }
        true
    }

    fn is_finished(&self) -> bool {
        self.answer().is_some()
    }

    async fn make_result(
        &self,
        ledger: &JobLedger,
        bus: &dyn Bus,
        input: InputNotes,
        wall: Duration,
        sink: &mut dyn ArtifactSink,
    ) -> Result<ResultSummary, ArtifactError> {
        let answer = self.answer().ok_or(ArtifactError::Unfinished)?;
        let report =
            report::AnswerReport::new(&self.context, ledger, answer, self.counts, self.tasks.flaws(), input, wall);
        result::write(&self.context, bus, answer, &report, sink).await?;
        Ok(report.summary())
    }
}
