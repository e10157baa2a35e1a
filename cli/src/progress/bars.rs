//! Progress on a terminal: a line for the job and a bar for each stage.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use tributary_protocol::{
    job::{Progress, StageProgress},
    task::Stage,
};

use super::{
    pace::Pace,
    spent::{spent, stage_spent, total},
    view::View,
};
use crate::{terminal::Terminal, units};

pub struct Bars {
    title: String,
    since: Instant,
    terminal: Terminal,
    job: ProgressBar,
    stages: BTreeMap<Stage, StageBar>,
}

struct StageBar {
    bar: ProgressBar,
    pace: Pace,
}

impl Bars {
    pub fn new(title: &str, terminal: &Terminal) -> Self {
        let job = terminal.bars().add(ProgressBar::new_spinner().with_style(style("{spinner:.cyan} {wide_msg}")));
        job.enable_steady_tick(Duration::from_millis(120));
        Self {
            title: title.to_owned(),
            since: Instant::now(),
            terminal: terminal.clone(),
            job,
            stages: BTreeMap::new(),
        }
    }

    /// Returns the bar of a stage. A new bar is placed after those of earlier stages.
    fn stage(&mut self, stage: Stage) -> &mut StageBar {
        let before = self.stages.range(..stage).next_back().map_or(&self.job, |(_, earlier)| &earlier.bar);
        let screen = self.terminal.bars();
        let bar = || {
            let style = style("  {prefix:<11} {bar:14.cyan/dim} {pos:>6}/{len:<6} {wide_msg}");
            let bar = ProgressBar::new(0).with_style(style.progress_chars("━╸─")).with_prefix(stage.name());
            screen.insert_after(before, bar)
        };
        // `before` borrows the map that the entry needs.
        let fresh = (!self.stages.contains_key(&stage)).then(bar);
        self.stages
            .entry(stage)
            .or_insert_with(|| StageBar { bar: fresh.unwrap_or_else(ProgressBar::hidden), pace: Pace::default() })
    }

    fn line(&self, progress: &Progress, now: Instant) -> String {
        let waits = progress.waits_for.as_ref().map(|reason| format!(", waits: {reason}")).unwrap_or_default();
        format!("{}  {}, {}{waits}", self.title, spent(&progress.usage()), units::time(now.duration_since(self.since)))
    }
}

impl StageBar {
    fn tell(&mut self, stage: &StageProgress, now: Instant) {
        self.pace.observe(now, stage.ended);
        let remaining = total(stage).saturating_sub(stage.ended);
        let left = self.pace.left(remaining).filter(|_| remaining > 0);
        let left = left.map(|left| format!("{} left, ", units::time(left))).unwrap_or_default();
        self.bar.set_length(total(stage));
        self.bar.set_position(stage.ended);
        self.bar.set_message(format!("{left}{}", stage_spent(stage)));
    }
}

impl View for Bars {
    fn update(&mut self, progress: &Progress, now: Instant) {
        for (&stage, state) in progress.stages.iter().filter(|(_, stage)| stage.asked > 0) {
            self.stage(stage).tell(state, now);
        }
        self.job.set_message(self.line(progress, now));
    }

    /// Removes the bars and leaves their last state as text.
    fn end(&mut self, progress: &Progress, now: Instant) {
        self.job.disable_steady_tick();
        self.stages.values().map(|stage| &stage.bar).chain([&self.job]).for_each(ProgressBar::finish_and_clear);
        self.terminal.say(self.line(progress, now));
        for (stage, state) in progress.stages.iter().filter(|(_, state)| state.asked > 0) {
            let done = format!("{}/{}", state.ended, total(state));
            self.terminal.say(format!("  {:<11} {done:>13}  {}", stage.name(), stage_spent(state)));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates here are well-formed")
}
