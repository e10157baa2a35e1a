//! The bill of a task: usage and cost of its calls so far.

use tributary_protocol::task::Usage;

use super::models::ModelPrice;
use crate::model::TokenUsage;

/// The costs and losses of one task so far.
#[derive(Default)]
pub(super) struct TaskBill {
    pub usage: Usage,
    /// Removed citations of sources not offered in the call.
    pub citations_removed: u32,
}

impl TaskBill {
    /// Adds an answered call with its tokens.
    pub fn add_call(&mut self, tokens: TokenUsage, price: &ModelPrice) {
        self.usage.calls += 1;
        self.usage.prompt_tokens += tokens.prompt_tokens;
        self.usage.prompt_tokens_cached += tokens.cached_prompt_tokens;
        self.usage.reply_tokens += tokens.reply_tokens;
        self.usage.cost_micros += price.micros(tokens);
    }

    /// Adds a failed call.
    pub fn add_failed_call(&mut self) {
        self.usage.calls_failed += 1;
    }
}
