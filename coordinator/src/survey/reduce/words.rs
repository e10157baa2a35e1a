//! The length of an article, in words.

use tributary_protocol::survey::article::Article;
use unicode_segmentation::UnicodeSegmentation;

use super::number::{Part, walk};

/// Counts the words of the article's prose, without headings, figures and references. Each Chinese character counts as
/// a word, as is usual.
pub fn words_of(article: &Article) -> usize {
    let mut words = 0;
    walk(article, &mut |part| {
        if let Part::Sentence(sentence) = part {
            words += sentence.text.unicode_words().count();
        }
    });
    words
}
