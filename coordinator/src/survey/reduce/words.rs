//! The length of an article, in words.

use tributary_protocol::survey::article::Article;
use unicode_segmentation::UnicodeSegmentation;

use super::number::{Part, walk};

/// Words of the article's prose, headings, figures and references aside. Of Chinese each character counts, as is usual.
pub fn words_of(article: &Article) -> usize {
    let mut words = 0;
    walk(article, &mut |part| {
        if let Part::Sentence(sentence) = part {
            words += sentence.text.unicode_words().count();
        }
    });
    words
}
