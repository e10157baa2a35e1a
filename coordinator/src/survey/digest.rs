//! Digest, the map: each source against the outline.
//!
//! The first pass reads every source. A later one, against an outline that came of the first, carries over the notes of
//! every section that is still there and reads sources again only for sections that are new, that say something else than
//! what sources were read for, or that no note came to.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use tributary_protocol::{
    job::Job,
    source::{SourceId, TitledSource},
    survey::{
        SurveyProduct, SurveyStage, SurveyWork,
        digest::{Digest as Contribution, Note, SourceDigest},
        outline::{Outline, Section, SectionId, SharedOutline},
    },
    task::Stage,
};

use super::{
    context::{Ask, PhaseWith, SurveyContext, block_suffix},
    similarity::{Closest, shared},
};
use crate::tasks::Place;

/// Most sources that are read again for one section.
const SOURCES_AGAIN: usize = 12;

/// Up to this share of its words in common with what it was, a section says something else.
const MOST_SHARED: f64 = 1.0 / 3.0;

/// Most sources that a section of the outline names in a digest's task.
const SOURCES_NAMED: usize = 64;

/// A chunk of a source that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DigestPlace {
    pub(crate) block: usize,
    pub(crate) source: SourceId,
    pub(crate) chunk: usize,
}

/// As people read it: numbers from 1.
impl fmt::Display for DigestPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, source, chunk } = *self;
        write!(f, "digest {source}/{}{}", chunk + 1, block_suffix(block))
    }
}

impl Place for DigestPlace {
    fn stage(self) -> Stage {
        SurveyStage::Digest.into()
    }

    fn instead(self) -> &'static str {
        "nothing of this text is in the article"
    }

    fn unit(self, job: &Job) -> String {
        format!("{self}: {}", job.source(self.source).title)
    }
}

/// The reading of sources against one outline.
pub(crate) struct Reading {
    block: usize,
    /// Numbered: what the digests' section ids mean.
    outline: SharedOutline,
    /// By source; a source that isn't read in this pass has no chunks.
    sources: Vec<Read>,
    /// Sources still being read.
    waiting: usize,
    /// Of a later pass: for each leaf that is read for, the sources still being read for it.
    reading_for: BTreeMap<SectionId, usize>,
}

/// What is known of one source.
#[derive(Clone, Default)]
struct Read {
    /// Notes from the passes before, for sections of this outline.
    carried: Vec<(SectionId, Note)>,
    /// The leaves that it is read for; all of them where it is empty.
    only: Vec<SectionId>,
    chunks: Vec<Option<Contribution>>,
    missing: usize,
}

impl Reading {
    /// Reads every source, those of a group one after the other, so that groups are complete early.
    pub(crate) fn first<P: PhaseWith<DigestPlace>>(
        ask: &mut Ask<'_, P>,
        outline: &Outline,
        order: &[Vec<SourceId>],
    ) -> Self {
        let outline = numbered(outline);
        let sources = vec![Read::default(); ask.context.job.sources.len()];
        let mut reading = Self { block: 0, outline, sources, waiting: 0, reading_for: BTreeMap::new() };
        for id in order.iter().flatten() {
            reading.read(ask, *id, Vec::new());
        }
        reading
    }

    fn read<P: PhaseWith<DigestPlace>>(&mut self, ask: &mut Ask<'_, P>, id: SourceId, only: Vec<SectionId>) {
        let source = ask.context.source(id);
        let read = &mut self.sources[id.index()];
        read.chunks = vec![None; source.chunks.len()];
        read.missing = source.chunks.len();
        read.only.clone_from(&only);
        self.waiting += 1;
        for leaf in &only {
            *self.reading_for.entry(*leaf).or_default() += 1;
        }
        for (i, chunk) in source.chunks.iter().enumerate() {
            let work = SurveyWork::Digest {
                source: TitledSource::from(source),
                text: chunk.text,
                part: (i as u32 + 1, source.chunks.len() as u32),
                outline: self.outline.clone(),
                only: only.clone(),
            };
            ask.ask(DigestPlace { block: self.block, source: id, chunk: i }, work);
        }
    }

    /// Takes a chunk's digest; without a product the chunk contributes nothing. True when its source is read to the end.
    pub(crate) fn accept(&mut self, place: DigestPlace, product: Option<SurveyProduct>) -> bool {
        let DigestPlace { source, chunk, .. } = place;
        let read = &mut self.sources[source.index()];
        let mut contribution = match product {
            Some(SurveyProduct::Digest(digest)) => digest,
            _ => Contribution::default(),
        };
        if let Some(asked_for) = read.only.first() {
            // What the source says of leaves that it was not asked about may have been used without it.
            let strays = contribution.notes.iter_mut().filter(|(leaf, _)| !read.only.contains(leaf));
            strays.for_each(|(leaf, _)| *leaf = *asked_for);
        }
        read.chunks[chunk] = Some(contribution);
        read.missing -= 1;
        if read.missing > 0 {
            return false;
        }
        self.waiting -= 1;
        // What it says of a leaf now stands for what it said of what that was before.
        let said_now =
            |leaf: &SectionId| read.chunks.iter().flatten().any(|said| said.notes.iter().any(|(of, _)| of == leaf));
        let stale: BTreeSet<SectionId> = read.only.iter().copied().filter(said_now).collect();
        read.carried.retain(|(leaf, _)| !stale.contains(leaf));
        for leaf in &read.only {
            self.reading_for.entry(*leaf).and_modify(|waiting| *waiting -= 1);
        }
        true
    }

    /// Of a later pass: the leaves that some source is still being read for.
    pub(crate) fn unread(&self) -> BTreeSet<SectionId> {
        self.reading_for.iter().filter(|(_, waiting)| **waiting > 0).map(|(leaf, _)| *leaf).collect()
    }

    /// Of the leaves that a source was read for, those that no other is still being read for.
    pub(crate) fn read_with(&self, source: SourceId) -> Vec<SectionId> {
        let read = &self.sources[source.index()];
        read.only.iter().copied().filter(|leaf| self.reading_for[leaf] == 0).collect()
    }

    /// The notes of one leaf, in the order of sources.
    pub(crate) fn notes_of_leaf(&self, leaf: SectionId) -> Vec<Note> {
        let notes = (0..self.sources.len()).flat_map(|source| self.notes_of(source));
        notes.filter(|(section, _)| *section == leaf).map(|(_, note)| note.clone()).collect()
    }

    pub(crate) fn outline(&self) -> &SharedOutline {
        &self.outline
    }

    /// Whether this pass reads the source at all.
    pub(crate) fn reads(&self, source: SourceId) -> bool {
        !self.sources[source.index()].chunks.is_empty()
    }

    /// The digests of a source that was read to the end, one a chunk. Only their notes stay here: the suggestions have
    /// been heard once they are handed on.
    pub(crate) fn hand_on(&mut self, context: &SurveyContext, source: SourceId) -> Vec<SourceDigest> {
        let titled = TitledSource::from(context.source(source));
        let digests = self.sources[source.index()].chunks.iter_mut().flatten();
        digests
            .map(|digest| {
                let suggestion = std::mem::take(&mut digest.suggestion);
                let digest = Contribution { suggestion, ..digest.clone() };
                SourceDigest { source: titled.clone(), digest }
            })
            .collect()
    }

    /// Whether anything that the source says stands in a note.
    pub(crate) fn has_notes_of(&self, source: SourceId) -> bool {
        self.notes_of(source.index()).next().is_some()
    }

    fn notes_of(&self, source: usize) -> impl Iterator<Item = &(SectionId, Note)> {
        let read = &self.sources[source];
        read.carried.iter().chain(read.chunks.iter().flatten().flat_map(|digest| &digest.notes))
    }

    /// All notes by the leaf they belong to, in the order of leaves and sources: no note is left without a leaf.
    pub(crate) fn notes_by_leaf(&self) -> BTreeMap<SectionId, Vec<Note>> {
        let leaves: Vec<&Section> = self.outline.leaves().collect();
        let ids: Vec<SectionId> = leaves.iter().filter_map(|leaf| leaf.origin).collect();
        let mut notes: BTreeMap<_, Vec<Note>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        let closest =
            Closest::new(leaves.iter().map(|leaf| words_of(leaf)).collect::<Vec<_>>().iter().map(String::as_str));
        for (section, note) in (0..self.sources.len()).flat_map(|source| self.notes_of(source)) {
            let leaf =
                if notes.contains_key(section) { *section } else { ids[closest.to(&note.text, None).unwrap_or(0)] };
            notes.entry(leaf).or_default().push(note.clone());
        }
        notes
    }

    /// What of this pass serves a later outline: the notes under their new sections, and the leaves that nothing serves, or
    /// nothing but what was said of something else.
    fn carry_over(&self, outline: &Outline, numbered: &Outline) -> (Vec<Read>, Vec<SectionId>) {
        let leaves: Vec<(&Section, SectionId)> =
            outline.leaves().zip(numbered.leaves()).filter_map(|(old, new)| Some((old, new.origin?))).collect();
        let (heirs, above) = (heirs(outline), above(&self.outline));
        let words: Vec<String> = leaves.iter().map(|(leaf, _)| words_of(leaf)).collect();
        let closest = Closest::new(words.iter().map(String::as_str));
        let mut carried = vec![Read::default(); self.sources.len()];
        // For each leaf, what the notes that come down to it were taken for.
        let mut taken_for: HashMap<SectionId, BTreeSet<SectionId>> = HashMap::new();
        for (source, read) in carried.iter_mut().enumerate() {
            for (section, note) in self.notes_of(source) {
                // The heirs of the section, or of the nearest one above it that has some. One takes the note as it is; of
                // several the closest does; of none, the closest leaf of all.
                let mut line = std::iter::successors(Some(*section), |section| above.get(section).copied());
                let heirs = line.find_map(|section| heirs.get(&section)).map(Vec::as_slice);
                let place = match heirs {
                    Some([heir]) => Some(*heir),
                    among => closest.to(&note.text, among),
                };
                if let Some(place) = place {
                    let leaf = leaves[place].1;
                    read.carried.push((leaf, note.clone()));
                    if heirs.is_some() {
                        taken_for.entry(leaf).or_default().insert(*section);
                    }
                }
            }
        }
        let words_before = self.words_by_section();
        let is_served = |leaf: &Section, id| {
            let before = taken_for.get(id).into_iter().flatten().filter_map(|section| words_before.get(section));
            let before: Vec<&str> = before.map(String::as_str).collect();
            leaf.origin.is_some() && !before.is_empty() && shared(&words_of(leaf), &before.join(" ")) > MOST_SHARED
        };
        let unserved = leaves.iter().filter(|(leaf, id)| !is_served(leaf, id)).map(|(_, id)| *id).collect();
        (carried, unserved)
    }

    /// What each section says of itself.
    fn words_by_section(&self) -> HashMap<SectionId, String> {
        let sections = self.outline.walk().map(|placed| placed.section);
        sections.filter_map(|section| Some((section.origin?, words_of(section)))).collect()
    }

    /// Which sources are to be read again for which leaves: of those that the outline names, else of all, the ones whose
    /// notes are most like the leaf. Those of the first leaves come first, so that these can be written early.
    fn sources_for(&self, unserved: &[SectionId], before: &Self) -> Vec<(SourceId, Vec<SectionId>)> {
        let leaves: Vec<&Section> =
            self.outline.leaves().filter(|leaf| leaf.origin.is_some_and(|id| unserved.contains(&id))).collect();
        let mut sources: Vec<(SourceId, Vec<SectionId>)> = Vec::new();
        if leaves.is_empty() {
            return sources;
        }
        let mut places: HashMap<SourceId, usize> = HashMap::new();
        for (leaf, alike) in leaves.iter().zip(before.most_like(&leaves)) {
            // Those that no note speaks for come last: ones that had something to say of it, and named ones.
            let unlike = self.carried_to(leaf).chain(leaf.sources.iter().copied());
            let mut seen = BTreeSet::new();
            for id in alike.into_iter().chain(unlike).filter(|id| seen.insert(*id)).take(SOURCES_AGAIN) {
                let place = *places.entry(id).or_insert(sources.len());
                if place == sources.len() {
                    sources.push((id, Vec::new()));
                }
                sources[place].1.extend(leaf.origin);
            }
        }
        sources
    }

    /// The sources with notes for a leaf from the passes before.
    fn carried_to(&self, leaf: &Section) -> impl Iterator<Item = SourceId> {
        let has_notes = move |read: &Read| read.carried.iter().any(|(section, _)| Some(*section) == leaf.origin);
        self.sources.iter().zip(1..).filter(move |(read, _)| has_notes(read)).map(|(_, id)| SourceId(id))
    }

    /// For each of these leaves, the sources whose notes are like it, of those that it names if it names some, the most alike
    /// first.
    fn most_like(&self, leaves: &[&Section]) -> Vec<Vec<SourceId>> {
        let words: Vec<String> = leaves.iter().map(|leaf| words_of(leaf)).collect();
        let closest = Closest::new(words.iter().map(String::as_str));
        let mut likeness: Vec<Vec<(f64, SourceId)>> = vec![Vec::new(); words.len()];
        // Looking at the notes of all sources takes a while where they are many.
        let named: BTreeSet<SourceId> = leaves.iter().flat_map(|leaf| &leaf.sources).copied().collect();
        let of_all = leaves.iter().any(|leaf| leaf.sources.is_empty());
        for source in 0..self.sources.len() {
            let (id, notes) = (SourceId(source as u32 + 1), self.notes_of(source));
            if !of_all && !named.contains(&id) {
                continue;
            }
            let likes = closest.likeness(notes.map(|(_, note)| note.text.as_str()));
            for (leaf, like) in likes.into_iter().enumerate().filter(|(_, like)| *like > 0.0) {
                if leaves[leaf].sources.is_empty() || leaves[leaf].sources.contains(&id) {
                    likeness[leaf].push((like, id));
                }
            }
        }
        let ordered = |mut like: Vec<(f64, SourceId)>| {
            like.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            like.into_iter().map(|(_, id)| id).collect()
        };
        likeness.into_iter().map(ordered).collect()
    }
}

/// A reading of sources again, planned and not yet asked for.
pub(crate) struct Rereading {
    reading: Reading,
    /// The sources that are read, each with the leaves that it is read for.
    asked_for: Vec<(SourceId, Vec<SectionId>)>,
}

impl Rereading {
    /// Plans to read sources again for the leaves of `outline` that no notes of the reading before serve as they are.
    pub(crate) fn of(before: &Reading, outline: &Outline) -> Self {
        let numbered = numbered(outline);
        let (carried, unserved) = before.carry_over(outline, &numbered);
        let reading = Reading {
            block: before.block + 1,
            outline: numbered,
            sources: carried,
            waiting: 0,
            reading_for: BTreeMap::new(),
        };
        let asked_for = reading.sources_for(&unserved, before);
        Self { reading, asked_for }
    }

    /// Whether nothing is read again.
    pub(crate) fn is_empty(&self) -> bool {
        self.asked_for.is_empty()
    }

    /// Asks for the reading.
    pub(crate) fn start<P: PhaseWith<DigestPlace>>(self, ask: &mut Ask<'_, P>) -> Reading {
        let Self { mut reading, asked_for } = self;
        for (id, leaves) in asked_for {
            reading.read(ask, id, leaves);
        }
        reading
    }
}

/// For sections that an outline's sections continue: the leaves that do, or that stand below one that does, by their places
/// among the leaves.
fn heirs(outline: &Outline) -> HashMap<SectionId, Vec<usize>> {
    let mut heirs: HashMap<SectionId, Vec<usize>> = HashMap::new();
    let (mut line, mut leaf) = (Vec::new(), 0);
    for placed in outline.walk() {
        line.truncate(placed.depth);
        line.push(placed.section.origin);
        if placed.section.is_leaf() {
            for origin in line.iter().flatten() {
                let heirs = heirs.entry(*origin).or_default();
                if heirs.last() != Some(&leaf) {
                    heirs.push(leaf);
                }
            }
            leaf += 1;
        }
    }
    heirs
}

/// For each section of a numbered outline the one above it.
fn above(outline: &Outline) -> HashMap<SectionId, SectionId> {
    let (mut above, mut line) = (HashMap::new(), Vec::new());
    for placed in outline.walk() {
        line.truncate(placed.depth);
        line.push(placed.section.origin);
        if let [.., Some(parent), Some(child)] = line[..] {
            above.insert(child, parent);
        }
    }
    above
}

/// The outline as sources are digested against it.
fn numbered(outline: &Outline) -> SharedOutline {
    outline.clone().numbered().thinned(SOURCES_NAMED).into()
}

/// What a section says of itself.
fn words_of(section: &Section) -> String {
    format!("{} {}", section.title, section.extract)
}
