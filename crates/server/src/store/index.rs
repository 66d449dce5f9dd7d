//! Numbers by hash, in sixteen tables, so that growing moves a sixteenth at a time.

use hashbrown::HashTable;

use super::heap::class;

const PARTS: usize = 16;

/// Slots of a table that count as nothing: they are small, and a store has many.
const FEW: usize = 16;

/// Which numbers there are under a hash.
#[derive(Debug, Default)]
pub(super) struct Index {
    parts: [HashTable<u32>; PARTS],
    len: usize,
    bytes: usize,
}

impl Index {
    pub(super) fn find(&self, hash: u32, is: impl FnMut(&u32) -> bool) -> Option<u32> {
        let hash = spread(hash);
        self.parts[part(hash)].find(hash, is).copied()
    }

    /// Enters a number that is not there; `hash_of` is asked for the hashes of others when a
    /// table grows.
    pub(super) fn insert(&mut self, hash: u32, id: u32, hash_of: impl Fn(u32) -> u32) {
        let hash = spread(hash);
        let table = &mut self.parts[part(hash)];
        let before = bytes(table);
        table.insert_unique(hash, id, |&id| spread(hash_of(id)));
        self.bytes = self.bytes + bytes(table) - before;
        self.len += 1;
    }

    pub(super) fn remove(&mut self, hash: u32, id: u32, hash_of: impl Fn(u32) -> u32) {
        let hash = spread(hash);
        let table = &mut self.parts[part(hash)];
        let Ok(found) = table.find_entry(hash, |&found| found == id) else {
            return;
        };
        found.remove();
        self.len -= 1;
        if table.capacity() > FEW && table.len() < table.capacity() / 8 {
            let before = bytes(table);
            table.shrink_to(table.len() * 2, |&id| spread(hash_of(id)));
            self.bytes = self.bytes + bytes(table) - before;
        }
    }

    /// Whether the next insertion under `hash` may have to move others.
    pub(super) fn is_full(&self, hash: u32) -> bool {
        let table = &self.parts[part(spread(hash))];
        table.len() == table.capacity()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes the tables occupy.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The tables want their bits at both ends, and part numbers others in between.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn part(hash: u64) -> usize {
    (hash >> 48) as usize % PARTS
}

fn bytes(table: &HashTable<u32>) -> usize {
    if table.capacity() <= FEW {
        return 0;
    }
    class(table.allocation_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_is_there_and_shrinks() {
        let hash_of = |id: u32| id.wrapping_mul(0x85EB_CA6B);
        let mut index = Index::default();
        for id in 0..10_000 {
            index.insert(hash_of(id), id, hash_of);
        }
        let full = index.bytes();
        for id in 100..10_000 {
            index.remove(hash_of(id), id, hash_of);
        }
        assert_eq!(index.len(), 100);
        assert!(index.bytes() < full / 20);
        for id in 0..200 {
            let found = index.find(hash_of(id), |&other| other == id);
            assert_eq!(found.is_some(), id < 100);
        }
    }
}
