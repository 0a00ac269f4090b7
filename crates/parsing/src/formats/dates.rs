//! Points in time as old formats have them, to ISO 8601.

/// The date of a day since 1970-01-01 (Howard Hinnant, “chrono-compatible low-level date algorithms”).
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A time in units of 100 ns since 1601 (Windows' `FILETIME`); none for 0 and for what no calendar has.
pub fn file_time(ticks: u64) -> Option<String> {
    let seconds = i64::try_from(ticks / 10_000_000).ok().filter(|seconds| *seconds > 0)?;
    let (day, second) = (seconds / 86_400 - 134_774, seconds % 86_400);
    let (year, month, day) = civil(day);
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    (year <= 9999).then(|| format!("{year:04}-{month:02}-{day:02}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(file_time(0), None);
        assert_eq!(file_time(133_495_236_000_000_000).as_deref(), Some("2024-01-12T09:00:00Z"));
        assert_eq!(file_time(u64::MAX), None);
    }
}
