//! The `tributary` program: turns a corpus into a long cited article.

use std::process::ExitCode;

use clap::Parser;
use tributary::{
    args::{Args, Command},
    command,
    exit::{Exit, Failure, OrExit},
    logging,
    terminal::Terminal,
    traces::Traces,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let traces = Traces::of(&args.command).or_exit(Exit::BadInput)?;
    logging::start(&args.console, terminal, traces.as_ref()).or_exit(Exit::BadInput)?;
    let end = carry_out(args, terminal);
    if let Some(traces) = traces {
        traces.end();
    }
    end
}

fn carry_out(args: &Args, terminal: &Terminal) -> Result<Exit, Failure> {
    match &args.command {
        Command::Run(run) => command::run::run(run, args.console.progress, terminal),
        Command::Ask(ask) => command::ask::run(ask, args.console.progress, terminal),
        Command::Plan(plan) => command::plan::run(plan, terminal),
        Command::Coordinator(role) => command::coordinator::run(role, terminal),
        Command::Worker(role) => command::worker::run(role, terminal),
        Command::Submit(submit) => command::submit::run(submit, terminal),
        Command::List(list) => command::list::run(list, terminal),
        Command::Status(status) => command::status::run(status, terminal),
        Command::Watch(job) => command::watch::run(job, args.console.progress, terminal),
        Command::Result(result) => command::result::run(result, terminal),
        Command::Resume(args) => command::resume::run(args, terminal),
        Command::Cancel(job) => command::cancel::run(job, terminal),
        Command::Doctor(flags) => command::doctor::run(flags, terminal),
        Command::Config(flags) => command::config::run(flags, terminal),
        Command::Completions { shell } => command::completions::run(*shell),
    }
}
