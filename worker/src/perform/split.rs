//! Work in two halves, and one product of two.

use std::sync::Arc;

use tributary_protocol::{
    article::Passage,
    digest::Digest,
    task::{Limits, Product, Task, Work},
};

use crate::model::extractive::Texts;

/// A task's work, or a part of it, with its texts.
pub(super) struct Piece {
    pub task: Arc<Task>,
    /// None for the whole task's work.
    part: Option<Work>,
    pub texts: Texts,
}

impl Piece {
    pub fn whole(task: Arc<Task>, texts: Texts) -> Self {
        Self { task, part: None, texts }
    }

    pub fn work(&self) -> &Work {
        self.part.as_ref().unwrap_or(&self.task.work)
    }

    fn part(&self, work: Work, texts: Texts) -> Self {
        Self { task: Arc::clone(&self.task), part: Some(work), texts }
    }
}

/// The two halves of a piece whose products can be joined without a further call; None for other work, and where there is
/// nothing to halve.
pub(super) fn halves(piece: &Piece) -> Option<[Piece; 2]> {
    fn cut<T: Clone>(items: &[T]) -> Option<[Vec<T>; 2]> {
        let (one, other) = items.split_at(items.len() / 2);
        (!one.is_empty()).then(|| [one.to_vec(), other.to_vec()])
    }
    let whole = |work| piece.part(work, Texts::default());
    let halves =
        match piece.work() {
            Work::Group { sources, size } => cut(sources)?.map(|sources| whole(Work::Group { sources, size: *size })),
            Work::Digest { source, text, part, outline, only } => {
                let [one, other] = cut_text(&piece.texts.chunk)?;
                let half = |number, chunk: &str| {
                    let part = ((part.0 - 1) * 2 + number, part.1 * 2);
                    let (source, outline, only) = (source.clone(), outline.clone(), only.clone());
                    let work = Work::Digest { source, text: *text, part, outline, only };
                    piece.part(work, Texts { chunk: chunk.to_owned(), ..Texts::default() })
                };
                [half(1, one), half(2, other)]
            }
            Work::Condense { section, notes, room } => cut(notes)?
                .map(|notes| whole(Work::Condense { section: section.clone(), notes, room: room.div_ceil(2) })),
            Work::Write { section, notes, words } => cut(notes)?
                .map(|notes| whole(Work::Write { section: section.clone(), notes, words: words.div_ceil(2) })),
            Work::Illustrate { section, notes } => {
                cut(notes)?.map(|notes| whole(Work::Illustrate { section: section.clone(), notes }))
            }
            _ => return None,
        };
    Some(halves)
}

/// A text cut near its middle: between paragraphs, else lines, else words, else anywhere.
fn cut_text(text: &str) -> Option<[&str; 2]> {
    let boundary = |from: usize| (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (middle, end) = (boundary(text.len() / 2), boundary(text.len() * 3 / 4));
    let at = ["\n\n", "\n", ". ", "。", " "]
        .into_iter()
        .find_map(|mark| text[middle..end].find(mark).map(|at| middle + at + mark.len()))
        .unwrap_or(middle);
    let (one, other) = text.split_at(at);
    (!one.trim().is_empty() && !other.trim().is_empty()).then_some([one, other])
}

/// One product of the halves'. The first stands where they are of different kinds, which no work's halves are.
pub(super) fn join(one: Product, other: Product, limits: Limits) -> Product {
    match (one, other) {
        (Product::Groups(one), Product::Groups(other)) => Product::Groups([one, other].concat()),
        (Product::Notes(one), Product::Notes(other)) => Product::Notes([one, other].concat()),
        (Product::Digest(one), Product::Digest(other)) => {
            let suggestion = if one.suggestion.is_empty() { other.suggestion } else { one.suggestion };
            let notes = crate::kernel::fit_notes([one.notes, other.notes].concat(), limits.digest * 3);
            Product::Digest(Digest::new(notes, suggestion))
        }
        (Product::Passage(one), Product::Passage(other)) => {
            Product::Passage(Passage { paragraphs: [one.paragraphs, other.paragraphs].concat() })
        }
        (Product::Figure(one), Product::Figure(other)) => Product::Figure(one.or(other)),
        (one, _) => one,
    }
}
