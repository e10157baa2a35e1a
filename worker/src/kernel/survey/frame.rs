//! The part of a prompt shared by all of the survey's kernels.

use tributary_protocol::{
    budget::Window,
    settings::Language,
    survey::{Genre, SurveyBrief},
};

use crate::{kernel::contract::PromptFrame, prompt};

impl PromptFrame for SurveyBrief {
    fn language(&self) -> Language {
        self.language
    }

    fn window(&self) -> Window {
        self.window
    }

    /// Equal for all calls of a language and genre.
    fn system(&self) -> String {
        let genre = match self.genre {
            Genre::Survey => "genre-survey",
            Genre::Guide => "genre-guide",
            Genre::Report => "genre-report",
        };
        prompt::system(self.language, genre)
    }
}
