//! The nearest neighbours of many vectors, nearly all of them: a row is compared with the rows of the cells around its own
//! (an inverted file; Sivic and Zisserman 2003), along the directions that tell most, then with the neighbours of its neighbours
//! (Dong, Moses and Li 2011), at last in full.

use rayon::prelude::*;

use super::neighbours::{Best, Neighbours};
use super::vectors::{Vectors, dot};
use crate::matrix::{Matrix, MatrixMut, multiply};

/// Directions along which rows are compared while candidates are looked for.
const DIRECTIONS: usize = 128;
/// Rows of a cell on average.
const ROWS_OF_CELL: usize = 512;
/// Cells that a row's neighbours are looked for in, its own among them: this share of all, and at least [`FEWEST_CELLS`].
const SHARE_OF_CELLS: f64 = 0.12;
const FEWEST_CELLS: usize = 8;
/// Rows of each cell that its centre is found on, and how often it is moved.
const SAMPLE_OF_CELL: usize = 24;
const MOVES: usize = 4;
/// Rows that are compared at a time with as many of another cell: a block of similarities stays in a core's cache.
const BLOCK: usize = 512;
/// Nearest neighbours whose own nearest ones are looked at as well.
const HOPS: usize = 12;
/// Candidates that are found along few directions for each neighbour that is wanted.
const CANDIDATES: usize = 2;

/// The `count` nearest rows of each row that were found. Depends on nothing but the vectors and their order. Costs about
/// `n² k / 12` multiplications where cells are of like size, with `k` directions.
fn nearest(vectors: &Vectors, count: usize) -> Vec<Vec<(u32, f32)>> {
    if count == 0 {
        return vec![Vec::new(); vectors.len()];
    }
    let few = vectors.reduced(DIRECTIONS);
    let cells = Cells::new(&few);
    // Rows of a cell have neighbours in common: one after the other they find them in the processor's cache.
    let order = cells.rows.concat();
    let mut found = cells.search(&few, CANDIDATES * count);
    found = hop(&few, &found, CANDIDATES * count, &order);
    drop((few, cells));
    found = in_full(vectors, &found, count, &order);
    hop(vectors, &found, count, &order)
}

/// The `count` nearest of what was found, compared in full.
fn in_full(vectors: &Vectors, found: &[Vec<(u32, f32)>], count: usize, order: &[u32]) -> Vec<Vec<(u32, f32)>> {
    let best = |&row: &u32| {
        let mut best = Best::new(count);
        for &(other, _) in &found[row as usize] {
            best.offer(other, dot(vectors.row(row as usize), vectors.row(other as usize)));
        }
        best.into_found()
    };
    by_row(order, order.par_iter().map(best).collect())
}

/// What was made of the rows in an order of theirs, by row.
fn by_row<T: Default>(order: &[u32], made: Vec<T>) -> Vec<T> {
    let mut rows: Vec<T> = made.iter().map(|_| T::default()).collect();
    order.iter().zip(made).for_each(|(&row, made)| rows[row as usize] = made);
    rows
}

/// The nearest of the neighbours of each row, of their neighbours, and of those whose neighbour it is.
fn hop(vectors: &Vectors, found: &[Vec<(u32, f32)>], count: usize, order: &[u32]) -> Vec<Vec<(u32, f32)>> {
    let near = |row: u32| found[row as usize].iter().take(HOPS).map(|&(other, _)| other);
    let mut back: Vec<Vec<u32>> = vec![Vec::new(); found.len()];
    for row in 0..found.len() as u32 {
        for other in near(row) {
            if back[other as usize].len() < HOPS {
                back[other as usize].push(row);
            }
        }
    }
    let better = |seen: &mut Vec<u32>, &row: &u32| {
        let (own, row) = (&found[row as usize], row as usize);
        seen.clear();
        for other in near(row as u32).chain(back[row].iter().copied()) {
            seen.extend(near(other).chain(back[other as usize].iter().copied()));
        }
        seen.extend(&back[row]);
        seen.sort_unstable();
        seen.dedup();
        let mut known: Vec<u32> = own.iter().map(|&(other, _)| other).collect();
        known.sort_unstable();
        let mut best = Best::new(count);
        own.iter().for_each(|&(other, similarity)| best.insert(other, similarity));
        for &other in seen.iter() {
            if other as usize != row && known.binary_search(&other).is_err() {
                best.offer(other, dot(vectors.row(row), vectors.row(other as usize)));
            }
        }
        best.into_found()
    };
    by_row(order, order.par_iter().map_init(Vec::new, better).collect())
}

/// Rows by the centre that is nearest to them.
struct Cells {
    /// The centre of each cell, one after the other.
    centres: Vec<f32>,
    /// The rows of each cell, ascending.
    rows: Vec<Vec<u32>>,
}

impl Cells {
    fn new(vectors: &Vectors) -> Self {
        let (n, d) = (vectors.len(), vectors.dimensions());
        let count = n.div_ceil(ROWS_OF_CELL).max(1);
        // Rows are in an order of their own, by content: every so-manieth is a fair sample.
        let sample: Vec<u32> = (0..n as u32).step_by((n / (SAMPLE_OF_CELL * count)).max(1)).collect();
        let first = sample.iter().step_by((sample.len() / count).max(1)).take(count);
        let mut centres: Vec<f32> = first.flat_map(|&row| vectors.row(row as usize).iter().copied()).collect();
        for _ in 0..MOVES {
            let of = assigned(vectors, &sample, &centres);
            let mut sums = vec![0.0_f64; centres.len()];
            for (&row, &cell) in sample.iter().zip(&of) {
                let sum = &mut sums[cell as usize * d..][..d];
                sum.iter_mut().zip(vectors.row(row as usize)).for_each(|(sum, x)| *sum += f64::from(*x));
            }
            for (centre, sum) in centres.chunks_exact_mut(d).zip(sums.chunks_exact(d)) {
                let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
                // A centre that lost all of its rows stays where it is.
                if norm > 0.0 {
                    centre.iter_mut().zip(sum).for_each(|(x, sum)| *x = (sum / norm) as f32);
                }
            }
        }
        let all: Vec<u32> = (0..n as u32).collect();
        let mut rows = vec![Vec::new(); centres.len() / d];
        all.iter().zip(assigned(vectors, &all, &centres)).for_each(|(&row, cell)| rows[cell as usize].push(row));
        Self { centres, rows }
    }

    /// The neighbours of each row in the cells around its own.
    fn search(&self, vectors: &Vectors, count: usize) -> Vec<Vec<(u32, f32)>> {
        let d = vectors.dimensions();
        let wanted = ((self.rows.len() as f64 * SHARE_OF_CELLS) as usize).max(FEWEST_CELLS);
        let around = |cell: usize| -> Vec<usize> {
            let centre = |cell: usize| &self.centres[cell * d..][..d];
            let mut others: Vec<(usize, f32)> =
                (0..self.rows.len()).map(|other| (other, dot(centre(cell), centre(other)))).collect();
            others.sort_by(|a, b| (b.0 == cell).cmp(&(a.0 == cell)).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0)));
            let mut rows = 0;
            // Enough cells, and enough rows in them.
            let kept = others.iter().enumerate().take_while(|&(index, &(other, _))| {
                let more = index < wanted || rows <= 2 * count;
                rows += self.rows[other].len();
                more
            });
            kept.map(|(_, &(other, _))| other).collect()
        };
        let jobs: Vec<(usize, &[u32])> = self
            .rows
            .iter()
            .enumerate()
            .flat_map(|(cell, rows)| rows.chunks(BLOCK).map(move |rows| (cell, rows)))
            .collect();
        let parts: Vec<Vec<Best>> = jobs
            .par_iter()
            .map(|&(cell, rows)| {
                let own = gathered(vectors, rows);
                let mut best: Vec<Best> = rows.iter().map(|_| Best::new(count)).collect();
                for others in around(cell).into_iter().flat_map(|other| self.rows[other].chunks(BLOCK)) {
                    compare(d, rows, &own, others, &gathered(vectors, others), &mut best);
                }
                best
            })
            .collect();
        let mut found = vec![Vec::new(); vectors.len()];
        for (&(_, rows), best) in jobs.iter().zip(parts) {
            rows.iter().zip(best).for_each(|(&row, best)| found[row as usize] = best.into_found());
        }
        found
    }
}

/// The nearest centre of each of the rows, of equal ones the first.
fn assigned(vectors: &Vectors, rows: &[u32], centres: &[f32]) -> Vec<u32> {
    let d = vectors.dimensions();
    let count = centres.len() / d;
    let block = |rows: &[u32]| -> Vec<u32> {
        let mut similarities = vec![0.0; rows.len() * count];
        multiply(
            &mut MatrixMut::new(&mut similarities, rows.len(), count),
            0.0,
            Matrix::new(&gathered(vectors, rows), rows.len(), d),
            Matrix::new(centres, count, d).transposed(),
            1.0,
        );
        let nearest = |similarities: &[f32]| {
            let first = (0, f32::NEG_INFINITY);
            let indexed = similarities.iter().copied().enumerate();
            indexed.fold(first, |best, next| if next.1 > best.1 { next } else { best }).0 as u32
        };
        similarities.chunks_exact(count).map(nearest).collect()
    };
    rows.par_chunks(BLOCK).flat_map_iter(block).collect()
}

fn gathered(vectors: &Vectors, rows: &[u32]) -> Vec<f32> {
    let mut data = Vec::with_capacity(rows.len() * vectors.dimensions());
    rows.iter().for_each(|&row| data.extend_from_slice(vectors.row(row as usize)));
    data
}

/// Offers every one of `others` to every one of `rows`.
fn compare(d: usize, rows: &[u32], own: &[f32], others: &[u32], data: &[f32], best: &mut [Best]) {
    let mut similarities = vec![0.0; rows.len() * others.len()];
    multiply(
        &mut MatrixMut::new(&mut similarities, rows.len(), others.len()),
        0.0,
        Matrix::new(own, rows.len(), d),
        Matrix::new(data, others.len(), d).transposed(),
        1.0,
    );
    for ((&row, best), similarities) in rows.iter().zip(best).zip(similarities.chunks_exact(others.len())) {
        for (&other, &similarity) in others.iter().zip(similarities) {
            if other != row {
                best.offer(other, similarity);
            }
        }
    }
}

impl Neighbours {
    /// Finds nearly all of the `count` nearest neighbours of each row (rows are unit vectors), for piles in which comparing all
    /// pairs takes too long.
    pub fn approximate(vectors: &Vectors, count: usize) -> Self {
        let count = count.min(vectors.len().saturating_sub(1));
        Self::found(count, nearest(vectors, count).into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a mixture of 40 directions, none of them alike.
    fn mixture(rows: usize) -> Vec<Vec<f32>> {
        let noise = |seed: u64| -> Vec<f32> {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
            };
            (0..32).map(|_| next()).collect()
        };
        let unit = |v: Vec<f32>| {
            let norm = dot(&v, &v).sqrt();
            v.into_iter().map(|x| x / norm).collect()
        };
        let mixed = |i: usize| {
            let (centre, own) = (noise(1_000_000 + i as u64 % 40), noise(i as u64 + 1));
            unit(centre.iter().zip(own).map(|(c, o)| c + 0.8 * o).collect())
        };
        (0..rows).map(mixed).collect()
    }

    #[test]
    fn nearly_all_neighbours_are_found() {
        let rows = mixture(6000);
        let vectors = Vectors::distinct(rows.iter().map(Vec::as_slice));
        let (exact, near) = (Neighbours::exact(&vectors, 20), Neighbours::approximate(&vectors, 20));
        let mut hits = 0;
        for row in 0..vectors.len() {
            let found = near.of(row);
            assert!(found.is_sorted_by(|a, b| a.1 >= b.1) && found.iter().all(|&(other, _)| other as usize != row));
            hits += exact.of(row).iter().filter(|(other, _)| found.iter().any(|(near, _)| near == other)).count();
        }
        let recall = hits as f64 / (20 * vectors.len()) as f64;
        assert!(recall > 0.97, "{recall}");
    }

    #[test]
    fn any_number_of_rows_has_neighbours() {
        for n in [0, 1, 2, 9, 600] {
            let rows = mixture(n);
            let vectors = Vectors::distinct(rows.iter().map(Vec::as_slice));
            let near = Neighbours::approximate(&vectors, 15);
            assert_eq!(near.count(), 15.min(n.saturating_sub(1)));
            (0..n).for_each(|row| assert_eq!(near.of(row).len(), near.count()));
        }
    }
}
