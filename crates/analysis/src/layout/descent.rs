//! The moves: neighbours pull, others push, less and less from round to round.

use rayon::prelude::*;
use wide::f32x8;

use super::mixed;
use super::weights::Weights;
use crate::lists::Lists;

/// Rounds: the more the better, up to a point; of large piles so many that their rows together move so often.
const ROUNDS: std::ops::RangeInclusive<usize> = 200..=500;
const MOVES: usize = 700_000;
/// Rows that push at each pull, drawn by chance (Mikolov et al. 2013, section 2.2).
const PUSHES: usize = 5;
/// Pushes that are reckoned together.
const AT_ONCE: usize = 8;
/// No move goes farther than this times the rate.
const FARTHEST: f32 = 4.0;
/// Keeps what stands in one place from being flung apart.
const SOFTENING: f32 = 1e-3;
/// Rows that one job moves.
const ROWS: usize = 256;

/// Moves rows from where they start, by stochastic descent on UMAP's cross entropy: along an edge of weight `w` in a part `w` of
/// the rounds. With `q = 1 / (1 + d²)` the pull of a neighbour is `-2 q Δ`, the push of another row `2 q Δ / (ε + d²)`,
/// for the difference `Δ` of the two places and its length `d`.
pub fn descend(start: Vec<[f32; 2]>, weights: &Weights, seed: u64) -> Vec<[f32; 2]> {
    let (n, strongest) = (weights.rows(), weights.strongest());
    if n < 2 || strongest <= 0.0 {
        return start;
    }
    let rounds = (MOVES / n).clamp(*ROUNDS.start(), *ROUNDS.end()) as u32;
    let pulls = Pulls::new(weights, strongest, rounds);
    let (mut now, mut next) = (start.clone(), start);
    for round in 0..rounds {
        let rate = 1.0 - round as f32 / rounds as f32;
        next.par_chunks_mut(ROWS).enumerate().for_each_init(Vec::new, |due, (chunk, rows)| {
            for (row, to) in (chunk * ROWS..).zip(rows) {
                let mut place = now[row];
                pulls.due(row, round, due);
                due.iter().for_each(|&other| pull(&mut place, now[other as usize], rate));
                let others = Others::new(seed, row, round, n);
                push(&mut place, &now, others, due.len() * PUSHES, rate);
                *to = place;
            }
        });
        std::mem::swap(&mut now, &mut next);
    }
    now
}

/// For each row those that pull at it, and in which part of the rounds, in [`Self::ALWAYS`].
struct Pulls(Lists<(u32, u32)>);

impl Pulls {
    const ALWAYS: f64 = u32::MAX as f64;
    /// An edge is first due when half of the rounds between two times are over.
    const BEFORE: u32 = 1 << 31;

    /// An edge of weight `strongest` pulls in every round. Without those that are never due in so many rounds.
    fn new(weights: &Weights, strongest: f32, rounds: u32) -> Self {
        let mut pulls = Lists::new();
        for row in weights.edges() {
            let often = row.iter().map(|&(other, weight)| (other, f64::from(weight) / f64::from(strongest)));
            let kept = often.filter(|&(_, often)| often * f64::from(rounds) >= 0.5);
            pulls.push(kept.map(|(other, often)| (other, (often * Self::ALWAYS) as u32)));
        }
        Self(pulls)
    }

    /// The rows that pull at `row` in this round.
    fn due(&self, row: usize, round: u32, due: &mut Vec<u32>) {
        let edges = self.0.of(row);
        // All are written, and what is not due is written over: whether one is cannot be guessed.
        due.resize(edges.len(), 0);
        let mut count = 0;
        for &(other, often) in edges {
            due[count] = other;
            count += usize::from(is_due(often, round));
        }
        due.truncate(count);
    }
}

/// Whether what happens in a part `often` of the rounds happens in this one: whether a whole number is passed in it.
const fn is_due(often: u32, round: u32) -> bool {
    often.wrapping_mul(round).wrapping_add(Pulls::BEFORE).overflowing_add(often).1
}

fn pull(place: &mut [f32; 2], other: [f32; 2], rate: f32) {
    let away = [place[0] - other[0], place[1] - other[1]];
    let force = -2.0 / (1.0 + away[0] * away[0] + away[1] * away[1]);
    place.iter_mut().zip(away).for_each(|(x, away)| *x += rate * (force * away).clamp(-FARTHEST, FARTHEST));
}

/// The pushes of `count` rows drawn by chance, each [`AT_ONCE`] of them from where they find the place.
fn push(place: &mut [f32; 2], now: &[[f32; 2]], others: Others, count: usize, rate: f32) {
    for first in (0..count).step_by(AT_ONCE) {
        let drawn: [u32; AT_ONCE] = std::array::from_fn(|at| others.draw((first + at) as u32));
        let (mut x, mut y, mut force) = ([0.0; AT_ONCE], [0.0; AT_ONCE], [0.0; AT_ONCE]);
        for (at, &other) in drawn.iter().enumerate() {
            [x[at], y[at]] = now[other as usize];
            force[at] = if first + at < count && other != others.row { 2.0 } else { 0.0 };
        }
        let (x, y) = (f32x8::splat(place[0]) - f32x8::from(x), f32x8::splat(place[1]) - f32x8::from(y));
        let square = x * x + y * y;
        let force = f32x8::from(force) / ((square + f32x8::splat(SOFTENING)) * (square + f32x8::splat(1.0)));
        let moved = |away: f32x8| -> f32 {
            let far = f32x8::splat(FARTHEST);
            (force * away).fast_max(-far).fast_min(far).to_array().iter().sum()
        };
        place[0] += rate * moved(x);
        place[1] += rate * moved(y);
    }
}

/// Rows drawn by chance: the same for the same row and round, whatever thread it is on.
#[derive(Clone, Copy)]
struct Others {
    key: u32,
    row: u32,
    rows: u32,
}

impl Others {
    fn new(seed: u64, row: usize, round: u32, rows: usize) -> Self {
        let key = mixed(mixed(seed ^ row as u64) ^ u64::from(round)) as u32;
        Self { key, row: row as u32, rows: rows as u32 }
    }

    /// The one with this number: a count through a hash of 32 bits (C. Wellons 2018, "lowbias32"), scaled to the rows (Lemire 2019).
    const fn draw(self, number: u32) -> u32 {
        let mut x = self.key.wrapping_add(number.wrapping_mul(0x9E37_79B9));
        x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
        x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
        x ^= x >> 16;
        ((x as u64 * self.rows as u64) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_moves_its_ends_as_often_as_its_weight_says() {
        let check = |often: f64, expect: usize| {
            let often = (often * Pulls::ALWAYS) as u32;
            assert_eq!((0..200).filter(|&round| is_due(often, round)).count(), expect, "{often}");
        };
        check(1.0, 200);
        check(0.5, 100);
        check(0.01, 2);
        check(0.001, 0);
    }

    #[test]
    fn pulls_bring_together_and_pushes_part() {
        let mut place = [3.0, 4.0];
        pull(&mut place, [0.0, 0.0], 1.0);
        assert!(place[0] < 3.0 && place[1] < 4.0 && place[0] > 0.0);
        // The one other row is drawn, or the row itself, which pushes nothing.
        let mut place = [0.3, 0.4];
        let now = [[0.0, 0.0], place];
        push(&mut place, &now, Others::new(0, 1, 0, 2), 40, 0.1);
        assert!(place[0] > 0.3 && place[1] > 0.4);
        let pushed = place;
        push(&mut place, &now, Others::new(0, 1, 0, 2), 0, 0.1);
        assert_eq!(place, pushed);
    }

    #[test]
    fn draws_reach_every_row_evenly() {
        let mut counts = [0_u32; 7];
        for row in 0..1_000 {
            let others = Others::new(0, row, 3, counts.len());
            (0..7).for_each(|number| counts[others.draw(number) as usize] += 1);
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
