//! The moves: neighbours pull, others push, less and less from round to round.

use rayon::prelude::*;

use super::mixed;
use super::weights::Weights;

/// Rounds for a small pile, and for one of more than [`LARGE`] rows.
const ROUNDS: [u32; 2] = [500, 200];
/// Rows from which on fewer rounds do.
const LARGE: usize = 10_000;
/// Rows that push at each pull, drawn by chance (Mikolov et al. 2013, section 2.2).
const PUSHES: usize = 5;
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
    let n = weights.rows();
    let strongest = weights.strongest();
    if n < 2 || strongest <= 0.0 {
        return start;
    }
    let rounds = ROUNDS[usize::from(n > LARGE)];
    let (mut now, mut next) = (start.clone(), start);
    for round in 0..rounds {
        let rate = 1.0 - round as f32 / rounds as f32;
        next.par_chunks_mut(ROWS).enumerate().for_each(|(chunk, rows)| {
            for (at, to) in rows.iter_mut().enumerate() {
                let row = chunk * ROWS + at;
                let mut others = Others::new(seed, row, round, n);
                let mut place = now[row];
                for &(other, weight) in weights.edges(row) {
                    if is_due(weight / strongest, round) {
                        pull(&mut place, now[other as usize], rate);
                        for _ in 0..PUSHES {
                            let other = others.draw();
                            if other != row {
                                push(&mut place, now[other], rate);
                            }
                        }
                    }
                }
                *to = place;
            }
        });
        std::mem::swap(&mut now, &mut next);
    }
    now
}

/// Whether an edge that moves its ends in a part `often` of the rounds does so in this one.
fn is_due(often: f32, round: u32) -> bool {
    let times = |rounds: u32| (rounds as f32 * often) as u32;
    times(round + 1) > times(round)
}

fn pull(place: &mut [f32; 2], other: [f32; 2], rate: f32) {
    let (away, square) = difference(*place, other);
    step(place, away, -2.0 / (1.0 + square), rate);
}

fn push(place: &mut [f32; 2], other: [f32; 2], rate: f32) {
    let (away, square) = difference(*place, other);
    step(place, away, 2.0 / ((SOFTENING + square) * (1.0 + square)), rate);
}

fn difference(a: [f32; 2], b: [f32; 2]) -> ([f32; 2], f32) {
    let away = [a[0] - b[0], a[1] - b[1]];
    (away, away[0] * away[0] + away[1] * away[1])
}

fn step(place: &mut [f32; 2], away: [f32; 2], force: f32, rate: f32) {
    for (x, away) in place.iter_mut().zip(away) {
        *x += rate * (force * away).clamp(-FARTHEST, FARTHEST);
    }
}

/// A stream of rows drawn by chance: the same for the same row and round, whatever thread it is on.
struct Others {
    state: u64,
    rows: u64,
}

impl Others {
    fn new(seed: u64, row: usize, round: u32, rows: usize) -> Self {
        Self { state: mixed(mixed(seed ^ row as u64) ^ u64::from(round)), rows: rows as u64 }
    }

    /// SplitMix64; the high half of its number scaled to the rows (Lemire 2019).
    fn draw(&mut self) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        (((mixed(self.state) >> 32) * self.rows) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_moves_its_ends_as_often_as_its_weight_says() {
        let check = |often: f32, expect: usize| {
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
        let mut place = [0.3, 0.4];
        push(&mut place, [0.0, 0.0], 0.1);
        assert!(place[0] > 0.3 && place[1] > 0.4);
    }

    #[test]
    fn draws_reach_every_row_evenly() {
        let mut counts = [0_u32; 7];
        for row in 0..1_000 {
            let mut others = Others::new(0, row, 3, counts.len());
            (0..7).for_each(|_| counts[others.draw()] += 1);
        }
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
