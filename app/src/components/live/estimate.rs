//! When a batch will be done and what holds it up, in words; and rates.

use sheaf_domain::{Bottleneck, Estimate, Progress};

use crate::format::{count, duration};

/// One line: `about 14 min left · text recognition is the limit · 92 % of the cores busy`. What is not known is not made up.
/// `receiving` says whether more documents may come.
pub fn line(progress: &Progress, receiving: bool) -> String {
    let counts = progress.counts;
    let Some(estimate) = progress.estimate else {
        let line = match receiving {
            _ if counts.finished() < counts.total => "Waiting to begin",
            true => "All that has arrived is done",
            false => "Almost done",
        };
        return line.to_owned();
    };
    let Estimate { seconds, bottleneck, busy } = estimate;
    let (left, limit) = match (bottleneck, seconds) {
        (Bottleneck::NoWorker, _) => return "Waiting for a worker".to_owned(),
        (Bottleneck::Grouping, _) => ("Grouping the documents".to_owned(), None),
        // What holds it up was not measured either.
        (_, None) => ("Time left is not known yet".to_owned(), None),
        (Bottleneck::Reading, Some(seconds)) => (time_left(seconds), Some("reading is the limit")),
        (Bottleneck::Recognition, Some(seconds)) => (time_left(seconds), Some("text recognition is the limit")),
        (Bottleneck::Comparing, Some(seconds)) => (time_left(seconds), Some("comparing is the limit")),
    };
    let busy = busy.map(|busy| format!("{:.0} % of the cores busy", busy.clamp(0.0, 1.0) * 100.0));
    [Some(left), limit.map(str::to_owned), busy].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// As exactly as an estimate is.
fn time_left(seconds: u64) -> String {
    match seconds {
        0..10 => "A few seconds left".to_owned(),
        10..55 => format!("About {} s left", seconds.div_ceil(10) * 10),
        55..3570 => format!("About {} min left", (seconds + 30) / 60),
        // Tens of minutes, then hours.
        3570..85_800 => format!("About {} left", short(&duration((seconds + 300) / 600 * 600))),
        _ => format!("About {} left", short(&duration((seconds + 1800) / 3600 * 3600))),
    }
}

/// Without a second unit of nothing.
fn short(duration: &str) -> &str {
    duration.strip_suffix(" 0 min").or_else(|| duration.strip_suffix(" 0 h")).unwrap_or(duration)
}

/// Jobs a second in the unit in which they are more than one, if there is such a unit.
pub fn rate(a_second: f32) -> String {
    let (value, unit) = match a_second {
        rate if rate >= 1.0 => (rate, "s"),
        rate if rate * 60.0 >= 1.0 => (rate * 60.0, "min"),
        rate => (rate * 3600.0, "h"),
    };
    if value < 9.95 { format!("{value:.1}/{unit}") } else { format!("{}/{unit}", count(value.round() as u64)) }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::{BatchId, Counts, Status};

    use super::*;

    fn progress(estimate: Option<Estimate>) -> Progress {
        Progress {
            batch: "018f0000-0000-7000-8000-000000000000".parse::<BatchId>().expect("an id"),
            status: Status::Processing,
            counts: Counts { total: 10, completed: 4, processing: 1, pending: 5, ..Counts::default() },
            stages: Vec::new(),
            documents: Vec::new(),
            elapsed_seconds: 3,
            estimate,
        }
    }

    #[test]
    fn the_line_tells_what_is_known_and_nothing_else() {
        let check = |seconds, bottleneck, busy, expect: &str| {
            assert_eq!(line(&progress(Some(Estimate { seconds, bottleneck, busy })), false), expect);
        };
        let full = "About 14 min left · text recognition is the limit · 92 % of the cores busy";
        check(Some(840), Bottleneck::Recognition, Some(0.92), full);
        check(Some(4), Bottleneck::Comparing, None, "A few seconds left · comparing is the limit");
        check(None, Bottleneck::Reading, Some(0.5), "Time left is not known yet · 50 % of the cores busy");
        check(None, Bottleneck::Grouping, Some(1.2), "Grouping the documents · 100 % of the cores busy");
        check(Some(9), Bottleneck::NoWorker, Some(0.0), "Waiting for a worker");
        assert_eq!(line(&progress(None), true), "Waiting to begin");
        let done = Progress { counts: Counts { total: 10, completed: 10, ..Counts::default() }, ..progress(None) };
        assert_eq!(line(&done, true), "All that has arrived is done");
        assert_eq!(line(&done, false), "Almost done");
    }

    #[test]
    fn times_are_rounded_as_estimates_are() {
        let check = |seconds, expect: &str| assert_eq!(time_left(seconds), expect);
        check(0, "A few seconds left");
        check(41, "About 50 s left");
        check(55, "About 1 min left");
        check(840, "About 14 min left");
        check(3569, "About 59 min left");
        check(3570, "About 1 h left");
        check(86_000, "About 1 d left");
        check(7900, "About 2 h 10 min left");
        check(90_000, "About 1 d 1 h left");
    }

    #[test]
    fn rates_have_a_fitting_unit() {
        let check = |a_second, expect: &str| assert_eq!(rate(a_second), expect);
        check(1234.0, "1,234/s");
        check(12.4, "12/s");
        check(3.44, "3.4/s");
        check(0.5, "30/min");
        check(0.02, "1.2/min");
        check(0.001, "3.6/h");
    }
}
