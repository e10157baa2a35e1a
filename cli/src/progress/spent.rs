//! Formats figures of progress for people.

use tributary_protocol::{job::StageProgress, task::Usage};

use crate::units;

/// Returns the number of tasks of a stage, as far as known.
pub(super) fn total(stage: &StageProgress) -> u64 {
    stage.asked
}

/// Formats usage: `312 calls (40 from cache), 1.11 M tokens, $0.42`. Zero figures are left out, except `no calls`.
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

/// Formats the usage of a stage and the number of degraded tasks.
pub fn stage_spent(stage: &StageProgress) -> String {
    let mut text = spent(&stage.usage);
    if stage.degraded > 0 {
        text.push_str(&format!(", {} degraded", units::count(stage.degraded)));
    }
    text
}
