//! The settings that bound what documents may do, the same for every command that reads them.

use std::time::Duration;

use clap::value_parser;
use sheaf_engine::ProcessingConfig;
use sheaf_parsing::Limits;
use sheaf_parsing::archive::ArchiveLimits;

/// The deepest nesting that fits on a parser's stack.
const DEEPEST: i64 = 10_000;

/// Flattened into the arguments of `serve` and `analyze`.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct Bounds {
    /// Seconds after which a document that is still being read fails.
    #[arg(long, env = "SHEAF_PARSE_SECONDS", default_value_t = Limits::default().wall.as_secs(), value_name = "SECONDS",
        value_parser = value_parser!(u64).range(1..=86_400))]
    parse_seconds: u64,
    /// The most MiB of memory of a process that reads documents.
    #[arg(long, env = "SHEAF_PARSE_MEMORY_MIB", default_value_t = Limits::default().address_space >> 20,
        value_name = "MIB", value_parser = value_parser!(u64).range(256..=1 << 20))]
    parse_memory_mib: u64,
    /// The most MiB of one document.
    #[arg(long, env = "SHEAF_MAX_FILE_MIB", default_value_t = Limits::default().file_bytes >> 20, value_name = "MIB",
        value_parser = value_parser!(u64).range(1..=1 << 20))]
    max_file_mib: u64,
    /// The most MiB that the parts of an Office document may unpack to.
    #[arg(long, env = "SHEAF_MAX_UNPACKED_MIB", default_value_t = Limits::default().unpacked_bytes >> 20,
        value_name = "MIB", value_parser = value_parser!(u64).range(1..=1 << 20))]
    max_unpacked_mib: u64,
    /// The most pages of one document.
    #[arg(long, env = "SHEAF_MAX_PAGES", default_value_t = Limits::default().pages, value_name = "N",
        value_parser = value_parser!(u32).range(1..))]
    max_pages: u32,
    /// The most MiB of text of one document.
    #[arg(long, env = "SHEAF_MAX_TEXT_MIB", default_value_t = Limits::default().text_bytes as u64 >> 20,
        value_name = "MIB", value_parser = value_parser!(u64).range(1..=1024))]
    max_text_mib: u64,
    /// The deepest nesting of JSON and XML.
    #[arg(long, env = "SHEAF_MAX_DEPTH", default_value_t = Limits::default().depth, value_name = "N",
        value_parser = value_parser!(u32).range(1..=DEEPEST))]
    max_depth: u32,
    /// The most millions of pixels of one image.
    #[arg(long, env = "SHEAF_MAX_MEGAPIXELS", default_value_t = Limits::default().pixels / 1_000_000,
        value_name = "N", value_parser = value_parser!(u64).range(1..=100_000))]
    max_megapixels: u64,
    /// The most entries of one archive, nested ones included.
    #[arg(long, env = "SHEAF_MAX_ARCHIVE_ENTRIES", default_value_t = ArchiveLimits::default().entries, value_name = "N",
        value_parser = value_parser!(u64).range(1..))]
    max_archive_entries: u64,
    /// The most MiB that one archive may unpack to, nested ones included.
    #[arg(long, env = "SHEAF_MAX_ARCHIVE_MIB", default_value_t = ArchiveLimits::default().bytes >> 20,
        value_name = "MIB", value_parser = value_parser!(u64).range(1..=1 << 24))]
    max_archive_mib: u64,
    /// How many times its size an archive, or an entry of it, may unpack to.
    #[arg(long, env = "SHEAF_MAX_ARCHIVE_RATIO", default_value_t = ArchiveLimits::default().ratio, value_name = "N",
        value_parser = value_parser!(u64).range(1..))]
    max_archive_ratio: u64,
    /// How deep archives may be in archives, and mails in mails.
    #[arg(long, env = "SHEAF_MAX_ARCHIVE_DEPTH", default_value_t = ArchiveLimits::default().depth, value_name = "N",
        value_parser = value_parser!(u32).range(1..=64))]
    max_archive_depth: u32,
    /// Seconds after which an archive that is still being unpacked fails.
    #[arg(long, env = "SHEAF_ARCHIVE_SECONDS", default_value_t = ArchiveLimits::default().wall.as_secs(),
        value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=86_400))]
    archive_seconds: u64,
    /// Read documents even where this system cannot lock the parsers in.
    #[arg(long, env = "SHEAF_ALLOW_WEAK_SANDBOX")]
    allow_weak_sandbox: bool,
}

impl Bounds {
    /// Puts the settings where they belong.
    pub fn apply(self, processing: &mut ProcessingConfig) {
        processing.limits = Limits {
            wall: Duration::from_secs(self.parse_seconds),
            address_space: self.parse_memory_mib << 20,
            file_bytes: self.max_file_mib << 20,
            text_bytes: usize::try_from(self.max_text_mib << 20).unwrap_or(usize::MAX),
            pages: self.max_pages,
            unpacked_bytes: self.max_unpacked_mib << 20,
            depth: self.max_depth,
            pixels: self.max_megapixels * 1_000_000,
        };
        processing.archive = ArchiveLimits {
            entries: self.max_archive_entries,
            bytes: self.max_archive_mib << 20,
            ratio: self.max_archive_ratio,
            ratio_floor: ArchiveLimits::default().ratio_floor,
            depth: self.max_archive_depth,
            wall: Duration::from_secs(self.archive_seconds),
        };
        processing.allow_weak_sandbox = self.allow_weak_sandbox;
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, CommandFactory, Parser};
    use sheaf_domain::FailureCode;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        bounds: Bounds,
    }

    fn applied(arguments: &[&str]) -> ProcessingConfig {
        let mut processing = ProcessingConfig::new("sheaf".into());
        let cli = Cli::try_parse_from([&["sheaf"], arguments].concat()).expect("valid");
        cli.bounds.apply(&mut processing);
        processing
    }

    #[test]
    fn what_is_left_out_is_the_default() {
        let processing = applied(&[]);
        assert_eq!(processing.limits, Limits::default());
        assert_eq!(processing.archive, ArchiveLimits::default());
        assert!(!processing.allow_weak_sandbox);
    }

    #[test]
    fn every_setting_arrives() {
        let flags = Bounds::augment_args(clap::Command::new("sheaf"));
        for flag in flags.get_arguments().filter_map(clap::Arg::get_long).filter(|flag| *flag != "allow-weak-sandbox") {
            let value = if flag == "parse-memory-mib" { "300" } else { "7" };
            let processing = applied(&[&format!("--{flag}"), value]);
            let changed = processing.limits != Limits::default() || processing.archive != ArchiveLimits::default();
            assert!(changed, "--{flag}");
        }
        assert!(applied(&["--allow-weak-sandbox"]).allow_weak_sandbox);
    }

    #[test]
    fn the_readme_names_every_setting_and_its_default() {
        let readme = include_str!("../../../README.md");
        for argument in Cli::command().get_arguments().filter(|argument| argument.get_env().is_some()) {
            let flag = argument.get_long().expect("a flag");
            let row = readme.lines().find(|line| line.starts_with(&format!("| `--{flag}`")));
            let row = row.unwrap_or_else(|| panic!("README.md lacks `--{flag}`"));
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let env = argument.get_env().and_then(|env| env.to_str()).expect("ASCII");
            assert_eq!(cells[2], format!("`{env}`"), "--{flag}");
            let default = argument.get_default_values().first().and_then(|default| default.to_str()).unwrap_or("off");
            assert_eq!(cells[3].replace(',', ""), default, "--{flag}");
        }
    }

    #[test]
    fn hints_name_settings_that_exist() {
        let command = crate::Cli::command();
        let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
        let flags: Vec<&str> = arguments.filter_map(clap::Arg::get_long).collect();
        for code in FailureCode::ALL {
            let hint = code.hint();
            for word in hint.split([' ', '.', ',']).filter_map(|word| word.strip_prefix("--")) {
                assert!(flags.contains(&word), "{code}: --{word}");
            }
        }
    }
}
