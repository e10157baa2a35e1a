//! `tributary`: a corpus in, a long cited article out.

use std::process::ExitCode;

use clap::Parser;
use tributary::{
    args::{Args, Command},
    command,
    exit::{Exit, Failure, OrExit},
    logging,
    terminal::Terminal,
};

fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::new(&args.console);
    match run(&args, &terminal) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, error }) => {
            terminal.complain(format!("tributary: {error:#}"));
            exit.into()
        }
    }
}

fn run(args: &Args, terminal: &Terminal) -> Result<Exit, Failure> {
    logging::start(&args.console, terminal).or_exit(Exit::BadInput)?;
    match &args.command {
        Command::Run(run) => command::run::run(run, args.console.progress, terminal),
        Command::Plan(plan) => command::plan::run(plan, terminal),
        Command::Config(flags) => command::config::run(flags, terminal),
        Command::Completions { shell } => command::completions::run(*shell),
    }
}
