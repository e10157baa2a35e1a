//! Digest, the map: each source against the outline.
//!
//! The first pass reads every source. A later pass, against an improved outline, carries over the notes of every
//! section that is still there. It reads sources again only for sections that are new, that say something other than
//! the sections that sources were read for, or that have no notes.

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

/// The most sources that are read again for a section.
const SOURCES_AGAIN: usize = 12;

/// Up to this share of words in common with its predecessors, a section counts as changed in subject.
const MOST_SHARED: f64 = 1.0 / 3.0;

/// The most sources that a section of the outline names in a digest's task.
const SOURCES_NAMED: usize = 64;

/// A chunk of a source that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DigestPlace {
    pub(crate) block: usize,
    pub(crate) source: SourceId,
    pub(crate) chunk: usize,
}

/// Formatted for people: numbers from 1.
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

/// The reading of sources against an outline.
pub(crate) struct Reading {
    block: usize,
    /// The numbered outline, which the digests' section ids refer to.
    outline: SharedOutline,
    /// The reading of each source; a source that isn't read in this pass has no chunks.
    sources: Vec<Read>,
    /// The number of sources still being read.
    waiting: usize,
    /// In a later pass: the number of sources still being read for each leaf.
    reading_for: BTreeMap<SectionId, usize>,
}

/// The notes and the reading of a source.
#[derive(Clone, Default)]
struct Read {
    /// Notes from earlier passes, for sections of this outline.
    carried: Vec<(SectionId, Note)>,
    /// The leaves that the source is read for; all leaves if empty.
    only: Vec<SectionId>,
    chunks: Vec<Option<Contribution>>,
    missing: usize,
}

impl Reading {
    /// Reads every source, group by group, so that groups are complete early.
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

    /// Takes a chunk's digest; without a product the chunk contributes nothing. Returns true when the source is read to
    /// the end.
    pub(crate) fn accept(&mut self, place: DigestPlace, product: Option<SurveyProduct>) -> bool {
        let DigestPlace { source, chunk, .. } = place;
        let read = &mut self.sources[source.index()];
        let mut contribution = match product {
            Some(SurveyProduct::Digest(digest)) => digest,
            _ => Contribution::default(),
        };
        if let Some(asked_for) = read.only.first() {
            // Leaves outside the question may have been written already, without these notes.
            let strays = contribution.notes.iter_mut().filter(|(leaf, _)| !read.only.contains(leaf));
            strays.for_each(|(leaf, _)| *leaf = *asked_for);
        }
        read.chunks[chunk] = Some(contribution);
        read.missing -= 1;
        if read.missing > 0 {
            return false;
        }
        self.waiting -= 1;
        // New notes for a leaf replace the notes carried over for it.
        let said_now =
            |leaf: &SectionId| read.chunks.iter().flatten().any(|said| said.notes.iter().any(|(of, _)| of == leaf));
        let stale: BTreeSet<SectionId> = read.only.iter().copied().filter(said_now).collect();
        read.carried.retain(|(leaf, _)| !stale.contains(leaf));
        for leaf in &read.only {
            self.reading_for.entry(*leaf).and_modify(|waiting| *waiting -= 1);
        }
        true
    }

    /// Returns the leaves that a source is still being read for, in a later pass.
    pub(crate) fn unread(&self) -> BTreeSet<SectionId> {
        self.reading_for.iter().filter(|(_, waiting)| **waiting > 0).map(|(leaf, _)| *leaf).collect()
    }

    /// Returns the leaves that a source was read for and that no other source is still being read for.
    pub(crate) fn read_with(&self, source: SourceId) -> Vec<SectionId> {
        let read = &self.sources[source.index()];
        read.only.iter().copied().filter(|leaf| self.reading_for[leaf] == 0).collect()
    }

    /// Returns the notes of a leaf, in the order of sources.
    pub(crate) fn notes_of_leaf(&self, leaf: SectionId) -> Vec<Note> {
        let notes = (0..self.sources.len()).flat_map(|source| self.notes_of(source));
        notes.filter(|(section, _)| *section == leaf).map(|(_, note)| note.clone()).collect()
    }

    pub(crate) fn outline(&self) -> &SharedOutline {
        &self.outline
    }

    /// True if this pass reads the source.
    pub(crate) fn reads(&self, source: SourceId) -> bool {
        !self.sources[source.index()].chunks.is_empty()
    }

    /// Takes out the digests of a source that was read to the end, one per chunk. Notes stay here as well; suggestions
    /// are of no further use once handed on.
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

    /// True if the source has notes.
    pub(crate) fn has_notes_of(&self, source: SourceId) -> bool {
        self.notes_of(source.index()).next().is_some()
    }

    fn notes_of(&self, source: usize) -> impl Iterator<Item = &(SectionId, Note)> {
        let read = &self.sources[source];
        read.carried.iter().chain(read.chunks.iter().flatten().flat_map(|digest| &digest.notes))
    }

    /// Returns all notes by leaf, in the order of leaves and sources. Every note gets a leaf.
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

    /// Carries notes over to a later outline: returns the notes under their new sections, and the leaves without notes
    /// or with only notes on another subject.
    fn carry_over(&self, outline: &Outline, numbered: &Outline) -> (Vec<Read>, Vec<SectionId>) {
        let leaves: Vec<(&Section, SectionId)> =
            outline.leaves().zip(numbered.leaves()).filter_map(|(old, new)| Some((old, new.origin?))).collect();
        let (heirs, above) = (heirs(outline), above(&self.outline));
        let words: Vec<String> = leaves.iter().map(|(leaf, _)| words_of(leaf)).collect();
        let closest = Closest::new(words.iter().map(String::as_str));
        let mut carried = vec![Read::default(); self.sources.len()];
        // For each leaf, the sections that its inherited notes were taken for.
        let mut taken_for: HashMap<SectionId, BTreeSet<SectionId>> = HashMap::new();
        for (source, read) in carried.iter_mut().enumerate() {
            for (section, note) in self.notes_of(source) {
                // The heirs of the section, or of the nearest section above that has heirs. A single heir takes the
                // note, of several the closest takes it, and without heirs the closest leaf of all.
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

    /// Returns the words of each section.
    fn words_by_section(&self) -> HashMap<SectionId, String> {
        let sections = self.outline.walk().map(|placed| placed.section);
        sections.filter_map(|section| Some((section.origin?, words_of(section)))).collect()
    }

    /// Chooses the sources to read again, each with its leaves: for each leaf the sources that the outline names, else
    /// all, with the most similar notes. Sources of the first leaves come first, so that these leaves can be written
    /// early.
    fn sources_for(&self, unserved: &[SectionId], before: &Self) -> Vec<(SourceId, Vec<SectionId>)> {
        let leaves: Vec<&Section> =
            self.outline.leaves().filter(|leaf| leaf.origin.is_some_and(|id| unserved.contains(&id))).collect();
        let mut sources: Vec<(SourceId, Vec<SectionId>)> = Vec::new();
        if leaves.is_empty() {
            return sources;
        }
        let mut places: HashMap<SourceId, usize> = HashMap::new();
        for (leaf, alike) in leaves.iter().zip(before.most_like(&leaves)) {
            // Sources without similar notes come last: sources that had notes for the leaf, then named ones.
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

    /// Returns the sources with notes for a leaf from earlier passes.
    fn carried_to(&self, leaf: &Section) -> impl Iterator<Item = SourceId> {
        let has_notes = move |read: &Read| read.carried.iter().any(|(section, _)| Some(*section) == leaf.origin);
        self.sources.iter().zip(1..).filter(move |(read, _)| has_notes(read)).map(|(_, id)| SourceId(id))
    }

    /// Returns for each leaf the sources with similar notes, the most similar first. If a leaf names sources, only
    /// those count.
    fn most_like(&self, leaves: &[&Section]) -> Vec<Vec<SourceId>> {
        let words: Vec<String> = leaves.iter().map(|leaf| words_of(leaf)).collect();
        let closest = Closest::new(words.iter().map(String::as_str));
        let mut likeness: Vec<Vec<(f64, SourceId)>> = vec![Vec::new(); words.len()];
        // Comparing the notes of all sources takes a while in large corpora.
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

/// A repeated reading of sources, planned and not yet asked for.
pub(crate) struct Rereading {
    reading: Reading,
    /// The sources to read, each with the leaves that it is read for.
    asked_for: Vec<(SourceId, Vec<SectionId>)>,
}

impl Rereading {
    /// Plans to read sources again for the leaves of `outline` that the notes of the previous reading don't serve.
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

    /// True if nothing is read again.
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

/// Returns the heirs of sections: the leaves that continue a section, or that stand below its continuation, by their
/// places among the leaves.
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

/// Returns the parent of each section of a numbered outline.
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

/// Returns the outline in the form that sources are digested against.
fn numbered(outline: &Outline) -> SharedOutline {
    outline.clone().numbered().thinned(SOURCES_NAMED).into()
}

/// Returns the title and the description of a section.
fn words_of(section: &Section) -> String {
    format!("{} {}", section.title, section.extract)
}
