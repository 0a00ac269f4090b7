//! The maps that were looked at lately, kept within bounds, for every filter draws the same one.

use std::sync::{Arc, Mutex, PoisonError};

use sheaf_domain::{DocumentId, DocumentMap};

/// Bytes of maps that are kept, roughly: those of about a million documents.
const KEPT: usize = 32 << 20;

/// A map as it is without filters, by the name of the file of its vectors and the level. Both the file and what the database says
/// of its clustering never change, so what is kept is never stale; but clusters may be called otherwise.
#[derive(Default)]
pub struct MapCache(Mutex<Vec<(Key, Arc<DocumentMap>)>>);

type Key = (String, u32);

impl MapCache {
    pub(super) fn get(&self, vectors: &str, level: u32) -> Option<Arc<DocumentMap>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|((name, of), _)| name == vectors && *of == level)?;
        let entry = kept.remove(at);
        let map = Arc::clone(&entry.1);
        kept.push(entry);
        Some(map)
    }

    /// Keeps it; what was used longest ago goes.
    pub(super) fn put(&self, vectors: &str, level: u32, map: &Arc<DocumentMap>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|((name, of), _)| (name.as_str(), *of) != (vectors, level));
        kept.push(((vectors.to_owned(), level), Arc::clone(map)));
        while kept.len() > 1 && kept.iter().map(|(_, map)| bytes(map)).sum::<usize>() > KEPT {
            kept.remove(0);
        }
    }
}

fn bytes(map: &DocumentMap) -> usize {
    let names: usize = map.names.iter().map(|name| name.len() + size_of::<String>()).sum();
    map.documents.len() * (size_of::<DocumentId>() + 2 * size_of::<i16>() + size_of::<Option<u32>>()) + names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let cache = MapCache::default();
        let names = vec!["x".repeat(KEPT / 3 - size_of::<String>())];
        let third = Arc::new(DocumentMap { names, ..DocumentMap::default() });
        for (name, level) in [("a", 0), ("a", 2), ("b", 0)] {
            cache.put(name, level, &third);
        }
        assert!(cache.get("a", 0).is_some());
        cache.put("c", 0, &third);
        assert!(cache.get("a", 2).is_none() && cache.get("a", 0).is_some() && cache.get("c", 0).is_some());
    }
}
