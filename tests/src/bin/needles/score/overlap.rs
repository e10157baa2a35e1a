//! F1 of the tokens that an answer shares with a right one.

use std::collections::HashMap;

/// The best F1 over the right answers, with texts cut into tokens by `tokens`.
pub fn best(answer: &str, right: &[String], tokens: impl Fn(&str) -> Vec<String>) -> f64 {
    let said = tokens(answer);
    right.iter().map(|right| f1(&said, &tokens(right))).fold(0.0, f64::max)
}

/// Words in lower case, without punctuation and articles.
pub fn english(text: &str) -> Vec<String> {
    let text: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    text.split_whitespace().filter(|word| !["a", "an", "the"].contains(word)).map(str::to_owned).collect()
}

/// Characters, without punctuation and blanks.
pub fn chinese(text: &str) -> Vec<String> {
    const MARKS: &str = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏";
    let is_mark = |c: &char| c.is_whitespace() || c.is_ascii_punctuation() || MARKS.contains(*c);
    text.to_lowercase().chars().filter(|c| !is_mark(c)).map(String::from).collect()
}

fn f1(said: &[String], right: &[String]) -> f64 {
    let mut left: HashMap<&String, usize> = HashMap::new();
    right.iter().for_each(|token| *left.entry(token).or_default() += 1);
    let mut shared = 0;
    for token in said {
        if let Some(left @ 1..) = left.get_mut(token) {
            *left -= 1;
            shared += 1;
        }
    }
    // 2PR / (P + R), of P = shared / said and R = shared / right.
    if shared == 0 { 0.0 } else { 2.0 * f64::from(shared) / (said.len() + right.len()) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_right_answer_counts_by_precision_and_recall() {
        let right = ["Miss Elm".to_owned(), "The lady of Elm Hall".to_owned()];
        // "lady elm" of "lady of elm hall": P = 2/2, R = 2/4.
        assert!((best("a Lady, Elm!", &right, english) - 2.0 / 3.0).abs() < 1e-9);
        // Each "elm" is shared once: P = 1/2, R = 1/2.
        assert!((best("elm elm", &right[..1], english) - 0.5).abs() < 1e-9);
        assert_eq!(best("nobody", &right, english), 0.0);
    }

    #[test]
    fn chinese_is_compared_by_characters() {
        // 3 of 4 characters, of 3: P = 3/4, R = 1.
        assert!((best("是 林黛玉。", &["林黛玉".to_owned()], chinese) - 6.0 / 7.0).abs() < 1e-9);
    }
}
