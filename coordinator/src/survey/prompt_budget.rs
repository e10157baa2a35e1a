//! The prompt budget of a survey: every size limit, derived once from the window and the number of sources.

use tributary_protocol::{
    budget::Window,
    survey::{SurveyLimits, SurveySettings},
};

/// The most tokens of a prompt that a kernel's own words take: system message, instructions, the reply's schema. The
/// worker's tests hold every kernel to this bound.
const OVERHEAD: u32 = 600;

/// Tokens of a handle offered for citing: once in the schema, and once beside its note.
pub(crate) const HANDLE: u32 = 5;

/// Tokens of a handle in a reply that has to name all the handles offered.
pub(crate) const HANDLE_IN_REPLY: u32 = 5;

/// The most notes that a call writes from or condenses: a model loses track of more, and servers bound the handles that
/// a schema may list.
pub(crate) const MOST_NOTES: usize = 150;

/// The most titles that a call groups: the reply names every title, and grows with them.
pub(crate) const MOST_TITLES: usize = 200;

/// The most outlines that a call merges.
pub(crate) const MOST_OUTLINES: usize = 32;

/// Room in prompts, in tokens, after the kernel's words and the largest reply.
#[derive(Clone, Copy, Debug)]
pub struct PromptBudget {
    pub limits: SurveyLimits,
    /// Room for titles to group; the reply is as large again.
    pub titles: u32,
    /// Room for leads of sources to outline.
    pub leads: u32,
    /// Room for outlines to merge.
    pub outlines: u32,
    /// Room for a chunk of a source beside an outline.
    pub chunk: u32,
    /// Room for digests of a group beside an outline.
    pub digests: u32,
    /// Room for candidates to convolve.
    pub candidates: u32,
    /// Room for notes to write a section from, or to condense.
    pub notes: u32,
    /// Room for written sections to introduce.
    pub children: u32,
}

impl PromptBudget {
    pub fn new(window: Window, settings: &SurveySettings, sources: usize) -> Self {
        let usable = window.usable() - OVERHEAD;
        let width = settings.convolution.width;
        // A convolution shows `width` outlines, each with a suggestion of a fifth its size. The reply is another
        // outline, half as large again in JSON. The outline's size is the only variable.
        let most_outline = usable / (12 * width + 17) * 10;
        let sections = (4.0 + 2.0 * (sources as f64).sqrt().round()).clamp(8.0, 36.0) as u32;
        let sections = sections.min(most_outline / 45);
        let outline = (sections * 75).min(most_outline);
        let limits = SurveyLimits {
            sections,
            outline,
            suggestion: 160.min(outline / 5),
            // A small corpus has longer digests per source than a large one.
            digest: (if sources <= 40 { 700 } else { 400 }).min(usable / 8),
            passage: (settings.writing.words.saturating_mul(3) / 2).min(usable / 4),
        };
        let outline_reply = limits.outline * 3 / 2 + limits.suggestion;
        let digest_reply = limits.digest * 3 / 2 + limits.suggestion;
        let passage_reply = limits.passage * 2;
        Self {
            limits,
            titles: usable / 2,
            leads: usable - outline_reply,
            outlines: usable - outline_reply,
            chunk: usable - limits.outline - digest_reply,
            digests: usable - limits.outline - outline_reply,
            candidates: usable - outline_reply,
            notes: usable - passage_reply.max(usable / 4),
            children: usable - passage_reply,
        }
    }
}

/// The most tokens of a chunk, for any number of sources: splitting comes before counting them.
pub(crate) fn chunk_room(window: Window, settings: &SurveySettings) -> u32 {
    [1, 40, usize::MAX]
        .map(|sources| PromptBudget::new(window, settings, sources).chunk)
        .into_iter()
        .min()
        .expect("three")
}

#[cfg(test)]
mod tests {
    use tributary_protocol::settings::JobSettings;

    use super::*;

    #[test]
    fn the_smallest_window_has_room_for_every_prompt() {
        for sources in [1, 20, 187, 100_000] {
            let settings = SurveySettings::default();
            let budget = PromptBudget::new(Window(JobSettings::LEAST_WINDOW), &settings, sources);
            let width = settings.convolution.width;
            assert!(budget.candidates >= width * (budget.limits.outline + budget.limits.suggestion), "{budget:?}");
            assert!(budget.chunk >= 1000 && budget.digests >= 1000 && budget.notes >= 1000, "{budget:?}");
            assert!(budget.limits.sections >= 8, "{budget:?}");
        }
    }
}
