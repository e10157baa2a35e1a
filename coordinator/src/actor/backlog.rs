//! The tasks of a job that have no outcome: waiting ones and published ones.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use tributary_protocol::{
    id::TaskId,
    task::{Outcome, Task},
};

use crate::tasks::NewTask;

/// Bounds on the number of a job's tasks in flight.
///
/// With too few in flight workers idle; with too many, tasks of other jobs queue behind them. Between `least` and
/// `most` the window adapts: it grows while tasks are started at once, and shrinks when tasks wait for longer than a
/// quarter of the time that their calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub least: usize,
    pub most: usize,
}

impl Window {
    /// The initial size of a window, within the window's limits.
    const FIRST: usize = 32;

    /// The waiting time up to which a delay is taken for the way to the workers, not for a queue.
    const UNNOTICED: Duration = Duration::from_millis(200);

    /// Returns a window of a fixed size.
    pub fn of(size: usize) -> Self {
        Self { least: size, most: size }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { least: 16, most: 1024 }
    }
}

/// The most heavy tasks of a rank that wait behind earlier ones. Data for heavy tasks stays in memory while they wait:
/// digests for the feedback, outlines for the convolution. Without a bound that memory would grow with the corpus.
const MOST_CARRYING: usize = 512;

pub(super) struct Backlog {
    /// Tasks not yet published, by lane and, within a lane, in the order of asking.
    ready: BTreeMap<Lane, VecDeque<Task>>,
    /// Tasks published and without an outcome.
    out: HashMap<TaskId, Out>,
    limits: Window,
    size: usize,
    /// The number of waiting heavy tasks above which tasks that nothing awaits any more are removed.
    crowd: usize,
}

/// The least value of [`Backlog::crowd`].
const CROWD: usize = 1024;

struct Out {
    task: Task,
    since: Instant,
}

/// The rank of tasks, and true for heavy ones.
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

    /// Takes note of an outcome and adapts the window to the time that its task waited. Returns the task and the time
    /// of its publication, if the task was in flight.
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

    /// Removes tasks that aren't `awaited` any more, once those may be half of the waiting tasks. A replay takes no
    /// tasks from the backlog, so without removal every task that the job ever asked for would be in memory at once,
    /// with its data.
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

    /// Takes the tasks that the window has room for and that are still `awaited`. During a replay a task may be asked
    /// for before its outcome is read.
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

    /// Takes the next task to publish: from the first rank, unless too many heavy tasks wait behind it.
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

    /// Iterates over the tasks in flight.
    pub fn published(&self) -> impl Iterator<Item = &Task> {
        self.out.values().map(|out| &out.task)
    }

    /// Returns copies of all tasks in flight.
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
