//! The tags of an entry that has very many: a set of its own, made and searched without a lock.
//!
//! To enter a hundred thousand tags into the index of a shard, and to take them out, holds its lock
//! for tens of milliseconds. So an entry with more than [`MOST`] is in no tag's list; whoever looks
//! for the entries of a tag asks the sets of a shard one by one. There are few.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::TagList;
use super::heap::class;
use super::table::Hashed;

/// Tags of an entry that are in the index; with more, none is.
pub(super) const MOST: usize = 512;

/// A set of tags that does not change.
#[derive(Debug)]
pub(super) struct Wide {
    text: Box<[u8]>,
    /// Where the tags are in `text`.
    places: HashTable<(u32, u32)>,
}

impl Wide {
    /// Makes a set of the tags, if they are too many for the index and `u32` can count their bytes.
    pub(super) fn new(tags: TagList<'_>, hasher: &RandomState) -> Option<Self> {
        let count = tags.count_above(MOST)?;
        let mut text = Vec::with_capacity(tags.iter().map(<[u8]>::len).sum());
        let mut places: HashTable<(u32, u32)> = HashTable::with_capacity(count);
        for tag in tags.iter() {
            let hash = hasher.hash_one(tag);
            if find(&text, &places, hash, tag).is_none() {
                let start = u32::try_from(text.len()).ok()?;
                text.extend_from_slice(tag);
                let end = u32::try_from(text.len()).ok()?;
                places.insert_unique(hash, (start, end), |&(start, end)| {
                    hasher.hash_one(&text[start as usize..end as usize])
                });
            }
        }
        Some(Self {
            text: text.into_boxed_slice(),
            places,
        })
    }

    pub(super) fn contains(&self, tag: Hashed<'_>) -> bool {
        find(&self.text, &self.places, tag.hash, tag.text).is_some()
    }

    /// Bytes it occupies.
    pub(super) fn bytes(&self) -> usize {
        class(self.text.len()) + class(self.places.allocation_size()) + size_of::<Self>()
    }
}

fn find<'a>(
    text: &[u8],
    places: &'a HashTable<(u32, u32)>,
    hash: u64,
    tag: &[u8],
) -> Option<&'a (u32, u32)> {
    places.find(hash, |&(start, end)| {
        text[start as usize..end as usize] == *tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_each_tag_once() {
        let hasher = RandomState::default();
        let list: String = (0..2000).map(|n| format!("tag{},", n % 1000)).collect();
        let wide = Wide::new(TagList::new(list.as_bytes()), &hasher).unwrap();
        assert_eq!(wide.places.len(), 1000);
        let has = |text: &[u8]| {
            let hash = hasher.hash_one(text);
            wide.contains(Hashed { hash, text })
        };
        assert!(has(b"tag0") && has(b"tag999") && !has(b"tag") && !has(b"tag1000"));
        let few: String = (0..MOST).map(|n| format!("{n},")).collect();
        assert!(Wide::new(TagList::new(few.as_bytes()), &hasher).is_none());
    }
}
