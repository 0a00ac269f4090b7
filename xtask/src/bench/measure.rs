//! What a program and all that it starts cost: wall time, CPU time, peak memory.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The cost of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    pub wall: f64,
    /// Seconds in user and system mode, of all descendants that were waited for.
    pub cpu: f64,
    /// Largest sum of proportional set sizes over the process tree, sampled every 50 ms; 0 where there is no `/proc`.
    pub peak_bytes: u64,
}

/// Runs to the end. `accepted` are the exit codes that count as done: some of the documents may be broken on purpose.
pub fn measure(command: &mut Command, accepted: &[i32]) -> Result<Cost> {
    let before = cpu_of_children()?;
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run `{}`", command.get_program().to_string_lossy()))?;
    let mut peak_bytes = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak_bytes = peak_bytes.max(tree_bytes(child.id()));
        std::thread::sleep(Duration::from_millis(if start.elapsed().as_secs() < 1 { 10 } else { 50 }));
    };
    let wall = start.elapsed().as_secs_f64();
    if !status.code().is_some_and(|code| accepted.contains(&code)) {
        bail!("`{}` ended with {status}", command.get_program().to_string_lossy());
    }
    Ok(Cost { wall, cpu: cpu_of_children()? - before, peak_bytes })
}

/// The median of each figure by itself.
pub fn median(costs: &[Cost]) -> Cost {
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let half = figures.len() / 2;
        if figures.len() % 2 == 1 { figures[half] } else { f64::midpoint(figures[half - 1], figures[half]) }
    };
    Cost { wall: middle(|c| c.wall), cpu: middle(|c| c.cpu), peak_bytes: middle(|c| c.peak_bytes as f64) as u64 }
}

/// Processor seconds of all children that have ended, theirs included.
pub fn cpu_of_children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
}

/// Memory of a process and its descendants, what they share counted once.
fn tree_bytes(root: u32) -> u64 {
    let parents = parents();
    let belongs = |mut pid: u32| {
        while let Some(parent) = parents.get(&pid) {
            if pid == root {
                return true;
            }
            pid = *parent;
        }
        false
    };
    parents.keys().filter(|pid| belongs(**pid)).map(|pid| proportional_bytes(*pid)).sum()
}

fn parents() -> HashMap<u32, u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in brackets may hold anything; the state and the parent follow it.
            let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect()
}

fn proportional_bytes(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_work_of_grandchildren() -> Result<()> {
        let busy = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'";
        let cost = measure(Command::new("sh").args(["-c", busy]), &[0])?;
        assert!(cost.cpu > 0.0 && cost.wall >= cost.cpu * 0.5, "{cost:?}");
        assert!(cost.peak_bytes > 0 || !cfg!(target_os = "linux"), "{cost:?}");
        assert!(measure(Command::new("sh").args(["-c", "exit 3"]), &[0, 2]).is_err());
        Ok(())
    }

    #[test]
    fn medians_are_taken_figure_by_figure() {
        let cost = |wall: f64, cpu: f64, peak_bytes: u64| Cost { wall, cpu, peak_bytes };
        assert_eq!(median(&[cost(3.0, 1.0, 5), cost(1.0, 2.0, 7), cost(2.0, 9.0, 6)]), cost(2.0, 2.0, 6));
        assert_eq!(median(&[cost(1.0, 1.0, 2), cost(2.0, 3.0, 4)]), cost(1.5, 2.0, 3));
    }
}
