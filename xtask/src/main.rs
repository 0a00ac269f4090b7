//! `cargo xtask`: set-up, build, serve, test and measure. It owns what a person types; each verb lives in its own module.

mod bench;
mod build;
mod fuzz;
mod paths;
mod run;
mod serve;
mod setup;
mod structure;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::paths::{Paths, Profile};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, build, test and bench Sheaf")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing: the WASM target, PDFium, the embedding model.
    Setup,
    /// Build the page and the server into one folder that runs by itself.
    Build {
        /// Debug profiles: quicker to build, slower to run, nothing compressed.
        #[arg(long)]
        dev: bool,
        /// Only what a browser fetches, with its sizes.
        #[arg(long)]
        page: bool,
    },
    /// Set up, build and run `sheaf serve`.
    Serve(serve::Serve),
    /// Run every test there is.
    Test(test::Test),
    /// Drive mutated files through the parsers, and keep what breaks one.
    Fuzz(fuzz::Fuzz),
    /// Check the directions of dependencies, the paths that documents name and the length of files.
    Structure,
    /// Measure against what a user would write in Python.
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Compare clusters with labels, next to Python's usual recipe; or what is read with what others read.
    Quality(bench::quality::Quality),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let paths = Paths::find()?;
    match command {
        Command::Setup => setup::setup(&paths)?,
        Command::Build { dev, page } => {
            let profile = if dev { Profile::Dev } else { Profile::Release };
            if page {
                build::page(&paths, profile)?;
            } else {
                setup::setup(&paths)?;
                build::build(&paths, profile)?;
            }
        }
        Command::Serve(serve) => return serve.run(&paths),
        Command::Test(test) => return test.run(&paths),
        Command::Fuzz(fuzz) => fuzz.run(&paths)?,
        Command::Structure => return structure::report(&paths),
        Command::Bench { what } => what.run(&paths)?,
        Command::Quality(quality) => quality.run(&paths)?,
    }
    Ok(ExitCode::SUCCESS)
}
