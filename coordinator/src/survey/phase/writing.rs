//! The last phase: sources are read again if the final outline needs it, and the text is written.

use tributary_protocol::{survey::SurveyProduct, task::Outcome};

use super::places::places_of_phase;
use crate::{
    survey::{
        context::{Ask, SurveyContext},
        digest::{DigestPlace, Reading, Rereading},
        write::{SectionWriter, WritePlace, WrittenText},
    },
    tasks::{JobLedger, PhaseTasks},
};

places_of_phase! {
    /// The position of an outcome within the last phase.
    WritingPlace { Digest(DigestPlace), Write(WritePlace) }
}

pub(crate) struct Writing {
    tasks: PhaseTasks<WritingPlace>,
    pub(crate) reading: Reading,
    pub(crate) writer: SectionWriter,
}

impl Writing {
    pub(crate) fn start(context: &SurveyContext, ledger: &mut JobLedger, rereading: Rereading) -> Self {
        let mut tasks = PhaseTasks::default();
        let mut ask = Ask::new(context, &mut tasks, ledger);
        let reading = rereading.start(&mut ask);
        let (outline, notes, unread) = (reading.outline().clone(), reading.notes_by_leaf(), reading.unread());
        let writer = SectionWriter::start(&mut ask, &outline, notes, &unread);
        Self { tasks, reading, writer }
    }

    pub(crate) fn tasks(&self) -> &PhaseTasks<WritingPlace> {
        &self.tasks
    }

    /// Takes an outcome. Returns false if its task isn't part of this phase.
    pub(crate) fn settle(&mut self, context: &SurveyContext, ledger: &mut JobLedger, outcome: &Outcome) -> bool {
        let Some((place, product)) = self.tasks.end::<SurveyProduct>(ledger, &context.job, outcome) else {
            return false;
        };
        let mut ask = Ask::new(context, &mut self.tasks, ledger);
        match place {
            WritingPlace::Digest(place) => {
                if self.reading.accept(place, product) {
                    for leaf in self.reading.read_with(place.source) {
                        self.writer.read(&mut ask, leaf, self.reading.notes_of_leaf(leaf));
                    }
                }
            }
            WritingPlace::Write(place) => self.writer.accept(&mut ask, place, product),
        }
        true
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.writer.is_complete()
    }

    pub(crate) fn text(&self, title: &str) -> WrittenText {
        self.writer.text(title)
    }
}
