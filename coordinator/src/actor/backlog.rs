//! The tasks of a job that have no outcome: those that wait, and those that are with the bus.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use tributary_protocol::{
    id::TaskId,
    task::{Outcome, Task},
};

use crate::tasks::NewTask;

/// How many tasks of a job are with the bus at a time.
///
/// Too few, and workers idle; too many, and other jobs' tasks stand in line behind them. Between `least` and `most` the
/// window finds its own size: it grows while tasks are taken up at once, and shrinks when they wait for longer than a
/// quarter of what their calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub least: usize,
    pub most: usize,
}

impl Window {
    /// What a window opens with, where its limits allow it.
    const FIRST: usize = 32;

    /// Waiting that is shorter tells of the way to the workers rather than of a line.
    const UNNOTICED: Duration = Duration::from_millis(200);

    /// A window that doesn't change.
    pub fn of(size: usize) -> Self {
        Self { least: size, most: size }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { least: 16, most: 1024 }
    }
}

/// Most heavy tasks of a rank that wait behind earlier ones while what they carry is kept for them: digests for the feedback,
/// outlines for the convolution. Beyond, the memory for them would grow with the corpus.
const MOST_CARRYING: usize = 512;

pub(super) struct Backlog {
    /// Asked for and not published, by lane and, within it, in the order of asking.
    ready: BTreeMap<Lane, VecDeque<Task>>,
    /// Published and without an outcome.
    out: HashMap<TaskId, Out>,
    limits: Window,
    size: usize,
    /// Above so many that carry much, those that wait are looked through for what nobody awaits any more.
    crowd: usize,
}

/// The least of [`Backlog::crowd`].
const CROWD: usize = 1024;

struct Out {
    task: Task,
    since: Instant,
}

/// Tasks of one rank, and whether they are heavy.
type Lane = (u8, bool);

fn is_heavy((_, heavy): &Lane) -> bool {
    *heavy
}

impl Backlog {
    pub fn new(limits: Window) -> Self {
        let least = limits.least.max(1);
        let limits = Window { least, most: limits.most.max(least) };
        let size = Window::FIRST.clamp(limits.least, limits.most);
        Self { ready: BTreeMap::new(), out: HashMap::new(), limits, size, crowd: CROWD }
    }

    pub fn add(&mut self, tasks: Vec<NewTask>) {
        for NewTask { task, urgency } in tasks {
            let lane = self.ready.entry((urgency.rank, urgency.heavy)).or_default();
            if urgency.newest_first { lane.push_front(task) } else { lane.push_back(task) }
        }
    }

    /// An outcome has come; fits the window to how long its task had to wait. Gives the task, if it was out, and since
    /// when.
    pub fn ended(&mut self, outcome: &Outcome) -> Option<(Task, Instant)> {
        let out = self.out.remove(&outcome.task)?;
        let calls = Duration::from_millis(outcome.usage.call_millis);
        let waited = out.since.elapsed().saturating_sub(calls);
        if !calls.is_zero() && waited > Window::UNNOTICED.max(calls / 4) {
            self.size = (self.size - 1).max(self.limits.least);
        } else if !self.ready.is_empty() {
            self.size = (self.size + 1).min(self.limits.most);
        }
        Some((out.task, out.since))
    }

    /// Forgets what is not `awaited` any more, once that may be half of what waits. During a replay nothing is taken, and
    /// without this all that the job ever asked, with all that it carried, would be here at once.
    pub fn thin(&mut self, awaited: impl Fn(TaskId) -> bool) {
        let waiting = |ready: &BTreeMap<Lane, VecDeque<Task>>| {
            ready.iter().filter(|(lane, _)| is_heavy(lane)).map(|(_, tasks)| tasks.len()).sum::<usize>()
        };
        if waiting(&self.ready) > self.crowd {
            self.ready.values_mut().for_each(|tasks| tasks.retain(|task| awaited(task.id)));
            self.ready.retain(|_, tasks| !tasks.is_empty());
            self.crowd = CROWD.max(2 * waiting(&self.ready));
        }
    }

    /// What there is room for now, of the tasks that are still `awaited`: during replay a task may have been asked for
    /// before its outcome was met.
    pub fn take(&mut self, awaited: impl Fn(TaskId) -> bool) -> Vec<Task> {
        let mut tasks = Vec::new();
        while self.out.len() < self.size
            && let Some(task) = self.next()
        {
            if awaited(task.id) {
                self.out.insert(task.id, Out { task: task.clone(), since: Instant::now() });
                tasks.push(task);
            }
        }
        tasks
    }

    /// The next task to be published: of the first rank, unless too many that carry much wait behind it.
    fn next(&mut self) -> Option<Task> {
        let full = |(lane, tasks): &(&Lane, &VecDeque<Task>)| is_heavy(lane) && tasks.len() > MOST_CARRYING;
        let crowded = self.ready.iter().rev().find(full);
        let lane = *crowded.or_else(|| self.ready.iter().next())?.0;
        let tasks = self.ready.get_mut(&lane)?;
        let task = tasks.pop_front();
        if tasks.is_empty() {
            self.ready.remove(&lane);
        }
        task
    }

    /// The tasks that were published and have no outcome.
    pub fn published(&self) -> impl Iterator<Item = &Task> {
        self.out.values().map(|out| &out.task)
    }

    /// All that is with the bus, or should be.
    pub fn outstanding(&self) -> Vec<Task> {
        self.out.values().map(|out| out.task.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tributary_protocol::{
        budget::Window as Context,
        id::{Hasher, JobId},
        settings::Language,
        survey::{Genre, SurveyBrief, SurveyLimits, SurveyStage, SurveyWork},
        task::{Stage, Usage, Verdict, Work},
    };

    use super::*;
    use crate::tasks::Urgency;

    /// A task as urgent as its stage is early. Those of the feedback are heavy.
    fn task(number: usize, stage: SurveyStage) -> NewTask {
        let limits = SurveyLimits { sections: 1, outline: 1, suggestion: 1, digest: 1, passage: 1 };
        let (language, genre) = (Language::En, Genre::Survey);
        let brief = SurveyBrief { title: "T".into(), language, genre, window: Context(8_000), limits };
        let work = SurveyWork::Group { sources: Vec::new(), size: number as u32 };
        let (job, work) = (JobId::of(&Hasher::new("job")), Work::Survey(Arc::new(brief), work));
        let urgency = Urgency { rank: stage as u8, heavy: stage == SurveyStage::Feedback, newest_first: false };
        NewTask { task: Task::new(job, stage.into(), number.to_string(), "m".into(), work), urgency }
    }

    fn outcome(task: &Task, call_millis: u64) -> Outcome {
        let usage = Usage { call_millis, ..Usage::default() };
        Outcome { task: task.id, verdict: Verdict::Failed { reason: String::new() }, usage, citations_removed: 0 }
    }

    #[test]
    fn earlier_stages_go_out_first_and_no_more_than_the_window() {
        let mut backlog = Backlog::new(Window::of(2));
        backlog.add(vec![task(1, SurveyStage::Write), task(2, SurveyStage::Digest), task(3, SurveyStage::Digest)]);
        let places = |tasks: &[Task]| tasks.iter().map(|task| task.place.clone()).collect::<Vec<_>>();
        let first = backlog.take(|_| true);
        assert_eq!(places(&first), ["2", "3"]);
        assert!(backlog.take(|_| true).is_empty());
        backlog.ended(&outcome(&first[0], 10));
        assert_eq!(places(&backlog.take(|_| true)), ["1"]);
        assert_eq!(backlog.outstanding().len(), 2);
    }

    #[test]
    fn a_stage_whose_tasks_carry_much_goes_first_when_too_many_wait() {
        let mut backlog = Backlog::new(Window::of(2));
        backlog.add((0..1_000).map(|number| task(number, SurveyStage::Digest)).collect());
        backlog.add((0..=MOST_CARRYING).map(|number| task(number, SurveyStage::Feedback)).collect());
        let stages = backlog.take(|_| true).iter().map(|task| task.stage).collect::<Vec<_>>();
        assert_eq!(stages, [SurveyStage::Feedback, SurveyStage::Digest].map(Stage::from));
    }

    #[test]
    fn what_nobody_awaits_is_forgotten_before_it_is_a_crowd() {
        let mut backlog = Backlog::new(Window::of(2));
        // However many there are that carry little.
        backlog.add((0..4 * CROWD).map(|number| task(number, SurveyStage::Digest)).collect());
        let NewTask { task: awaited, urgency } = task(7, SurveyStage::Feedback);
        for number in 0..4 * CROWD {
            backlog.add(vec![task(number, SurveyStage::Feedback)]);
            backlog.thin(|task| task == awaited.id);
            assert!(backlog.ready[&(urgency.rank, urgency.heavy)].len() <= CROWD);
        }
        assert_eq!(backlog.take(|task| task == awaited.id), [awaited]);
    }

    #[test]
    fn the_window_grows_while_nothing_waits_and_shrinks_when_tasks_stand_in_line() {
        let mut backlog = Backlog::new(Window { least: 1, most: 40 });
        backlog.add((0..200).map(|number| task(number, SurveyStage::Digest)).collect());
        let mut out = backlog.take(|_| true);
        assert_eq!(out.len(), Window::FIRST);
        for task in out.drain(..) {
            backlog.ended(&outcome(&task, 50));
        }
        let mut out = backlog.take(|_| true);
        assert_eq!(out.len(), 40);
        for task in out.drain(..10) {
            let waiting = backlog.out.get_mut(&task.id).unwrap();
            waiting.since -= Duration::from_secs(2);
            backlog.ended(&outcome(&task, 50));
        }
        assert_eq!(backlog.size, 30);
    }
}
