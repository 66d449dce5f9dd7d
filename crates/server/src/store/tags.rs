//! The tag index of one shard: which entries carry which tag.
//!
//! Owns the tag names and, for each, the list of its members. An entry keeps for each of its tags
//! the position in that list ([`TagRef`]), so that it leaves without a search.
//!
//! * I1: `members[r.pos] == Member { entry, nth }` exactly when `entry.tags[nth] == r`.
//! * I2: an entry is in the list of a tag at most once; a tag without members does not exist.
//!
//! Only [`Table`](super::table::Table) calls this, under the lock of its shard.

use hashbrown::HashTable;
use slab::Slab;

/// An entry's place in one tag's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TagRef {
    tag: u32,
    pos: u32,
}

/// One entry in a tag's list: the entry, and which of its tags this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) entry: u32,
    nth: u32,
}

#[derive(Debug)]
struct Tag {
    name: Box<str>,
    hash: u64,
    members: Vec<Member>,
}

/// Tags by name, with their members.
#[derive(Debug, Default)]
pub(super) struct TagIndex {
    by_name: HashTable<u32>,
    tags: Slab<Tag>,
}

impl TagIndex {
    /// The members of the tag `name`; empty if there is no such tag.
    pub(super) fn members(&self, hash: u64, name: &str) -> &[Member] {
        self.find(hash, name)
            .map_or(&[], |id| &self.tags[id as usize].members)
    }

    /// The name of the tag behind `link`.
    pub(super) fn name(&self, link: TagRef) -> &str {
        &self.tags[link.tag as usize].name
    }

    /// Enters `entry` under `names`, each once, and returns its links in that order.
    pub(super) fn attach<'a>(
        &mut self,
        entry: u32,
        names: impl Iterator<Item = (u64, &'a str)>,
    ) -> Box<[TagRef]> {
        let mut links = Vec::new();
        for (hash, name) in names {
            let id = self
                .find(hash, name)
                .unwrap_or_else(|| self.create(hash, name));
            let members = &mut self.tags[id as usize].members;
            // A duplicate name: nobody else pushed since, so this entry is the last member.
            if members.last().is_some_and(|last| last.entry == entry) {
                continue;
            }
            links.push(TagRef {
                tag: id,
                pos: members.len() as u32,
            });
            members.push(Member {
                entry,
                nth: links.len() as u32 - 1,
            });
        }
        links.into_boxed_slice()
    }

    /// Removes the member behind `link`. When another member takes its place, returns that one
    /// and its new link: the caller writes it into that entry (I1).
    #[must_use]
    pub(super) fn detach(&mut self, link: TagRef) -> Option<(u32, usize, TagRef)> {
        let tag = &mut self.tags[link.tag as usize];
        tag.members.swap_remove(link.pos as usize);
        let moved = tag
            .members
            .get(link.pos as usize)
            .map(|m| (m.entry, m.nth as usize, link));
        if tag.members.is_empty() {
            let hash = tag.hash;
            if let Ok(found) = self.by_name.find_entry(hash, |&id| id == link.tag) {
                found.remove();
            }
            self.tags.remove(link.tag as usize);
        } else if tag.members.capacity() > 32 && tag.members.len() < tag.members.capacity() / 4 {
            tag.members.shrink_to(tag.members.len() * 2);
        }
        moved
    }

    /// Number of tags.
    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }

    /// Number of memberships over all tags.
    pub(super) fn memberships(&self) -> usize {
        self.tags.iter().map(|(_, tag)| tag.members.len()).sum()
    }

    /// Whether `link` is where `entry` stands as the `nth` of its tags (I1).
    pub(super) fn agrees(&self, entry: u32, nth: usize, link: TagRef) -> bool {
        self.tags
            .get(link.tag as usize)
            .and_then(|tag| tag.members.get(link.pos as usize))
            .is_some_and(|m| m.entry == entry && m.nth as usize == nth)
    }

    fn find(&self, hash: u64, name: &str) -> Option<u32> {
        self.by_name
            .find(hash, |&id| *self.tags[id as usize].name == *name)
            .copied()
    }

    fn create(&mut self, hash: u64, name: &str) -> u32 {
        let id = self.tags.insert(Tag {
            name: name.into(),
            hash,
            members: Vec::new(),
        }) as u32;
        let tags = &self.tags;
        self.by_name
            .insert_unique(hash, id, |&id| tags[id as usize].hash);
        id
    }
}
