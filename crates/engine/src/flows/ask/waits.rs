//! How long the latest questions had to wait because the model's server put them off: too many requests, an error that may
//! pass, a broken connection.

use std::collections::VecDeque;

/// Questions that are remembered.
const LATELY: usize = 64;

/// The latest questions, the last one first: the seconds that each waited, and the further requests that it took.
#[derive(Debug, Default)]
pub struct LatestWaits(VecDeque<(f64, u32)>);

/// What they show of the next ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Waits {
    /// Questions of which it is known.
    pub known: u32,
    /// Of them, those that were put off.
    pub put_off: u32,
    /// Seconds that a question waits, from and to, in the mean of all.
    pub seconds: (f64, f64),
    /// Further requests that a question takes, from and to, in the mean of all.
    pub further: (f64, f64),
}

impl LatestWaits {
    pub fn note(&mut self, seconds: f64, further: u32) {
        self.0.truncate(LATELY - 1);
        self.0.push_front((seconds, further));
    }

    pub fn seen(&self) -> Waits {
        let whole = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Waits {
            known: whole(self.0.len()),
            put_off: whole(self.0.iter().filter(|(_, further)| *further > 0).count()),
            seconds: mean(self.0.iter().map(|(seconds, _)| *seconds)),
            further: mean(self.0.iter().map(|(_, further)| f64::from(*further))),
        }
    }
}

/// Half of the least and twice the most that the mean may be, within 2.5 standard errors: a server is not as busy every time.
fn mean(some: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let n = some.len() as f64;
    if some.len() == 0 {
        return (0.0, 0.0);
    }
    let mean = some.clone().sum::<f64>() / n;
    let variance = some.map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let margin = 2.5 * (variance / n).sqrt();
    ((mean - margin).max(0.0) / 2.0, (mean + margin) * 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_as_uncertain_as_they_differ() {
        let of = |waits: &[(f64, u32)]| {
            let mut latest = LatestWaits::default();
            for (seconds, further) in waits {
                latest.note(*seconds, *further);
            }
            latest.seen()
        };
        assert_eq!(of(&[]), Waits::default());
        assert_eq!(of(&[(0.0, 0); 9]), Waits { known: 9, ..Waits::default() }, "none was put off");
        let all = of(&[(3.0, 1); 100]);
        assert_eq!((all.known, all.put_off, all.seconds, all.further), (64, 64, (1.5, 6.0), (0.5, 2.0)));
        let some = of(&[(0.0, 0), (4.0, 2), (0.0, 0), (0.0, 0)]);
        assert_eq!((some.known, some.put_off, some.seconds.0), (4, 1, 0.0));
        assert!(some.seconds.1 > 2.0 && some.further.1 > 1.0, "{some:?}");
    }
}
