//! The text of an error in a reply, as the model is told.

/// Types of replies, each with its name in errors. The names are as old as the first replies paid for: a new name would
/// change the call in which a model is told of an error, and the new call would be paid for again.
const NAMES: [(&str, &str); 21] = [
    ("struct CondenseReply", "struct Reply"),
    ("struct CondensedNote", "struct Condensed"),
    ("struct DiagramEdge", "struct Arrow"),
    ("struct DigestReply", "struct Reply"),
    ("struct FigureReply", "struct Reply"),
    ("struct GroupReply", "struct Reply"),
    ("struct MergeReply", "struct Reply"),
    ("struct MergedSection", "struct Section"),
    ("struct OutlineReply", "struct Reply"),
    ("struct OutlinedSection", "struct Section"),
    ("struct PassageReply", "struct Reply"),
    ("struct RefineReply", "struct Reply"),
    ("struct ReplyGroup", "struct Members"),
    ("struct ReplyNote", "struct Taken"),
    ("struct ReplyParagraph", "struct Written"),
    ("struct ReplySentence", "struct Said"),
    ("struct RevisedSection", "struct Bettered"),
    ("struct ScoreReply", "struct Reply"),
    ("struct SuggestionReply", "struct Suggested"),
    ("struct TableRow", "struct Line"),
    ("untagged enum LooseValue", "untagged enum Loose"),
];

/// The error in words common to all versions.
pub(crate) fn error_text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The type's name comes after any quotation of the reply.
    let named = NAMES.iter().find_map(|(ours, told)| Some((text.rfind(ours)?, ours, told)));
    match named {
        Some((at, ours, told)) => format!("{}{told}{}", &text[..at], &text[at + ours.len()..]),
        None => text,
    }
}
