//! The binary `sheaf`: reads the command line and hands over to a command.

mod commands;

mod http;
mod limits;
mod listen;
mod otlp;
mod router;
mod security;
mod state;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{analyze, distil, serve};

/// Makes a pile of documents understandable: what is there, what belongs together, what stands out.
#[derive(Parser)]
#[command(name = "sheaf", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the web page and the API on this machine.
    Serve(serve::Args),
    /// Analyse a folder, files, a ZIP or records, and write a folder of results.
    Analyze(analyze::Args),
    /// Make the fast model from the accurate one (done once, by set-up).
    #[command(hide = true)]
    Distil(distil::Args),
    /// Parse documents for another process of this program.
    #[command(hide = true)]
    ParseWorker,
}

fn main() -> ExitCode {
    // Before anything else: a parser needs none of it and should start in a millisecond.
    if std::env::args_os().nth(1).is_some_and(|command| command == "parse-worker") {
        return sheaf_parsing::worker_main();
    }
    match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => {
            // Clap's own code for a wrong command line is 2, which here means that some documents failed.
            let _ = error.print();
            if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

fn run(command: Command) -> ExitCode {
    let ended = match command {
        Command::Serve(args) => serve::run(args),
        Command::Analyze(args) => analyze::run(args),
        Command::Distil(args) => distil::run(args),
        Command::ParseWorker => return sheaf_parsing::worker_main(),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("sheaf: {error:#}");
        ExitCode::FAILURE
    })
}
