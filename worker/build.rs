//! Embeds the prompts' templates.

fn main() {
    minijinja_embed::embed_templates!("prompts");
}
