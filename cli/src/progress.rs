//! How far the jobs are, for people: bars on a terminal, lines elsewhere.

mod bars;
mod lines;
mod pace;

use std::time::{Duration, Instant};

use tokio::{sync::watch, time::sleep};
use tributary_protocol::{
    job::{Progress, StageProgress},
    task::Usage,
};

use self::{bars::Bars, lines::Lines};
use crate::{args::ProgressStyle, interrupt::Interrupt, terminal::Terminal, units};

/// The shortest time between two drawings.
const REST: Duration = Duration::from_millis(100);

/// The longest, so that clocks run on while nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// One job on the screen.
trait View: Send {
    fn update(&mut self, progress: &Progress, now: Instant);
    /// The job has ended, this way or that; nothing follows.
    fn end(&mut self, progress: &Progress, now: Instant);
}

/// Shows a job until its sender is dropped or the user has had enough. `title` names it where several are under way.
pub async fn follow(
    title: &str,
    mut updates: watch::Receiver<Progress>,
    style: ProgressStyle,
    several: bool,
    interrupt: &Interrupt,
    terminal: &Terminal,
) {
    let Some(mut view) = view(title, style, several, terminal) else { return };
    loop {
        let progress = updates.borrow_and_update().clone();
        view.update(&progress, Instant::now());
        tokio::select! {
            changed = updates.changed() => match changed {
                Ok(()) => sleep(REST).await,
                Err(_) => break,
            },
            () = interrupt.wait() => break,
            () = sleep(TICK) => {}
        }
    }
    let progress = updates.borrow().clone();
    view.end(&progress, Instant::now());
}

fn view(title: &str, style: ProgressStyle, several: bool, terminal: &Terminal) -> Option<Box<dyn View>> {
    let bars = match style {
        _ if terminal.is_quiet() => return None,
        ProgressStyle::None => return None,
        ProgressStyle::Bars => true,
        ProgressStyle::Lines => false,
        ProgressStyle::Auto => terminal.takes_bars(),
    };
    Some(if bars {
        Box::new(Bars::new(title, terminal))
    } else {
        let name = if several { format!("{title}: ") } else { String::new() };
        let terminal = terminal.clone();
        Box::new(Lines::new(name, move |line| terminal.say(line)))
    })
}

/// How many tasks a stage will have, as far as is known.
fn total(stage: &StageProgress) -> u64 {
    stage.asked
}

/// `312 calls (40 from cache), 1.11 M tokens, $0.42`; what is nought is left out, but for `no calls`.
pub fn spent(usage: &Usage) -> String {
    if usage.calls + usage.calls_from_cache + usage.calls_failed == 0 {
        return "no calls".to_owned();
    }
    let cached = match usage.calls_from_cache {
        0 => String::new(),
        cached => format!(" ({} from cache)", units::count(cached)),
    };
    let mut parts = vec![units::plural(usage.calls + usage.calls_from_cache, "call") + &cached];
    let tokens = usage.prompt_tokens + usage.reply_tokens;
    if tokens > 0 {
        parts.push(format!("{} tokens", units::count(tokens)));
    }
    if usage.cost_micros > 0 {
        parts.push(units::money(usage.cost_micros));
    }
    if usage.calls_failed > 0 {
        parts.push(format!("{} failed", units::count(usage.calls_failed)));
    }
    parts.join(", ")
}

/// The same of one stage, with what went wrong.
pub fn stage_spent(stage: &StageProgress) -> String {
    let mut text = spent(&stage.usage);
    if stage.degraded > 0 {
        text.push_str(&format!(", {} degraded", units::count(stage.degraded)));
    }
    text
}
