//! The vectors of batches that were searched or looked at lately, kept within bounds.

use std::sync::{Arc, Mutex, PoisonError};

use sheaf_domain::Failure;
use sheaf_store::VectorFile;

use crate::Engine;
use crate::heatmap::Vectors;

/// Bytes of vectors that are kept: those of about 170,000 documents.
const KEPT: usize = 256 << 20;

/// Files of vectors never change, so what is kept is never stale.
#[derive(Default)]
pub struct VectorCache(Mutex<Vec<(String, Arc<Vectors>)>>);

impl VectorCache {
    fn get(&self, name: &str) -> Option<Arc<Vectors>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(of, _)| of == name)?;
        let entry = kept.remove(at);
        let vectors = Arc::clone(&entry.1);
        kept.push(entry);
        Some(vectors)
    }

    /// Keeps them; what was used longest ago goes.
    fn put(&self, name: &str, vectors: &Arc<Vectors>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, _)| of != name);
        kept.push((name.to_owned(), Arc::clone(vectors)));
        while kept.iter().map(|(_, vectors)| bytes(vectors)).sum::<usize>() > KEPT {
            kept.remove(0);
        }
    }
}

fn bytes(vectors: &Vectors) -> usize {
    vectors.rows() * vectors.dimensions() * size_of::<f32>()
}

impl Engine {
    /// The vectors of an analysed batch.
    ///
    /// # Errors
    /// `storage`.
    pub(crate) async fn kept_vectors(&self, file: &VectorFile) -> Result<Arc<Vectors>, Failure> {
        let name = &file.name;
        if let Some(vectors) = self.vector_cache().get(name) {
            return Ok(vectors);
        }
        let bytes = self.blobs().read_derived(&name.parse()?).await?;
        let vectors = Arc::new(Vectors::from_bytes(&bytes, file.dimensions as usize));
        self.vector_cache().put(name, &vectors);
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let cache = VectorCache::default();
        let third = Arc::new(Vectors::new(vec![0.0; KEPT / 3 / size_of::<f32>()], 1));
        for name in ["a", "b", "c"] {
            cache.put(name, &third);
        }
        assert!(cache.get("a").is_some());
        cache.put("d", &third);
        assert!(cache.get("b").is_none() && cache.get("a").is_some() && cache.get("d").is_some());
    }
}
