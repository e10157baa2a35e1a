//! Telling phrases: subjects of a few texts and not of the others, and titles made of them.

use std::collections::{BTreeMap, BTreeSet};

use tributary_protocol::settings::Language;

use super::{
    phrases::{LONGEST, PhraseOccurrence, is_generic, occurrences, overlap, whole, words},
    phrasing,
    terms::stem,
};

/// The profile of a phrase over all texts.
#[derive(Default)]
struct PhraseProfile {
    surfaces: BTreeMap<String, f64>,
    words: usize,
    noun: f64,
    verb: f64,
    holders: usize,
    is_generic: bool,
    /// The number of different characters before and after the phrase; each end of a run counts as another character.
    variety: [BTreeSet<Result<char, u32>>; 2],
    is_unspaced: bool,
}

impl PhraseProfile {
    fn surface(&self) -> &str {
        let mut best = ("", 0.0);
        for (surface, &weight) in &self.surfaces {
            if weight > best.1 {
                best = (surface, weight);
            }
        }
        best.0
    }

    /// The surface, or the plural where common enough.
    fn plural(&self) -> &str {
        let surface = self.surface();
        let plural = format!("{surface}s");
        let all: f64 = self.surfaces.values().sum();
        let met =
            |(other, weight): &(&String, &f64)| other.to_lowercase() == plural.to_lowercase() && **weight * 8.0 >= all;
        self.surfaces.iter().find(met).map_or(surface, |(plural, _)| plural)
    }

    /// Tells whether the phrase is only a fragment of a longer word. In scripts without spaces, a word is known by
    /// different characters on either side (accessor variety, Feng et al. 2004).
    fn is_torn(&self) -> bool {
        let fewest = self.variety.iter().map(BTreeSet::len).min().unwrap_or_default();
        let whole = self.variety.iter().all(|side| side.iter().any(Result::is_err));
        self.is_unspaced && fewest < 2 && !whole
    }

    fn tells(&self) -> bool {
        !self.is_generic && !self.is_torn()
    }

    /// The suitability of the phrase's form for a title or a list of terms.
    fn form(&self) -> f64 {
        let odd = self.surface().contains(|c: char| c == '_' || c.is_ascii_digit());
        let size = [1.0, 1.0, 1.6, 1.5][self.words.min(LONGEST)];
        let noun = (1.0 + self.noun) / (1.0 + self.noun + 2.0 * self.verb);
        let generic = if self.tells() { 1.0 } else { 0.02 };
        size * noun * generic * if odd { 0.5 } else { 1.0 }
    }
}

/// A text to find phrases in: its title, with more weight, and its body.
pub struct TitledText<'a> {
    pub title: &'a str,
    pub body: &'a str,
}

const TITLE_WEIGHT: f64 = 3.0;

/// The phrases of a collection of texts.
pub struct TellingPhrases {
    phrases: BTreeMap<String, PhraseProfile>,
    /// Each text's phrases with their weights.
    holdings: Vec<BTreeMap<String, f64>>,
}

impl TellingPhrases {
    /// Collects the phrases of texts, without phrases made of `known` words only, such as the article's title.
    pub fn of(texts: &[TitledText<'_>], known: &str) -> Self {
        let known: BTreeSet<String> =
            words(known).into_iter().flatten().map(|word| stem(&word.to_lowercase())).collect();
        let mut telling = Self { phrases: BTreeMap::new(), holdings: Vec::new() };
        for text in texts {
            let mut holding = BTreeMap::new();
            let mut title = occurrences(text.title);
            if !title.iter().any(|found| !is_generic(&found.key)) {
                title.extend(whole(text.title));
            }
            for (found, weight) in title
                .into_iter()
                .map(|found| (found, TITLE_WEIGHT))
                .chain(occurrences(text.body).into_iter().map(|found| (found, 1.0)))
            {
                if found.key.split(' ').all(|word| known.contains(word)) {
                    continue;
                }
                *holding.entry(found.key.clone()).or_default() += weight * found.whole;
                telling.note(found, weight);
            }
            for key in holding.keys() {
                telling.phrases.get_mut(key).expect("noted above").holders += 1;
            }
            telling.holdings.push(holding);
        }
        telling
    }

    fn note(&mut self, found: PhraseOccurrence, weight: f64) {
        let phrase = self.phrases.entry(found.key.clone()).or_default();
        // A capital in a title says nothing about the word.
        let titled = weight > 1.0;
        let surface = if titled { uncapitalised(&found.surface) } else { found.surface };
        *phrase.surfaces.entry(surface).or_default() += if titled { 0.5 } else { 1.0 };
        for (side, beside) in found.sides.into_iter().flatten().enumerate() {
            let ends = phrase.variety[side].len() as u32;
            phrase.variety[side].insert(beside.ok_or(ends));
        }
        phrase.is_unspaced = found.sides.is_some();
        phrase.words = found.words;
        phrase.noun += found.noun + weight - 1.0;
        phrase.verb += found.verb;
        phrase.is_generic = found.words < 9 && is_generic(&found.key);
    }

    /// Keys of phrases typical of some texts, each text with its weight, and rare in the others, the most telling
    /// first.
    fn ranked(&self, members: &[(usize, f64)]) -> Vec<(&str, f64)> {
        let all: f64 = members.iter().map(|(_, weight)| weight).sum();
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for &(i, weight) in members {
            for (key, count) in &self.holdings[i] {
                let sum = sums.entry(key).or_default();
                sum.0 += weight * count.ln_1p();
                sum.1 += weight;
            }
        }
        let texts = self.holdings.len() as f64;
        let mut ranked: Vec<(&str, f64)> = sums
            .into_iter()
            .map(|(key, (count, covered))| {
                let phrase = &self.phrases[key];
                let holders = phrase.holders as f64;
                let common = texts >= 4.0 && holders > texts / 2.0 && members.len() * 5 < self.holdings.len() * 4;
                let rare = if common { 0.05 } else { ((texts + 1.0) / holders).ln() };
                (key, (0.4 * count + covered) / all.max(1e-9) * rare * phrase.form())
            })
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        ranked
    }

    /// The most telling phrases of some texts, none a part of another.
    pub fn terms(&self, members: &[(usize, f64)], most: usize) -> Vec<String> {
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in self.ranked(members) {
            if keys.len() == most {
                break;
            }
            if self.phrases[key].tells() && !keys.iter().any(|other| overlap(key, other)) {
                keys.push(key);
            }
        }
        keys.into_iter().map(|key| self.phrases[key].surface().to_owned()).collect()
    }

    /// A title for some texts, not yet `taken`: the most telling phrase, joined by the most telling phrases of the
    /// texts without the first.
    pub fn title(&self, members: &[(usize, f64)], taken: &mut BTreeSet<String>, language: Language) -> String {
        let firsts: Vec<String> = self.ranked(members).into_iter().take(6).map(|(key, _)| key.to_owned()).collect();
        let titles = firsts.into_iter().map(|first| self.joined(&self.completed(first, members), language));
        let free = titles.into_iter().find(|title| !taken.contains(&title.to_lowercase()));
        unique(free.unwrap_or_else(|| phrasing::other(language)), taken)
    }

    /// A phrase, and further phrases for the texts without the first, as long as such texts are many.
    fn completed(&self, first: String, members: &[(usize, f64)]) -> Vec<String> {
        let weight = |members: &[(usize, f64)]| members.iter().map(|(_, weight)| weight).sum::<f64>();
        let most = if members.len() <= 4 { 3 } else { 2 };
        let mut keys = vec![first];
        while keys.len() < most {
            let told = |i: usize| keys.iter().any(|key| self.holdings[i].contains_key(key));
            let left: Vec<_> = members.iter().copied().filter(|&(i, _)| !told(i)).collect();
            if weight(&left) <= 0.4 * weight(members) {
                break;
            }
            let fits = |key: &&str| !keys.iter().any(|other| overlap(key, other)) && self.phrases[*key].tells();
            let Some(next) = self.ranked(&left).into_iter().map(|(key, _)| key).find(fits) else { break };
            keys.push(next.to_owned());
        }
        keys
    }

    fn joined(&self, keys: &[String], language: Language) -> String {
        let titled: Vec<String> = keys.iter().map(|key| title_case(self.phrases[key].plural())).collect();
        phrasing::list(&titled, language)
    }
}

/// A title made unique.
fn unique(title: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{title} ({number})"));
    let free = std::iter::once(title.clone()).chain(numbered).find(|title| !taken.contains(&title.to_lowercase()));
    let title = free.expect("numbers don't end");
    taken.insert(title.to_lowercase());
    title
}

pub fn title_case(phrase: &str) -> String {
    let word = |word: &str| {
        let plain = word.chars().all(|c| c.is_lowercase() || c == '-' || c == '\'');
        let mut chars = word.chars();
        match chars.next() {
            Some(first) if plain => first.to_uppercase().chain(chars).collect(),
            _ => word.to_owned(),
        }
    };
    phrase.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A title's phrase without a capital owed to its place.
fn uncapitalised(phrase: &str) -> String {
    let mut chars = phrase.chars();
    match chars.next() {
        Some(first) if phrase.contains(' ') && chars.as_str().chars().all(|c| !c.is_uppercase()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => phrase.to_owned(),
    }
}

/// The most telling phrases of a text as (key, surface, weight), the greatest weight first.
pub fn phrases(text: &str) -> Vec<(String, String, f64)> {
    let telling = TellingPhrases::of(&[TitledText { title: "", body: text }], "");
    let Some(holding) = telling.holdings.first() else { return Vec::new() };
    let mut found: Vec<_> = holding
        .iter()
        .map(|(key, count)| (key, &telling.phrases[key], count))
        .filter(|(_, phrase, _)| phrase.tells())
        .map(|(key, phrase, count)| (key.clone(), phrase.surface().to_owned(), count * phrase.form()))
        .collect();
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_what_the_others_do_not_and_differ() {
        let texts = [
            ("RFC 1 Guard patterns", "Guard patterns restrict a match. A guard pattern is a pattern."),
            ("RFC 2 Or patterns", "The guard patterns of a match can be nested in other patterns."),
            ("RFC 3 If let", "Introduce a new `if let PAT = EXPR { BODY }` construct."),
            ("RFC 4 Lock file", "The lock file of cargo records versions. Update the lock file."),
        ]
        .map(|(title, body)| TitledText { title, body });
        let telling = TellingPhrases::of(&texts, "The Rust Language");
        let mut taken = BTreeSet::new();
        let mut title = |members: &[usize]| {
            let members: Vec<_> = members.iter().map(|&i| (i, 1.0)).collect();
            telling.title(&members, &mut taken, Language::En)
        };
        assert_eq!(title(&[0, 1]), "Guard Patterns");
        assert_eq!(title(&[3]), "Lock File");
        assert_ne!(title(&[3]), "Lock File");
    }
}
