//! The developer's loop: build, run, wait for a change, and again. A build that fails leaves the last good server running.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use notify::{EventKind, RecursiveMode, Watcher};

use super::reload::Pages;
use crate::build;
use crate::paths::{Paths, Profile};

const SOURCES: [&str; 7] = ["app", "crates", "frontend", "migrations", "public", "server", "style"];
const RELOAD_PORT: u16 = 3001;

pub fn watch(paths: &Paths, args: &[String]) -> Result<ExitCode> {
    let changes = changes(paths)?;
    let pages = Pages::listen(RELOAD_PORT)?;
    let mut server = match build::build(paths, Profile::Dev) {
        Ok(sheaf) => Some(start(&sheaf, args)?),
        Err(error) => {
            eprintln!("error: {error:#}\n  waiting for a change");
            None
        }
    };
    loop {
        let changed = next(&changes)?;
        let only_site = changed
            .iter()
            .all(|path| path.starts_with(paths.root.join("style")) || path.starts_with(paths.root.join("public")));
        let built = if only_site && server.is_some() {
            build::site_again(paths, Profile::Dev).map(|()| paths.sheaf(Profile::Dev))
        } else {
            build::build(paths, Profile::Dev)
        };
        match built {
            Ok(sheaf) => {
                stop(server.take())?;
                server = Some(start(&sheaf, args)?);
                wait_until_it_answers(port(args));
                pages.reload();
            }
            Err(error) => eprintln!("error: {error:#}\n  the last good server goes on; waiting for a change"),
        }
    }
}

/// The changed files as they come.
fn changes(paths: &Paths) -> Result<Receiver<PathBuf>> {
    let (sender, receiver) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in event.paths {
            // Nobody listens any more only when the loop has ended.
            let _ = sender.send(path);
        }
    })?;
    for source in SOURCES {
        let folder = paths.root.join(source);
        if folder.is_dir() {
            watcher
                .watch(&folder, RecursiveMode::Recursive)
                .with_context(|| format!("cannot watch `{}`", folder.display()))?;
        }
    }
    // The watcher lives as long as the program.
    std::mem::forget(watcher);
    Ok(receiver)
}

/// Waits for a change, then until a fifth of a second has passed without another.
fn next(changes: &Receiver<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut changed = vec![changes.recv()?];
    loop {
        match changes.recv_timeout(Duration::from_millis(200)) {
            Ok(path) => changed.push(path),
            Err(RecvTimeoutError::Timeout) => return Ok(changed),
            Err(error) => return Err(error.into()),
        }
    }
}

/// `LEPTOS_WATCH` makes the page listen for reloads, by Leptos' own `AutoReload`.
fn start(sheaf: &Path, args: &[String]) -> Result<Child> {
    Command::new(sheaf)
        .arg("serve")
        .args(args)
        .env("LEPTOS_WATCH", "true")
        .env("LEPTOS_RELOAD_PORT", RELOAD_PORT.to_string())
        .spawn()
        .with_context(|| format!("cannot run `{}`", sheaf.display()))
}

/// Asks it to end, and ends it after five seconds.
fn stop(server: Option<Child>) -> Result<()> {
    let Some(mut server) = server else { return Ok(()) };
    // It may have ended by itself; then there is nobody to ask.
    let _ = kill(Pid::from_raw(server.id().try_into()?), Signal::SIGTERM);
    let start = Instant::now();
    while server.try_wait()?.is_none() {
        if start.elapsed() > Duration::from_secs(5) {
            server.kill()?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn wait_until_it_answers(port: u16) {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The port that the arguments give, else the default one.
fn port(args: &[String]) -> u16 {
    let joined = args.iter().find_map(|arg| arg.strip_prefix("--port="));
    let apart = args.windows(2).find(|pair| pair[0] == "--port").map(|pair| pair[1].as_str());
    joined.or(apart).and_then(|port| port.parse().ok()).unwrap_or(3000)
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn finds_the_port_among_the_arguments() {
        let check = |args: &[&str], expect: u16| {
            assert_eq!(port(&args.iter().map(ToString::to_string).collect::<Vec<_>>()), expect, "{args:?}");
        };
        check(&[], 3000);
        check(&["--port", "4000"], 4000);
        check(&["--data", "x", "--port=4001"], 4001);
    }
}
