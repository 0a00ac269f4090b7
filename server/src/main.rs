//! The binary `sheaf`: reads the command line and hands over to a command.

mod commands;

mod http;
mod limits;
mod listen;
mod memory;
mod otlp;
mod router;
mod security;
mod share;
mod state;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{
    analyze, backup, demo, distil, export, flows, import, process, sample, serve, verify, verify_manifest, work,
};

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
    /// Work for servers on other machines; serves no page.
    Work(work::Args),
    /// Copy the database and all documents, while work goes on.
    Backup(backup::Args),
    /// Look whether everything that is stored is there and undamaged.
    Verify(verify::Args),
    /// List, check, keep and run flows.
    Flows(flows::Args),
    /// Analyse a folder, files, a ZIP or records, and write a folder of results.
    Analyze(analyze::Args),
    /// Make documents of the records of a file, or a batch out of the shards of `sheaf analyze`.
    Import(import::Args),
    /// Write records or documents, with what a run made of them, into one file.
    Export(export::Args),
    /// Give each record of a file a label, or let a flow work off what is in the database.
    Process(process::Args),
    /// Make a backlog to try things with.
    Sample(sample::Args),
    /// Label a sample and say what came out; nothing else has to run.
    Demo(demo::Args),
    /// Analyse an input again as a manifest says, and compare the clusters.
    VerifyManifest(verify_manifest::Args),
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
        sheaf_parsing::worker_main();
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
        Command::Work(args) => work::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Flows(args) => flows::run(args),
        Command::Analyze(args) => analyze::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Process(args) => process::run(args),
        Command::Sample(args) => sample::run(args),
        Command::Demo(args) => demo::run(args),
        Command::VerifyManifest(args) => verify_manifest::run(args),
        Command::Distil(args) => distil::run(args),
        Command::ParseWorker => sheaf_parsing::worker_main(),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("sheaf: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_understood(words: &[&str]) {
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{words:?}: {error}");
        }
    }

    #[test]
    fn what_is_deployed_has_true_flags() {
        let compose = include_str!("../../deploy/compose.yaml");
        let lines = compose.lines().filter_map(|line| line.trim().strip_prefix("command: [")?.strip_suffix(']'));
        let commands: Vec<&str> = lines.collect();
        assert_eq!(commands.len(), 2);
        for command in commands {
            assert_understood(&command.split(", ").map(|word| word.trim_matches('"')).collect::<Vec<_>>());
        }
        for unit in [include_str!("../../deploy/sheaf-serve.service"), include_str!("../../deploy/sheaf-work@.service")]
        {
            let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");
            assert_understood(&line.split(' ').collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_readme_names_every_setting_of_storage() {
        let readme = include_str!("../../README.md");
        let section = readme.split("### Several machines").nth(1).and_then(|rest| rest.split("###").next());
        let section = section.expect("a section");
        let command = <Cli as clap::CommandFactory>::command();
        let [serve, work] = ["serve", "work"].map(|name| command.find_subcommand(name).expect("a command").clone());
        let flags = [
            "data",
            "database",
            "blobs",
            "blob-cache-mib",
            "drain-seconds",
            "lease-seconds",
            "stages",
            "threads",
            "listen",
        ];
        let arguments = flags.iter().map(|flag| (&work, *flag)).chain([(&serve, "no-work")]);
        for (command, flag) in arguments {
            let argument = command.get_arguments().find(|argument| argument.get_long() == Some(flag)).expect(flag);
            let row = section.lines().find(|line| line.starts_with(&format!("| `--{flag}`"))).expect(flag);
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let variable = argument.get_env().and_then(|name| name.to_str()).expect("a variable");
            assert_eq!(cells[2], format!("`{variable}`"), "--{flag}");
            if let Some(default) = argument.get_default_values().first().and_then(|default| default.to_str()) {
                assert_eq!(cells[3].replace(',', ""), default, "--{flag}");
            }
        }
        let storage = serve.get_arguments().filter(|argument| argument.get_help_heading() == Some("Storage"));
        for flag in storage.filter_map(clap::Arg::get_long) {
            assert!(flags.contains(&flag), "README.md lacks `--{flag}`");
        }
    }
}
