//! A list for each row, all of them in one block of memory.

/// The lists of rows that are numbered from 0.
pub(crate) struct Lists<T> {
    /// Where each list begins; one more than rows.
    starts: Vec<usize>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    /// Of no row yet.
    pub fn new() -> Self {
        Self { starts: vec![0], items: Vec::new() }
    }

    /// Adds the list of the next row.
    pub fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.items.extend(list);
        self.starts.push(self.items.len());
    }

    /// The list of a row.
    pub fn of(&self, row: usize) -> &[T] {
        &self.items[self.starts[row]..self.starts[row + 1]]
    }

    /// The list of a row, to be changed.
    pub fn of_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.items[self.starts[row]..self.starts[row + 1]]
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// All lists, row by row.
    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        self.starts.windows(2).map(|ends| &self.items[ends[0]..ends[1]])
    }
}

impl<T: Copy + Default> Lists<T> {
    /// Each item in the list of its row, in the order in which they come. They are gone through twice: nothing is compared.
    pub fn by_row(rows: usize, items: impl Iterator<Item = (u32, T)> + Clone) -> Self {
        let mut starts = vec![0; rows + 1];
        items.clone().for_each(|(row, _)| starts[row as usize + 1] += 1);
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut sorted = vec![T::default(); starts[rows]];
        for (row, item) in items {
            let place = &mut next[row as usize];
            sorted[*place] = item;
            *place += 1;
        }
        Self { starts, items: sorted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_to_their_rows_in_order() {
        let lists = Lists::by_row(4, [(2, 'a'), (0, 'b'), (2, 'c'), (3, 'd'), (2, 'a')].into_iter());
        let mut pushed = Lists::new();
        ["b", "", "aca", "d"].iter().for_each(|row| pushed.push(row.chars()));
        assert!(lists.iter().eq(pushed.iter()));
        assert_eq!((lists.rows(), lists.of(2), lists.of(1)), (4, &['a', 'c', 'a'][..], &[][..]));
    }
}
