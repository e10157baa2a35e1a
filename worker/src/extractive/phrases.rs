//! Phrases in texts.
//!
//! Phrases are runs of words between stop words and punctuation, and the parts of such runs, as in RAKE (Rose et al.
//! 2010). Nouns are told by their company: words after `the` or `of` mostly are nouns, words after `to` or before `the`
//! are not. In scripts without spaces a run stands between grammatical characters.

use std::{collections::HashSet, sync::LazyLock};

use super::terms::{is_particle, is_stop, is_unspaced, stem};

/// Words of any source, without any meaning for its subject. Some are stems already.
const COMMON: &str = "abstract accept act add address advantag aim allow alreadi altern alternativ amend analysi announc answer anyone \
    appear appendix appli approach articl aspect assum attempt author background base basi begin beginning benefit \
    bit blog break bring call chang chapter choic choos clear close code combin come comment common compar compat \
    complet complex concept conclus concret consid consist contain context continu contribut convent copi correct \
    cost cover creat current decid decis declar defin definit depend deprec deriv describ design desir detail \
    determin develop differ direct disallow discuss document drawback easi easier effect enabl end ensur establish \
    etc everyone evid exampl exist expect experi explain explanation explicit explor express extend extens fact \
    featur figur final fix focus follow follow-up forbid form formal full function futur gener goal guarante guid \
    guidelin handl happen help idea implement impli implic import improv includ increas indic individu initi instanc \
    intend intent interest introduc introduct involv issu item keep know lack languag larg lead learn leav level \
    lift limit list literatur long lot main maintain major make manner mean mechan mention method minim minor model \
    modif modifi motiv motivation multipl name natur necessari need new note notion novel number object obtain offer \
    old onc oper option order origin outlin outsid overview paper paragraph part particular perform permit person \
    place plan point popular possibl post potenti practic precis present prevent previous principl problem proceed \
    process produc program prohibit project promot proper properti propos provid pull purpos question rational read \
    reason recent recommend reduc refer relat relev remain remov renam replac report requir research reserv resolv \
    respect rest restrict result return review revis rfc role rule run said say scope section seek semant separ seri \
    set share short show signific similar simpl simpli simplifi singl situat small solut solv someone sourc speak \
    special specif specifi stabil standard start statement step strategi strong structur studi stuff subject suggest \
    suitabl summar summari support survey system tabl talk task technically techniqu term thesi thing think thought \
    time titl today togeth tomorrow topic tradit treat tri true type typic undefin understand unifi uniqu unreserv \
    unresolv updat usag use user valid valu vari variant variat various version view wai want way whole word work \
    world write written year yesterday";

static GENERIC: LazyLock<HashSet<String>> =
    LazyLock::new(|| COMMON.split_whitespace().flat_map(|word| [word.to_owned(), stem(word)]).collect());

/// Placeholders for any name.
const PLACEHOLDERS: [&str; 8] = ["foo", "bar", "baz", "qux", "quux", "foobar", "lorem", "ipsum"];

/// Most words of a phrase.
pub const LONGEST: usize = 3;
/// Most characters of an unspaced phrase.
const LONGEST_UNSPACED: usize = 8;

/// An occurrence of a phrase in a text.
pub struct PhraseOccurrence {
    pub key: String,
    pub surface: String,
    pub words: usize,
    /// 1 for a whole run, less for a part of a run.
    pub whole: f64,
    pub noun: f64,
    pub verb: f64,
    /// The characters on either side of an unspaced phrase: none at an end of the run.
    pub sides: Option<[Option<char>; 2]>,
}

/// Tells whether all words of one phrase are among the other's.
pub fn overlap(a: &str, b: &str) -> bool {
    let part = [' ', '-'];
    let within = |a: &str, b: &str| a.split(part).all(|word| b.split(part).any(|other| other == word));
    within(a, b) || within(b, a) || (a.contains(is_unspaced) && (a.contains(b) || b.contains(a)))
}

pub fn is_generic(key: &str) -> bool {
    key.split(' ').all(|word| GENERIC.contains(word)) || key.split(' ').any(|word| PLACEHOLDERS.contains(&word))
}

/// The phrases of a text, each as often as it occurs.
pub fn occurrences(text: &str) -> Vec<PhraseOccurrence> {
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
fn spaced(words: &[Option<String>], run: std::ops::Range<usize>, found: &mut Vec<PhraseOccurrence>) {
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
            let adverb = last.ends_with("ly") || last.ends_with("ed") || surfaces[0].ends_with("ly");
            let gerund = end - start > 1 && surfaces[0].ends_with("ing");
            let edges = is_generic(&stems[0]) || is_generic(&stems[stems.len() - 1]);
            let whole = match (start == run.start, end == run.end) {
                (true, true) => 1.0,
                // The other words of a run qualify the last.
                (false, true) => 0.65,
                (true, false) => 0.4,
                (false, false) => 0.3,
            };
            found.push(PhraseOccurrence {
                key: stems.join(" "),
                surface: surfaces.join(" "),
                words: end - start,
                whole: if edges && stems.len() > 1 { whole * 0.5 } else { whole },
                noun: f64::from(u8::from(noun)),
                sides: None,
                verb: f64::from(u8::from(verb || acts))
                    + if adverb { 1.5 } else { 0.0 }
                    + if gerund { 0.3 } else { 0.0 },
            });
        }
    }
}

/// The parts of a run of unspaced characters.
fn unspaced(run: &str, found: &mut Vec<PhraseOccurrence>) {
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
                let sides = Some([start.checked_sub(1).map(|at| chars[at]), chars.get(end).copied()]);
                found.push(PhraseOccurrence {
                    key: surface.clone(),
                    surface,
                    words,
                    whole: weight,
                    noun: weight,
                    verb: 0.0,
                    sides,
                });
            }
        }
    }
}

/// A whole title, for titles of generic words only: `If let`, `Types`.
pub fn whole(title: &str) -> Option<PhraseOccurrence> {
    let words: Vec<String> = words(title).into_iter().flatten().collect();
    let named = words.iter().position(|word| stem(&word.to_lowercase()) != "rfc")?;
    let words = &words[named..];
    let stems: Vec<String> = words.iter().map(|word| stem(&word.to_lowercase())).collect();
    // A length beyond any run marks the phrase as not generic.
    (words.len() <= 5).then(|| PhraseOccurrence {
        key: stems.join(" "),
        surface: words.join(" "),
        words: 9,
        whole: 1.0,
        noun: 1.0,
        verb: 0.0,
        sides: None,
    })
}

/// The words of a text in order; none where a phrase can't go on: at punctuation, numbers, and code that is no name.
pub fn words(text: &str) -> Vec<Option<String>> {
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
