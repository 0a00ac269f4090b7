//! Running other programs: with a named step, with its output kept for counting, or for one line of it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Components with their types erased: a quarter less WebAssembly and no depth limit in the compiler. It changes the HTML
/// that the server writes, so the server and the page must agree on it.
const RUSTFLAGS: &str = "--cfg erase_components";

/// `cargo` in the checkout, with the one environment that all builds share: a variable that differs would rebuild the page.
pub fn cargo(paths: &crate::paths::Paths) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&paths.root).env("LEPTOS_OUTPUT_NAME", "sheaf");
    let own = std::env::var("RUSTFLAGS").unwrap_or_default();
    let flags = if own.contains(RUSTFLAGS) { own } else { format!("{own} {RUSTFLAGS}").trim().to_owned() };
    command.env("RUSTFLAGS", flags);
    // Set by `cargo run` for this program alone; build scripts below would see a change in them.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "CARGO_MANIFEST_DIR"
            || name == "CARGO_MANIFEST_PATH"
        {
            command.env_remove(name);
        }
    }
    command
}

/// Prints `name …`, does the work and prints how long it took.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    eprintln!("· {name} …");
    let value = work().with_context(|| name.to_owned())?;
    eprintln!("  {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(value)
}

/// Runs to the end with its output on this terminal; a failure is an error that names the program.
pub fn checked(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_run(command))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Standard output of a program that must succeed.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command.stderr(Stdio::inherit()).output().with_context(|| cannot_run(command))?;
    if !out.status.success() {
        bail!("`{}` ended with {}", line(command), out.status);
    }
    String::from_utf8(out.stdout).with_context(|| format!("`{}` printed something that is no text", line(command)))
}

/// Whether it can be run and succeeds; silent.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs to the end, shows both outputs as they come and hands each line to `see`; tells whether it succeeded.
pub fn watched(command: &mut Command, mut see: impl FnMut(&str)) -> Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| cannot_run(command))?;
    let (lines, seen) = std::sync::mpsc::channel::<String>();
    let pipes: [Option<Box<dyn std::io::Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read + Send>),
    ];
    for pipe in pipes.into_iter().flatten() {
        let lines = lines.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                if lines.send(text).is_err() {
                    break;
                }
            }
        });
    }
    drop(lines);
    let mut terminal = std::io::stdout();
    for text in seen {
        writeln!(terminal, "{text}")?;
        see(&text);
    }
    Ok(child.wait()?.success())
}

fn cannot_run(command: &Command) -> String {
    format!("cannot run `{}`", command.get_program().to_string_lossy())
}

fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
