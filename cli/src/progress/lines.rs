//! Progress in a pipe: a line at the start and at the end of a stage, and at intervals between.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tributary_protocol::{
    job::{Progress, StageProgress},
    task::Stage,
};

use super::{
    pace::Pace,
    spent::{stage_spent, total},
    view::View,
};
use crate::units;

/// The shortest time between two lines of a stage, apart from the lines for start and end.
const EVERY: Duration = Duration::from_secs(5);

pub struct Lines<W> {
    /// The prefix of every line.
    name: String,
    write: W,
    stages: BTreeMap<Stage, Seen>,
    /// The last reported reason for waiting.
    waits_for: Option<String>,
}

/// The last reported state of a stage.
struct Seen {
    since: Instant,
    told: StageProgress,
    told_at: Instant,
    ended: bool,
    pace: Pace,
}

impl<W: FnMut(String) + Send> Lines<W> {
    pub fn new(name: String, write: W) -> Self {
        Self { name, write, stages: BTreeMap::new(), waits_for: None }
    }

    fn tell(&mut self, stage: Stage, text: &str) {
        (self.write)(format!("{}{}: {text}", self.name, stage.name()));
    }

    fn start(&mut self, stage: Stage, now: &StageProgress, at: Instant) {
        let pace = Pace::default();
        self.stages.insert(stage, Seen { since: at, told: *now, told_at: at, ended: false, pace });
        let known = if now.ended > 0 { format!(", {} ended", units::count(now.ended)) } else { String::new() };
        self.tell(stage, &format!("{}{known}", units::plural(total(now), "task")));
    }

    /// Reports a changed stage: at once if the stage has ended, else at intervals.
    fn change(&mut self, stage: Stage, now: &StageProgress, at: Instant) {
        let Some(seen) = self.stages.get_mut(&stage) else { return };
        seen.pace.observe(at, now.ended);
        // A stage may get more tasks after all.
        seen.ended &= now.ended == seen.told.ended && now.asked == seen.told.asked;
        if seen.ended || *now == seen.told || at.duration_since(seen.told_at) < EVERY {
            return;
        }
        (seen.told, seen.told_at) = (*now, at);
        let left = seen.pace.left(total(now).saturating_sub(now.ended)).filter(|_| now.ended < total(now));
        let left = left.map(|left| format!(", {} left", units::time(left))).unwrap_or_default();
        self.tell(stage, &format!("{}/{}, {}{left}", now.ended, total(now), stage_spent(now)));
    }

    fn end_stage(&mut self, stage: Stage, now: &StageProgress, at: Instant) {
        let Some(seen) = self.stages.get_mut(&stage) else { return };
        if seen.ended && *now == seen.told {
            return;
        }
        (seen.told, seen.told_at, seen.ended) = (*now, at, true);
        let took = units::time(at.duration_since(seen.since));
        self.tell(stage, &format!("{}/{} done, {}, {took}", now.ended, total(now), stage_spent(now)));
    }
}

impl<W: FnMut(String) + Send> View for Lines<W> {
    fn update(&mut self, progress: &Progress, now: Instant) {
        let last = progress.stages.iter().filter(|(_, stage)| stage.asked > 0).map(|(stage, _)| *stage).next_back();
        for (&stage, state) in progress.stages.iter().filter(|(_, stage)| stage.asked > 0) {
            if !self.stages.contains_key(&stage) {
                self.start(stage, state, now);
            }
            // A stage with nothing open may have more to come, until a later one has begun.
            if state.ended == state.asked && Some(stage) != last {
                self.end_stage(stage, state, now);
            } else {
                self.change(stage, state, now);
            }
        }
        if progress.waits_for != self.waits_for {
            self.waits_for.clone_from(&progress.waits_for);
            let now = progress.waits_for.as_ref().map_or("goes on".to_owned(), |reason| format!("waits: {reason}"));
            (self.write)(format!("{}{now}", self.name));
        }
    }

    fn end(&mut self, progress: &Progress, now: Instant) {
        self.update(progress, now);
        for (&stage, state) in &progress.stages {
            if state.ended == state.asked {
                self.end_stage(stage, state, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tributary_protocol::survey::SurveyStage;

    use std::sync::{Arc, Mutex};

    use super::*;

    fn progress(stages: &[(Stage, u64, u64)]) -> Progress {
        let of = |&(stage, ended, asked)| (stage, StageProgress { asked, ended, ..StageProgress::default() });
        Progress { stages: stages.iter().map(of).collect(), waits_for: None }
    }

    #[test]
    fn a_stage_is_told_when_it_starts_now_and_then_and_when_it_ends() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let ear = told.clone();
        let mut lines = Lines::new(String::new(), move |line| ear.lock().unwrap().push(line));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        lines.update(&progress(&[(SurveyStage::Group.into(), 0, 1)]), at(0));
        lines.update(&progress(&[(SurveyStage::Group.into(), 1, 1), (SurveyStage::Outline.into(), 0, 20)]), at(1));
        for second in 2..10 {
            lines.update(
                &progress(&[(SurveyStage::Group.into(), 1, 1), (SurveyStage::Outline.into(), second, 20)]),
                at(second),
            );
        }
        lines.end(&progress(&[(SurveyStage::Group.into(), 1, 1), (SurveyStage::Outline.into(), 20, 20)]), at(12));
        let told = told.lock().unwrap();
        let starts =
            ["group: 1 task", "group: 1/1 done", "outline: 20 tasks", "outline: 6/20, no calls, ", "outline: 20/20"];
        assert!(told.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{told:#?}");
    }
}
