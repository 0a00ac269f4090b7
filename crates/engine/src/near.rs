//! The nearest neighbours of a batch's vectors as a file: who changes clusters need not wait until they are found again.

use bytes::Bytes;
use sheaf_analysis::clustering::neighbours::Neighbours;

use crate::blobs::{BlobError, DerivedName};

/// Bytes of the head, which says how many neighbours each row has, and of one neighbour: its row and the similarity.
const HEAD: usize = size_of::<u32>();
const EACH: usize = size_of::<u32>() + size_of::<f32>();

/// How the names of such files end.
pub const SUFFIX: &str = ".near";

/// The name of the file beside that of the vectors.
pub fn name(vectors: &DerivedName) -> Result<DerivedName, BlobError> {
    vectors.beside(SUFFIX)
}

/// Little-endian bytes, as they are stored.
pub fn to_bytes(neighbours: &Neighbours) -> Bytes {
    let head = u32::try_from(neighbours.count()).unwrap_or(u32::MAX).to_le_bytes();
    let each = |&(row, similarity): &(u32, f32)| row.to_le_bytes().into_iter().chain(similarity.to_le_bytes());
    head.into_iter().chain(neighbours.all().iter().flat_map(each)).collect()
}

/// Absent when these bytes are something else. Whether they are of some vectors is for [`Neighbours::are_of`] to say.
pub fn from_bytes(bytes: &[u8]) -> Option<Neighbours> {
    let (head, each) = bytes.split_at_checked(HEAD)?;
    let count = u32::from_le_bytes(head.try_into().ok()?);
    let pair = |b: &[u8]| (u32::from_le_bytes([b[0], b[1], b[2], b[3]]), f32::from_le_bytes([b[4], b[5], b[6], b[7]]));
    (each.len() % EACH == 0).then(|| Neighbours::kept(count as usize, each.chunks_exact(EACH).map(pair).collect()))
}

#[cfg(test)]
mod tests {
    use sheaf_analysis::clustering::vectors::Vectors;

    use super::*;

    #[test]
    fn neighbours_are_read_as_they_were_written() {
        let rows = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.6, 0.8]];
        let vectors = Vectors::distinct(rows.iter().map(<[f32; 2]>::as_slice));
        let found = Neighbours::exact(&vectors, 2);
        let bytes = to_bytes(&found);
        assert_eq!(from_bytes(&bytes).as_ref(), Some(&found));
        assert!(from_bytes(&bytes).is_some_and(|near| near.are_of(4, 2)));
        assert_eq!((from_bytes(&bytes[1..]), from_bytes(b"")), (None, None));
        assert!(from_bytes(&bytes[..bytes.len() - EACH]).is_some_and(|near| !near.are_of(4, 2)));
        assert_eq!(from_bytes(&to_bytes(&Neighbours::default())), Some(Neighbours::default()));
    }
}
