//! The prompt budget of an answer: every size limit, derived from the context window.

use tributary_protocol::{answer::AnswerLimits, budget::Window};

/// The most tokens of a prompt that a kernel's own words take: system message, instructions, the reply's schema. The
/// worker's tests hold every kernel to this bound.
const OVERHEAD: u32 = 1_000;

/// Tokens of the schema for the handles of quotes, per token of the findings shown.
const HANDLES: f64 = 0.15;

/// Room in prompts, in tokens, after the kernel's words and the largest reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerBudget {
    pub limits: AnswerLimits,
    /// Room for a chunk of a source.
    pub chunk: u32,
    /// Room for findings to collapse or to conclude from.
    pub findings: u32,
}

impl AnswerBudget {
    pub fn new(window: Window) -> Self {
        let usable = window.usable() - OVERHEAD;
        let limits = AnswerLimits {
            finding: (usable / 5).min(900),
            collapsed: (usable / 4).min(4_000),
            answer: (usable / 4).min(2_000),
        };
        let largest_reply = (limits.collapsed.max(limits.answer)) * 3 / 2 + 256;
        Self {
            limits,
            chunk: usable - limits.finding * 3 / 2 - 128,
            findings: (f64::from(usable - largest_reply) * (1.0 - HANDLES)) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use tributary_protocol::settings::JobSettings;

    use super::*;

    #[test]
    fn the_smallest_window_has_room_for_a_chunk_and_for_several_findings() {
        let budget = AnswerBudget::new(Window(JobSettings::LEAST_WINDOW));
        assert!(budget.chunk >= 1_000 && budget.findings >= 2 * budget.limits.finding, "{budget:?}");
    }
}
