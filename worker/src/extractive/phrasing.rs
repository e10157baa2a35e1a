//! The few fixed sentences around terms, in both languages, and their reading back.

use tributary_protocol::settings::Language;

const SAY: (&str, &str) = ("What the sources say of ", ".");
const SAY_CHINESE: (&str, &str) = ("各来源关于", "的论述。");
const COVER: (&str, &str, &str) = ("“", "” should also cover ", ".");
const COVER_CHINESE: (&str, &str, &str) = ("“", "”一节还应涵盖", "。");

/// `a, b and c`.
pub fn list(items: &[String], language: Language) -> String {
    let (comma, and) = match language {
        Language::En => (", ", " and "),
        Language::Zh => ("、", "和"),
    };
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{}{and}{last}", most.join(comma)),
    }
}

fn listed(text: &str) -> Vec<String> {
    let text = text.replace(" and ", ", ").replace(['、', '和'], ", ");
    text.split(", ").map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// The instruction to extract these terms for a section.
pub fn extract(terms: &[String], language: Language) -> String {
    if terms.is_empty() {
        return String::new();
    }
    let (before, after) = match language {
        Language::En => SAY,
        Language::Zh => SAY_CHINESE,
    };
    format!("{before}{}{after}", list(terms, language))
}

/// The terms in a sentence made by [`extract`]; none for other sentences.
pub fn extracted(text: &str) -> Option<Vec<String>> {
    [SAY, SAY_CHINESE].iter().find_map(|(before, after)| Some(listed(text.strip_prefix(before)?.strip_suffix(after)?)))
}

/// A further instruction to extract terms, for a section with a description of other origin.
pub fn also(terms: &[String], language: Language) -> String {
    match language {
        Language::En => format!(" Also: {}.", list(terms, language)),
        Language::Zh => format!("另及：{}。", list(terms, language)),
    }
}

/// The instruction to relate the extracted views.
pub fn analyse(terms: &[String], language: Language) -> String {
    let terms = list(&terms[..terms.len().min(3)], language);
    match language {
        _ if terms.is_empty() => String::new(),
        Language::En => format!("How their views of {terms} agree, differ and build on each other."),
        Language::Zh => format!("比较各来源对{terms}的看法有何异同、如何相互补充。"),
    }
}

/// A title where nothing tells.
pub fn other(language: Language) -> String {
    match language {
        Language::En => "Further Topics".to_owned(),
        Language::Zh => "其他主题".to_owned(),
    }
}

/// A suggestion: the terms wanted in each section, by the section's title, and remarks in other words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhrasedSuggestion {
    pub wanted: Vec<(String, Vec<String>)>,
    pub said: Vec<String>,
}

impl PhrasedSuggestion {
    /// Reads a text of [`PhrasedSuggestion::text`], and takes other lines as remarks.
    pub fn read(text: &str) -> Self {
        let mut suggestion = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let wanted = [COVER, COVER_CHINESE].iter().find_map(|(before, between, after)| {
                let (title, terms) = line.strip_prefix(before)?.strip_suffix(after)?.split_once(between)?;
                Some((title.to_owned(), listed(terms)))
            });
            match wanted {
                Some((title, terms)) => suggestion.want(&title, terms),
                None => suggestion.said.push(line.to_owned()),
            }
        }
        suggestion
    }

    /// Adds terms wanted in a section, each once.
    pub fn want(&mut self, title: &str, terms: Vec<String>) {
        let at = self.wanted.iter().position(|(other, _)| other == title).unwrap_or_else(|| {
            self.wanted.push((title.to_owned(), Vec::new()));
            self.wanted.len() - 1
        });
        let known = &mut self.wanted[at].1;
        for term in terms {
            if !known.iter().any(|other| other.to_lowercase() == term.to_lowercase()) {
                known.push(term);
            }
        }
    }

    /// Adds the terms and remarks of another suggestion.
    pub fn join(&mut self, other: Self) {
        for (title, terms) in other.wanted {
            self.want(&title, terms);
        }
        for line in other.said {
            if !self.said.contains(&line) {
                self.said.push(line);
            }
        }
    }

    /// The first lines of the suggestion within `room` tokens.
    pub fn text(&self, language: Language, room: u32) -> String {
        let (before, between, after) = match language {
            Language::En => COVER,
            Language::Zh => COVER_CHINESE,
        };
        let wanted = self
            .wanted
            .iter()
            .filter(|(_, terms)| !terms.is_empty())
            .map(|(title, terms)| format!("{before}{title}{between}{}{after}", list(terms, language)));
        let mut text = String::new();
        for line in wanted.chain(self.said.iter().cloned()) {
            let longer = if text.is_empty() { line } else { format!("{text}\n{line}") };
            if tributary_protocol::budget::count(&longer) <= room {
                text = longer;
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let terms = ["let else".to_owned(), "guards".to_owned(), "or-patterns".to_owned()];
        for language in [Language::En, Language::Zh] {
            assert_eq!(extracted(&extract(&terms, language)).unwrap(), terms);
            let mut suggestion = PhrasedSuggestion::default();
            suggestion.want("Patterns", terms.to_vec());
            suggestion.want("Patterns", terms.to_vec());
            suggestion.want("Types and Traits", terms[..1].to_vec());
            suggestion.said.push("Split the first chapter.".to_owned());
            assert_eq!(PhrasedSuggestion::read(&suggestion.text(language, 1000)), suggestion);
            assert_eq!(suggestion.text(language, 0), "");
        }
    }
}
