//! The tag index of one shard: which entries carry which tag.
//!
//! Owns the tag names and, for each, the list of its members. An entry keeps for each of its tags
//! the position in that list ([`Link`]), so that it leaves without a search.
//!
//! * S5: `members[link.pos]` of `link.tag` is an entry exactly when that entry has this link.
//! * S6: an entry is in the list of a tag at most once; a tag without members does not exist.
//!
//! Only [`Table`](super::table::Table) calls this, under the lock of its shard.

use super::arena::Arena;
use super::heap::class;
use super::index::Index;
use super::table::Hashed;

/// An entry's place in one tag's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) tag: u32,
    pub(super) pos: u32,
}

impl Link {
    pub(super) fn to_bytes(self) -> [u8; 8] {
        (u64::from(self.tag) << 32 | u64::from(self.pos)).to_le_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        let both = u64::from_le_bytes(bytes);
        Self {
            tag: (both >> 32) as u32,
            pos: both as u32,
        }
    }
}

#[derive(Debug)]
struct Tag {
    name: Box<[u8]>,
    hash: u32,
    members: Vec<u32>,
}

impl Tag {
    fn bytes(&self) -> usize {
        class(self.name.len()) + class(self.members.capacity() * size_of::<u32>())
    }
}

/// Bytes that a tag with one member and such a name occupies, about.
pub(super) fn cost(name: usize) -> usize {
    size_of::<Tag>() + class(name) + 16 + 16
}

/// Tags by name, with their members.
#[derive(Debug, Default)]
pub(super) struct TagIndex {
    by_name: Index,
    tags: Arena<Tag>,
    /// Bytes of names and lists.
    bytes: usize,
}

impl TagIndex {
    pub(super) fn find(&self, tag: Hashed<'_>) -> Option<u32> {
        self.by_name
            .find(tag.short(), |&id| *self.tags[id].name == *tag.text)
    }

    /// The entries with a tag.
    pub(super) fn members(&self, tag: u32) -> &[u32] {
        &self.tags[tag].members
    }

    /// The name of the tag behind `link`.
    pub(super) fn name(&self, link: Link) -> &[u8] {
        &self.tags[link.tag].name
    }

    /// Enters `entry` under `names`, each once, and appends its links in that order.
    pub(super) fn attach<'a>(
        &mut self,
        entry: u32,
        names: impl Iterator<Item = Hashed<'a>>,
        links: &mut Vec<Link>,
    ) {
        for name in names {
            let id = self.find(name).unwrap_or_else(|| self.create(name));
            let tag = &mut self.tags[id];
            // A duplicate name: nobody else pushed since, so this entry is the last member.
            if tag.members.last() == Some(&entry) {
                continue;
            }
            links.push(Link {
                tag: id,
                pos: tag.members.len() as u32,
            });
            let before = tag.bytes();
            tag.members.push(entry);
            self.bytes = self.bytes + tag.bytes() - before;
        }
    }

    /// Removes the member behind `link`. Returns the entry that took its place, if one did: the
    /// caller gives that one this link (S5).
    #[must_use]
    pub(super) fn detach(&mut self, link: Link) -> Option<u32> {
        let tag = &mut self.tags[link.tag];
        let before = tag.bytes();
        tag.members.swap_remove(link.pos as usize);
        let moved = tag.members.get(link.pos as usize).copied();
        if tag.members.is_empty() {
            self.bytes -= before;
            let hash = tag.hash;
            self.by_name.remove(hash, link.tag, |id| self.tags[id].hash);
            self.tags.remove(link.tag);
            return None;
        }
        if tag.members.capacity() > 32 && tag.members.len() < tag.members.capacity() / 4 {
            tag.members.shrink_to(tag.members.len() * 2);
            self.bytes = self.bytes + tag.bytes() - before;
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

    /// Whether `link` is where `entry` stands (S5).
    pub(super) fn agrees(&self, entry: u32, link: Link) -> bool {
        let tag = self.tags.get(link.tag);
        tag.and_then(|tag| tag.members.get(link.pos as usize)) == Some(&entry)
    }

    /// Bytes it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.by_name.bytes() + self.tags.bytes() + self.bytes
    }

    /// The bytes again, counted one by one.
    pub(super) fn counted_bytes(&self) -> usize {
        let tags = self.tags.iter().map(|(_, tag)| tag.bytes());
        self.by_name.bytes() + self.tags.bytes() + tags.sum::<usize>()
    }

    /// Frees some; false when none are left. What is left cannot be used but for this.
    pub(super) fn bury(&mut self) -> bool {
        let Some(chunk) = self.tags.take_chunk() else {
            self.by_name = Index::default();
            return false;
        };
        for tag in chunk {
            self.bytes -= tag.bytes();
        }
        true
    }

    fn create(&mut self, name: Hashed<'_>) -> u32 {
        let hash = name.short();
        let tag = Tag {
            name: name.text.into(),
            hash,
            members: Vec::new(),
        };
        self.bytes += tag.bytes();
        let id = self.tags.insert(tag);
        self.by_name.insert(hash, id, |id| self.tags[id].hash);
        id
    }
}
