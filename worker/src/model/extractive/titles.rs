//! Telling phrases: what a few texts talk about and the others don't.
//!
//! Candidates are runs of words between stop words and punctuation, as in RAKE (Rose et al. 2010). Which of them are
//! nouns is told by their company: what follows `the` or `of` mostly is, what follows `to` or stands before `the` isn't.

use std::collections::{BTreeMap, BTreeSet};

use tributary_protocol::settings::Language;

use super::{
    phrasing,
    terms::{is_particle, is_stop, is_unspaced, stem},
};

/// Words that any source has, by stem: they tell nothing by themselves.
const GENERIC: &str = "abstract accept act add address advantag aim allow alreadi alternativ altern amend analysi announc \
    answer appear appli approach articl aspect assum attempt author background base basi benefit break call chang chapter choic \
    choos clear close combin come comment common compar compat complet complex concept conclus concret consid consist \
    contain context continu contribut convent copi correct cost cover creat current decid decis declar defin \
    definit depend deriv describ design desir detail determin develop differ direct discuss document drawback easi easier \
    effect enabl ensur establish evid exampl exist expect experi explain explicit explor express extend extens fact \
    featur figur final fix focus follow form formal full function futur gener goal guarante guid guidelin handl happen \
    help idea implement implic impli import improv includ increas indic individu initi instanc intend intent interest \
    introduc introduct involv issu item keep know lack languag larg lead learn leav level limit list literatur long main \
    maintain major make manner mean mechan method minim minor model modifi modif motiv multipl name natur necessari need \
    new note notion novel number object obtain offer old oper option order origin outlin outsid overview paper paragraph \
    part particular perform permit person place plan point popular possibl potenti practic precis present prevent \
    previous principl problem process produc program project promot proper properti propos provid purpos question rational read \
    reason recent recommend reduc refer relat relev remain remov renam replac report requir research resolv respect rest \
    restrict result return review revis rfc role rule scope section seek semant separ seri set share short show \
    signific similar simpl simpli simplifi singl situat small solut solv sourc special specif specifi stabil standard start \
    statement step strategi strong structur studi subject suggest suitabl summari summar support survey system \
    tabl talk task techniqu term thesi thing think thought time titl togeth topic tradit treat tri true type typic \
    undefin understand unifi uniqu unresolv updat use user usag valid valu variant variat various version view wai want way \
    whole word work world write written year appendix onc proceed vari follow-up mention motivation lot bit stuff \
    today tomorrow yesterday everyone someone anyone end begin run";

/// Most words of a phrase.
const LONGEST: usize = 3;
/// Most characters of an unspaced phrase.
const LONGEST_UNSPACED: usize = 6;

/// A phrase as it occurs in a text.
struct Occurrence {
    key: String,
    surface: String,
    words: usize,
    /// 1 where it fills its run, less where it is a part of one.
    whole: f64,
    noun: f64,
    verb: f64,
}

/// What is known of a phrase over all texts.
#[derive(Default)]
struct Phrase {
    surfaces: BTreeMap<String, f64>,
    words: usize,
    noun: f64,
    verb: f64,
    holders: usize,
    is_generic: bool,
}

impl Phrase {
    fn surface(&self) -> &str {
        let mut best = ("", 0.0);
        for (surface, &weight) in &self.surfaces {
            if weight > best.1 {
                best = (surface, weight);
            }
        }
        best.0
    }

    /// How well its form suits a title or a list of terms.
    fn form(&self) -> f64 {
        let odd = self.surface().contains(|c: char| c == '_' || c.is_ascii_digit());
        let size = [1.0, 1.0, 1.6, 1.3][self.words.min(LONGEST)];
        let noun = (1.0 + self.noun) / (1.0 + self.noun + 2.0 * self.verb);
        let generic = if self.is_generic { 0.02 } else { 1.0 };
        size * noun * generic * if odd { 0.5 } else { 1.0 }
    }
}

/// A text to find phrases in: its title, which counts more, and what it says.
pub struct Text<'a> {
    pub title: &'a str,
    pub body: &'a str,
}

const TITLE_WEIGHT: f64 = 3.0;

/// The phrases of a collection of texts.
pub struct Telling {
    phrases: BTreeMap<String, Phrase>,
    /// Each text's phrases with how much it makes of them.
    holdings: Vec<BTreeMap<String, f64>>,
}

impl Telling {
    /// Phrases whose words all stand in `known`, such as the article's title, are none.
    pub fn of(texts: &[Text<'_>], known: &str) -> Self {
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

    fn note(&mut self, found: Occurrence, weight: f64) {
        let phrase = self.phrases.entry(found.key.clone()).or_default();
        // Titles are capitalised for their own reasons.
        *phrase.surfaces.entry(found.surface).or_default() += if weight > 1.0 { 0.5 } else { 1.0 };
        phrase.words = found.words;
        phrase.noun += found.noun + weight - 1.0;
        phrase.verb += found.verb;
        phrase.is_generic = found.words < 9 && is_generic(&found.key);
    }

    /// Keys of what some of the texts, each with its weight, talk about and the others don't, the most telling first.
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
            if !self.phrases[key].is_generic && !keys.iter().any(|other| overlap(key, other)) {
                keys.push(key);
            }
        }
        keys.into_iter().map(|key| self.phrases[key].surface().to_owned()).collect()
    }

    /// A title for some texts that isn't `taken` yet: the phrase that tells most of them, joined by what tells most of
    /// those it leaves out.
    pub fn title(&self, members: &[(usize, f64)], taken: &mut BTreeSet<String>, language: Language) -> String {
        let ranked = self.ranked(members);
        let best = |except: &[&str], members: &[(usize, f64)], ranked: &[(&str, f64)]| {
            let fits = |key: &str| !except.iter().any(|other| shares_word(key, other));
            let held = |key: &str| members.iter().any(|&(i, _)| self.holdings[i].contains_key(key));
            ranked.iter().map(|(key, _)| (*key).to_owned()).find(|key| fits(key) && held(key))
        };
        let Some(first) = best(&[], members, &ranked) else { return unique(phrasing::other(language), taken) };
        let left: Vec<_> = members.iter().copied().filter(|&(i, _)| !self.holdings[i].contains_key(&first)).collect();
        let weight = |members: &[(usize, f64)]| members.iter().map(|(_, weight)| weight).sum::<f64>();
        let mut keys = vec![first];
        if weight(&left) > 0.4 * weight(members) {
            keys.extend(best(&[&keys[0]], &left, &self.ranked(&left)));
        }
        if taken.contains(&self.joined(&keys, language).to_lowercase()) && keys.len() == 1 {
            keys.extend(best(&[&keys[0]], members, &ranked));
        }
        unique(self.joined(&keys, language), taken)
    }

    fn joined(&self, keys: &[String], language: Language) -> String {
        let titled: Vec<String> = keys.iter().map(|key| title_case(self.phrases[key].surface())).collect();
        phrasing::list(&titled, language)
    }
}

/// A title that nothing else has.
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

/// Whether one phrase's words are all among the other's.
pub fn overlap(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| a.split(' ').all(|word| b.split(' ').any(|other| other == word));
    within(a, b) || within(b, a) || (a.contains(|c| is_unspaced(c)) && (a.contains(b) || b.contains(a)))
}

fn shares_word(a: &str, b: &str) -> bool {
    overlap(a, b) || a.split(' ').any(|word| b.split(' ').any(|other| other == word))
}

fn is_generic(key: &str) -> bool {
    key.split(' ').all(|word| GENERIC.split_whitespace().any(|generic| generic == word))
}

/// The most telling phrases of one text, as (key, surface, how much it makes of it), the most first.
pub fn phrases(text: &str) -> Vec<(String, String, f64)> {
    let telling = Telling::of(&[Text { title: "", body: text }], "");
    let Some(holding) = telling.holdings.first() else { return Vec::new() };
    let mut found: Vec<_> = holding
        .iter()
        .map(|(key, count)| (key, &telling.phrases[key], count))
        .filter(|(_, phrase, _)| !phrase.is_generic)
        .map(|(key, phrase, count)| (key.clone(), phrase.surface().to_owned(), count * phrase.form()))
        .collect();
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    found
}

/// The phrases of a text, each as often as it occurs.
fn occurrences(text: &str) -> Vec<Occurrence> {
    let mut found = Vec::new();
    let words = words(text);
    let mut start = 0;
    while start < words.len() {
        let telling = |at: usize| words[at].as_deref().is_some_and(|word: &str| !is_stop(&word.to_lowercase()));
        if !telling(start) {
            start += 1;
            continue;
        }
        let end = (start..words.len()).find(|&at| !telling(at)).unwrap_or(words.len());
        spaced(&words, start..end, &mut found);
        start = end;
    }
    for run in text.split(|c| !is_unspaced(c) || is_particle(c)) {
        unspaced(run, &mut found);
    }
    found
}

/// The parts of a run of words.
fn spaced(words: &[Option<String>], run: std::ops::Range<usize>, found: &mut Vec<Occurrence>) {
    let word = |at: usize| words.get(at).and_then(Option::as_deref).map(str::to_lowercase);
    let among = |word: Option<String>, list: &str| word.is_some_and(|word| list.split(' ').any(|other| other == word));
    for start in run.clone() {
        let before = start.checked_sub(1).and_then(word);
        let noun = among(before.clone(), "a an the of on for in with by from between its their this these no new via");
        let verb = among(before, "to will can should must would could may we not cannot don't doesn't they it also");
        for end in start + 1..=run.end.min(start + LONGEST) {
            let surfaces: Vec<&str> = words[start..end].iter().flatten().map(String::as_str).collect();
            let stems: Vec<String> = surfaces.iter().map(|word| stem(&word.to_lowercase())).collect();
            let acts = among(word(end), "a an the this these those all its their that");
            let last = surfaces.last().copied().unwrap_or_default();
            let adverb = last.ends_with("ly") || last.ends_with("ed");
            let edges = is_generic(&stems[0]) || is_generic(&stems[stems.len() - 1]);
            let whole = if run.len() == end - start { 1.0 } else { 0.6 };
            found.push(Occurrence {
                key: stems.join(" "),
                surface: surfaces.join(" "),
                words: end - start,
                whole: if edges && stems.len() > 1 { whole * 0.5 } else { whole },
                noun: f64::from(u8::from(noun)),
                verb: f64::from(u8::from(verb || acts)) + if adverb { 1.5 } else { 0.0 },
            });
        }
    }
}

/// The parts of a run of unspaced characters.
fn unspaced(run: &str, found: &mut Vec<Occurrence>) {
    let chars: Vec<char> = run.chars().collect();
    for start in 0..chars.len() {
        for end in start + 2..=chars.len().min(start + LONGEST_UNSPACED) {
            let surface: String = chars[start..end].iter().collect();
            let whole = end - start == chars.len();
            let edge = start == 0 || end == chars.len();
            let weight = if whole {
                1.0
            } else if edge {
                0.4
            } else {
                0.15
            };
            if !is_stop(&surface) {
                let words = ((end - start) / 2).min(LONGEST);
                found.push(Occurrence { key: surface.clone(), surface, words, whole: weight, noun: weight, verb: 0.0 });
            }
        }
    }
}

/// A whole title, where its words alone say nothing: `If let`, `Types`.
fn whole(title: &str) -> Option<Occurrence> {
    let words: Vec<String> = words(title).into_iter().flatten().collect();
    let named = words.iter().position(|word| stem(&word.to_lowercase()) != "rfc")?;
    let words = &words[named..];
    let stems: Vec<String> = words.iter().map(|word| stem(&word.to_lowercase())).collect();
    // Marked as no generic phrase by a length that no part of a run has.
    (words.len() <= 5).then(|| Occurrence {
        key: stems.join(" "),
        surface: words.join(" "),
        words: 9,
        whole: 1.0,
        noun: 1.0,
        verb: 0.0,
    })
}

/// The words of a text in order; none where a phrase can't go on: at punctuation, numbers, and code that is no name.
fn words(text: &str) -> Vec<Option<String>> {
    let mut words = Vec::new();
    for part in text.split_whitespace() {
        let ordinary = |c: char| "`\"'*_()[],.;:!?“”‘’".contains(c);
        let core = part.trim_matches(ordinary);
        let (lead, trail) = (part.find(core).unwrap_or(0), part.len() - core.len());
        let marks = |marks: &str| marks.contains(|c: char| "()[],.;:!?".contains(c));
        if marks(&part[..lead]) {
            words.push(None);
        }
        let named = core.chars().all(|c| (c.is_alphanumeric() && !is_unspaced(c)) || "-_'’".contains(c));
        let lettered = core.chars().filter(|c| c.is_alphabetic()).count() >= 2;
        words.push((named && lettered).then(|| core.to_owned()));
        if trail > 0 && marks(&part[lead + core.len()..]) {
            words.push(None);
        }
    }
    words
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
        .map(|(title, body)| Text { title, body });
        let telling = Telling::of(&texts, "The Rust Language");
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
