//! `tributary ask`: answers a question over a corpus, in this process.

use super::{
    load,
    run::{Shown, Wanted, run_here},
    template,
};
use crate::{
    args::{AskArgs, Inputs, ProgressStyle},
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// Prints the answer to the question.
pub fn run(args: &AskArgs, style: ProgressStyle, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = load(&args.settings)?;
    let wanted = Wanted {
        // The question is the title if the inputs have none.
        inputs: Inputs { inputs: args.inputs.clone(), title: Some(args.question.clone()) },
        template: template(Some(&args.question), &loaded.config)?,
        fresh: args.fresh,
        shown: if args.json { Shown::AnswerJson } else { Shown::Answer },
    };
    run_here(wanted, loaded, style, terminal)
}
