//! `tributary completions`: prints shell completions for commands, flags and values.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{
    args::Args,
    exit::{Exit, Failure},
};

/// Prints completions for a shell on stdout.
pub fn run(shell: Shell) -> Result<Exit, Failure> {
    // A closed pipe is no error.
    let _ = io::stdout().write_all(&script(shell));
    Ok(Exit::Done)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut Args::command(), "tributary", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_gets_completions_that_know_the_commands() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            assert!(script.contains("plan") && script.contains("model-for"), "{shell}");
        }
    }
}
