//! The first phase: sources are grouped, and a first outline is made of them.

use tributary_protocol::{
    source::SourceId,
    survey::{SurveyProduct, outline::SharedOutline},
    task::Outcome,
};

use super::places::places_of_phase;
use crate::{
    survey::{
        context::{Ask, SurveyContext},
        group::{GroupPlace, GroupedBatch, Grouping, ToOutline},
        outline::{FirstOutlines, OutlinePlace},
    },
    tasks::{JobLedger, PhaseTasks},
};

places_of_phase! {
    /// The position of an outcome within the first phase.
    OutliningPlace { Group(GroupPlace), Outline(OutlinePlace) }
}

pub(crate) struct Outlining {
    tasks: PhaseTasks<OutliningPlace>,
    grouping: Grouping,
    outlines: FirstOutlines,
    /// The groups of each batch of titles, once known.
    groups: Vec<Option<Vec<Vec<SourceId>>>>,
    /// The merged outline.
    outline: Option<SharedOutline>,
}

/// The result of the first phase.
pub(crate) struct Ready {
    pub(crate) outline: SharedOutline,
    pub(crate) groups: Vec<Vec<SourceId>>,
}

impl Outlining {
    pub(crate) fn start(context: &SurveyContext, ledger: &mut JobLedger) -> Self {
        let mut tasks = PhaseTasks::default();
        let mut ask = Ask::new(context, &mut tasks, ledger);
        let (grouping, at_once) = Grouping::start(&mut ask);
        let batches = grouping.batches();
        let outlines = FirstOutlines::new(batches);
        let mut phase = Self { tasks, grouping, outlines, groups: vec![None; batches], outline: None };
        at_once.grouped.into_iter().for_each(|grouped| phase.grouped(grouped));
        at_once.to_outline.into_iter().for_each(|sources| phase.outline(context, ledger, sources));
        phase
    }

    pub(crate) fn tasks(&self) -> &PhaseTasks<OutliningPlace> {
        &self.tasks
    }

    /// Takes an outcome. Returns false if its task isn't part of this phase.
    pub(crate) fn settle(&mut self, context: &SurveyContext, ledger: &mut JobLedger, outcome: &Outcome) -> bool {
        let Some((place, product)) = self.tasks.end::<SurveyProduct>(ledger, &context.job, outcome) else {
            return false;
        };
        match place {
            OutliningPlace::Group(place) => {
                let (grouped, to_outline) = self.grouping.accept(context, place, product);
                self.grouped(grouped);
                if let Some(sources) = to_outline {
                    self.outline(context, ledger, sources);
                }
            }
            OutliningPlace::Outline(place) => {
                let mut ask = Ask::new(context, &mut self.tasks, ledger);
                if let Some(outline) = self.outlines.accept(&mut ask, place, product) {
                    self.outline = Some(outline);
                }
            }
        }
        true
    }

    fn grouped(&mut self, grouped: GroupedBatch) {
        self.groups[grouped.batch] = Some(grouped.groups);
    }

    fn outline(&mut self, context: &SurveyContext, ledger: &mut JobLedger, sources: ToOutline) {
        self.outlines.add(&mut Ask::new(context, &mut self.tasks, ledger), sources);
    }

    /// Returns the outline and the groups, once all of them are known: then the sources can be read.
    pub(crate) fn ready(&self) -> Option<Ready> {
        let outline = self.outline.as_ref()?;
        let groups: Vec<_> = self.groups.iter().map(Option::as_deref).collect::<Option<_>>()?;
        Some(Ready { outline: outline.clone(), groups: groups.concat() })
    }
}
