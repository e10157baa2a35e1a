//! Progress of jobs for people: bars on a terminal, lines elsewhere.

mod bars;
mod lines;
mod pace;
mod spent;
mod view;

use std::time::{Duration, Instant};

use tokio::{sync::watch, time::sleep};
use tributary_protocol::job::Progress;

pub use self::spent::{spent, stage_spent};
use self::{bars::Bars, lines::Lines, view::View};
use crate::{args::ProgressStyle, interrupt::Interrupt, terminal::Terminal};

/// The shortest time between two redraws.
const REST: Duration = Duration::from_millis(100);

/// The longest time between two redraws, so that clocks advance while nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// Shows a job until the sender is dropped or the user interrupts. Lines begin with `title` if several jobs run.
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
