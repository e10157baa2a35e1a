//! Texts of sources, and where to cut one.

/// Cuts a text near its middle: between paragraphs, else lines, else sentences, else words, else anywhere. None where a half
/// would be blank.
pub(crate) fn cut_near_middle(text: &str) -> Option<[&str; 2]> {
    let boundary = |from: usize| (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (middle, end) = (boundary(text.len() / 2), boundary(text.len() * 3 / 4));
    let at = ["\n\n", "\n", ". ", "。", " "]
        .into_iter()
        .find_map(|mark| text[middle..end].find(mark).map(|at| middle + at + mark.len()))
        .unwrap_or(middle);
    let (one, other) = text.split_at(at);
    (!one.trim().is_empty() && !other.trim().is_empty()).then_some([one, other])
}
