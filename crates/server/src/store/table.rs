//! One shard's entries with everything that refers to them: the hash index, the tag index and the
//! order of use, changed together under one lock.
//!
//! * S7: `index` holds exactly the ids of `entries`, each under the hash of its key.
//! * S8: an entry's links and the tag index agree (S5, S6 of `tags`); so no entry is alive and
//!   unreachable by one of its tags, and no tag lists an entry that does not carry it. An entry
//!   with more than [`MOST`] tags has no link and its set in `extras`.
//! * S9: the list of use holds exactly the ids of `entries`.
//! * S10: the budget holds the sum of what all tables occupy.
//!
//! Only the store calls this. Each method leaves the invariants whole, also those of `tags`.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::arena::Arena;
use super::budget::Budget;
use super::entry::{Entry, Extra, LARGE, Large, NEVER, Parts, Tick, block_len};
use super::heap::class;
use super::index::Index;
use super::tags::{self, Link, TagIndex};
use super::wide::{MOST, Wide};
use super::{IncrError, Item, Stats, Write};
use crate::order::Order;

/// A key or tag with its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashed<'a> {
    pub(super) hash: u64,
    pub(super) text: &'a [u8],
}

impl Hashed<'_> {
    /// The part of the hash that tables go by; the shard is chosen by another.
    pub(super) fn short(self) -> u32 {
        self.hash as u32
    }
}

/// What is to be written, with all that can be made of it without the lock.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) key: Hashed<'a>,
    /// Empty if it is in the extra.
    value: &'a [u8],
    extra: Extra,
    with: &'a Write<'a>,
    hasher: &'a RandomState,
    /// Tags that get into the index, duplicates included.
    few: usize,
    /// What those may occupy beside the block.
    names: usize,
    /// What the new entry may occupy, all its tags taken for new ones.
    pub(super) cost: usize,
}

impl<'a> Draft<'a> {
    #[inline]
    pub(super) fn new(
        key: Hashed<'a>,
        value: &'a [u8],
        with: &'a Write<'a>,
        hasher: &'a RandomState,
    ) -> Self {
        let mut draft = Self {
            key,
            value,
            extra: Extra::default(),
            with,
            hasher,
            few: 0,
            names: 0,
            cost: 0,
        };
        if !with.tags.is_empty() {
            draft.extra.tags = Wide::new(with.tags, hasher).map(Arc::new);
            for tag in draft.few_tags() {
                draft.few += 1;
                draft.names += tags::cost(tag.len());
            }
        }
        let (inline, large) = match value.len() {
            LARGE.. => (0, Large::cost(value, with.buffer)),
            len => (len, 0),
        };
        draft.cost = large + draft.cost_of(inline, with.ttl_ms.is_some());
        draft
    }

    /// Takes a large value over, or copies it, which takes time and memory: once there is room for it.
    pub(super) fn take_large(&mut self) {
        if self.value.len() >= LARGE {
            self.extra.value = Some(Large::new(self.value, self.with.buffer));
            self.value = &[];
        }
    }

    /// Whether its lengths can be noted: a set of tags, for one, counts its bytes in 32 bits.
    pub(super) fn is_writable(&self) -> bool {
        u32::try_from(self.key.text.len()).is_ok() && self.few <= MOST
    }

    fn few_tags(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let few = self.extra.tags.is_none();
        self.with.tags.iter().filter(move |_| few)
    }

    fn cost_of(&self, value: usize, mortal: bool) -> usize {
        let block = block_len(self.key.text.len(), value, self.few, mortal);
        cost(block) + self.names + self.extra.bytes()
    }

    /// Whether the lock is held for longer than for most.
    pub(super) fn is_long(&self) -> bool {
        self.value.len() > LARGE / 8 || self.few > 64
    }
}

/// Whether an entry that is not wide has the tags of a draft that is not, which are as many, in that
/// order.
#[inline]
fn has_tags(tags: &TagIndex, entry: &Entry, draft: &Draft<'_>) -> bool {
    if draft.few == 0 {
        return true;
    }
    let mut names = draft.with.tags.iter();
    entry
        .tags()
        .all(|link| names.next() == Some(tags.name(link)))
}

/// What an entry with such a block occupies beside its tags.
fn cost(block: usize) -> usize {
    class(block) + size_of::<Entry>() + 16
}

/// There is no room for so many bytes more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lack(pub(super) usize);

#[derive(Debug, Default)]
pub(super) struct Table {
    index: Index,
    entries: Arena<Entry>,
    tags: TagIndex,
    uses: Order,
    extras: HashMap<u32, Extra, RandomState>,
    /// Bytes of all blocks.
    blocks: usize,
    /// Bytes of all extras.
    extra_bytes: usize,
    /// Bytes that the budget was asked for in advance.
    reserved: usize,
    /// What the budget holds for this table, without that.
    booked: usize,
    /// It may occupy more or less than is booked.
    changed: bool,
    /// Entries that have a TTL: without any, a sweep passes by.
    mortal: usize,
    /// Where the next sweep goes on.
    hand: u32,
    /// Writes so far.
    version: u64,
    /// Entries made so far.
    pub(super) births: u64,
    /// What takes time to free; the caller does so when the lock is released.
    pub(super) trash: Vec<Extra>,
    pub(super) stats: Stats,
}

impl Table {
    /// Finds an entry, counting hit or miss. Changes nothing that the budget knows of.
    pub(super) fn get(&mut self, key: Hashed<'_>, now: Tick, tight: bool) -> Found<'_> {
        let Some(id) = self.find(key) else {
            self.stats.misses += 1;
            return Found::Absent;
        };
        if tight {
            self.touch(id, now);
        }
        let entry = &self.entries[id];
        if entry.is_expired(now) {
            self.stats.misses += 1;
            return Found::Expired;
        }
        self.stats.hits += 1;
        let (version, flags) = (entry.version, entry.flags);
        match self.large(id, entry) {
            Some(value) => Found::Large(value.clone(), version, flags),
            None => Found::Small(Item {
                value: entry.value(),
                version,
                flags,
                shared: None,
            }),
        }
    }

    /// Removes an entry that has expired.
    pub(super) fn expire(&mut self, key: Hashed<'_>, now: Tick) {
        self.find_live(key, now);
    }

    /// Stores an entry, over an older one or not, and returns its version. With `force`, whether
    /// there is room or not.
    pub(super) fn put(
        &mut self,
        draft: &Draft<'_>,
        now: Tick,
        budget: &Budget,
        force: bool,
    ) -> Result<u64, Lack> {
        match self.find(draft.key) {
            Some(id) if self.overwrite(id, draft, false, now, budget) => {}
            Some(id) => {
                self.reserve(self.cost(id), draft.cost, budget, force)?;
                self.rewrite(id, draft, false, now);
            }
            None => {
                self.reserve(0, draft.cost, budget, force)?;
                self.create(draft, now);
            }
        }
        self.stats.puts += 1;
        Ok(self.version)
    }

    /// Stores an entry unless a live one is there; tells whether it did.
    pub(super) fn add(
        &mut self,
        draft: &Draft<'_>,
        now: Tick,
        budget: &Budget,
        force: bool,
    ) -> Result<bool, Lack> {
        if self.find_live(draft.key, now).is_some() {
            return Ok(false);
        }
        self.put(draft, now, budget, force).map(|_| true)
    }

    /// Adds `by` to a number, or starts one with the draft. A TTL of None keeps the entry's and
    /// restarts its clock; no tags keep the entry's tags. Its flags stay.
    pub(super) fn increment(
        &mut self,
        draft: &Draft<'_>,
        by: i64,
        now: Tick,
        budget: &Budget,
        force: bool,
    ) -> Result<Result<i64, IncrError>, Lack> {
        let Some(id) = self.find_live(draft.key, now) else {
            return self.put(draft, now, budget, force).map(|_| Ok(by));
        };
        let entry = &self.entries[id];
        let value: &[u8] = match self.large(id, entry) {
            Some(large) => large,
            None => entry.value(),
        };
        let number = str::from_utf8(value)
            .ok()
            .and_then(|v| v.trim().parse::<i64>().ok());
        let Some(number) = number else {
            return Ok(Err(IncrError::NotAnInteger));
        };
        let Some(sum) = number.checked_add(by) else {
            return Ok(Err(IncrError::Overflow));
        };
        let digits = sum.to_string();
        let keeps_tags = draft.with.tags.iter().next().is_none();
        let with = Write {
            ttl_ms: draft.with.ttl_ms.or_else(|| entry.ttl_ms()),
            flags: entry.flags,
            ..*draft.with
        };
        let mut extra = draft.extra.clone();
        let mut names = 0;
        if keeps_tags {
            extra.tags = self.extras.get(&id).and_then(|extra| extra.tags.clone());
            names = entry
                .tags()
                .map(|link| tags::cost(self.tags.name(link).len()))
                .sum();
        }
        let mut new = Draft {
            value: digits.as_bytes(),
            extra,
            with: &with,
            ..*draft
        };
        let (len, links) = (
            digits.len(),
            if keeps_tags { entry.tags().len() } else { 0 },
        );
        new.cost = names + links * size_of::<Link>() + new.cost_of(len, with.ttl_ms.is_some());
        if !self.overwrite(id, &new, keeps_tags, now, budget) {
            self.reserve(self.cost(id), new.cost, budget, force)?;
            self.rewrite(id, &new, keeps_tags, now);
        }
        self.stats.puts += 1;
        Ok(Ok(sum))
    }

    /// Removes a live entry; tells whether there was one.
    pub(super) fn delete(&mut self, key: Hashed<'_>, now: Tick) -> bool {
        let Some(id) = self.find_live(key, now) else {
            return false;
        };
        self.remove(id);
        self.stats.invalidations += 1;
        true
    }

    /// Appends the ids of all entries that may carry all of `tags`.
    pub(super) fn gather(&self, tags: &[Hashed<'_>], ids: &mut Vec<u32>) {
        if tags.len() <= MOST {
            let mut fewest: Option<&[u32]> = None;
            for &tag in tags {
                let members = self
                    .tags
                    .find(tag)
                    .map_or(&[][..], |id| self.tags.members(id));
                if fewest.is_none_or(|fewest| members.len() < fewest.len()) {
                    fewest = Some(members);
                }
                if members.is_empty() {
                    break;
                }
            }
            ids.extend_from_slice(fewest.unwrap_or_default());
        }
        let wide = self.extras.iter().filter(|(_, extra)| extra.tags.is_some());
        ids.extend(wide.map(|(&id, _)| id));
    }

    /// Looks tags up. Good for as long as the lock is held.
    pub(super) fn resolve(&self, tags: &[Hashed<'_>], found: &mut Vec<u32>) {
        found.clear();
        if tags.len() <= MOST {
            found.extend(tags.iter().map_while(|&tag| self.tags.find(tag)));
        }
    }

    /// Whether an entry carries all of `tags`, of which `found` are those that [`Self::resolve`]
    /// has found. An entry with a set of its own may be left to be asked without the lock.
    pub(super) fn carries(&self, id: u32, tags: &[Hashed<'_>], found: &[u32]) -> Carries {
        let Some(entry) = self.entries.get(id) else {
            return Carries::No;
        };
        if entry.is_wide() {
            let Some(set) = self.extras.get(&id).and_then(|extra| extra.tags.as_ref()) else {
                return Carries::No;
            };
            return match tags.len() {
                0..64 if tags.iter().all(|&tag| set.contains(tag)) => Carries::All,
                0..64 => Carries::No,
                _ => Carries::Ask(Arc::clone(set), entry.version),
            };
        }
        let has = |tag: &u32| entry.tags().any(|link| link.tag == *tag);
        if found.len() == tags.len() && found.iter().all(has) {
            Carries::All
        } else {
            Carries::No
        }
    }

    /// Removes an entry that was found by its tags; tells whether it was alive.
    pub(super) fn invalidate(&mut self, id: u32, now: Tick) -> bool {
        let alive = !self.entries[id].is_expired(now);
        self.remove(id);
        self.stats.invalidations += u64::from(alive);
        alive
    }

    /// The version of the entry, if there is one.
    pub(super) fn version_of(&self, id: u32) -> Option<u64> {
        self.entries.get(id).map(|entry| entry.version)
    }

    /// The key of a live entry.
    pub(super) fn live_key(&self, id: u32, now: Tick) -> Option<&[u8]> {
        let entry = self.entries.get(id)?;
        (!entry.is_expired(now)).then(|| entry.key())
    }

    /// Takes everything out; what counts goes on counting. The caller buries it.
    pub(super) fn take_all(&mut self) -> Self {
        let mut all = std::mem::take(self);
        self.stats = all.stats;
        self.stats.invalidations += all.len() as u64;
        self.version = all.version;
        self.births = all.births;
        self.trash = std::mem::take(&mut all.trash);
        all
    }

    /// Frees some of a table that was taken out; false when nothing is left.
    pub(super) fn bury(&mut self) -> bool {
        self.changed = true;
        if let Some(chunk) = self.entries.take_chunk() {
            for entry in chunk {
                self.blocks -= entry.bytes();
            }
            return true;
        }
        self.index = Index::default();
        if self.tags.bury() {
            return true;
        }
        self.extras = HashMap::default();
        self.extra_bytes = 0;
        false
    }

    /// Number of entries, expired ones that were not swept yet among them.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.blocks
            + self.extra_bytes
            + self.index.bytes()
            + self.entries.bytes()
            + self.tags.bytes()
    }

    /// Books what has changed.
    pub(super) fn settle(&mut self, budget: &Budget) {
        if std::mem::take(&mut self.changed) {
            let bytes = self.bytes();
            budget.settle(self.booked + self.reserved, bytes);
            self.reserved = 0;
            self.booked = bytes;
        }
    }

    /// Whether a new entry would make the index move others.
    pub(super) fn grows_for(&self, key: Hashed<'_>) -> bool {
        self.index.is_full(key.short())
    }

    /// When the least recently used entry was used; [`NEVER`] when there is none.
    pub(super) fn oldest_use(&self) -> u64 {
        self.uses
            .oldest()
            .map_or(NEVER, |id| self.entries[id].used_at)
    }

    /// Removes the least recently used entry, if any.
    pub(super) fn evict(&mut self) -> bool {
        let Some(id) = self.uses.oldest() else {
            return false;
        };
        self.remove(id);
        self.stats.evictions += 1;
        true
    }

    /// Looks at the next `slots` places and removes the expired entries there. Returns how many
    /// it removed, and whether it came to the end of the table.
    pub(super) fn sweep(&mut self, slots: u32, now: Tick) -> (usize, bool) {
        let end = self.entries.end();
        if self.mortal == 0 || self.hand >= end {
            self.hand = 0;
            return (0, true);
        }
        let stop = self.hand.saturating_add(slots).min(end);
        let mut removed = 0;
        for id in self.hand..stop {
            if self
                .entries
                .get(id)
                .is_some_and(|entry| entry.is_expired(now))
            {
                self.remove(id);
                removed += 1;
            }
        }
        self.hand = if stop == end { 0 } else { stop };
        (removed, stop == end)
    }

    /// Checks S7 to S9 in full and returns what the table occupies for S10.
    ///
    /// # Errors
    ///
    /// Says which invariant is broken, and for which key.
    pub(super) fn check(&mut self) -> Result<usize, String> {
        let len = self.entries.len();
        if self.index.len() != len {
            return Err(format!("S7: index {} entries {len}", self.index.len()));
        }
        let listed = self.uses.count(&mut self.entries, len + 1);
        if listed != len {
            return Err(format!("S9: list {listed} entries {len}"));
        }
        let (mut links, mut mortal, mut blocks, mut extras) = (0, 0, 0, 0);
        for (id, entry) in self.entries.iter() {
            let name = entry.key().escape_ascii();
            let found = self
                .index
                .find(entry.hash, |&id| self.entries[id].key() == entry.key());
            if found != Some(id) {
                return Err(format!("S7: {name} is not in the index"));
            }
            if let Some(link) = entry.tags().find(|&link| !self.tags.agrees(id, link)) {
                return Err(format!("S8: {link:?} of {name} disagrees"));
            }
            let extra = self.extras.get(&id).cloned().unwrap_or_default();
            if extra.tags.is_some() != entry.is_wide() || extra.value.is_some() != entry.is_large()
            {
                return Err(format!("S8: the extra of {name} disagrees"));
            }
            links += entry.tags().len();
            mortal += usize::from(entry.is_mortal());
            blocks += entry.bytes();
            extras += extra.bytes();
        }
        let expected = (links, mortal, blocks, extras, self.tags.counted_bytes());
        let kept = (
            self.tags.memberships(),
            self.mortal,
            self.blocks,
            self.extra_bytes,
            self.tags.bytes(),
        );
        if expected != kept {
            return Err(format!("S8, S10: counted {expected:?}, kept {kept:?}"));
        }
        if links == 0 && self.tags.len() != 0 {
            return Err(format!("S6: {} tags without members", self.tags.len()));
        }
        if self.booked != self.bytes() || self.reserved != 0 || self.changed {
            return Err(format!(
                "S10: booked {} occupied {}",
                self.booked,
                self.bytes()
            ));
        }
        Ok(self.booked)
    }

    #[inline]
    fn find(&self, key: Hashed<'_>) -> Option<u32> {
        self.index.find(key.short(), |&id| {
            let entry = &self.entries[id];
            entry.hash == key.short() && entry.key() == key.text
        })
    }

    /// Finds an entry; an expired one is removed on the way.
    fn find_live(&mut self, key: Hashed<'_>, now: Tick) -> Option<u32> {
        let id = self.find(key)?;
        if self.entries[id].is_expired(now) {
            self.remove(id);
            return None;
        }
        Some(id)
    }

    fn large(&self, id: u32, entry: &Entry) -> Option<&Large> {
        if !entry.is_large() {
            return None;
        }
        self.extras.get(&id).and_then(|extra| extra.value.as_ref())
    }

    /// What an entry is taken to occupy, by the measure of a draft.
    fn cost(&self, id: u32) -> usize {
        let entry = &self.entries[id];
        let names = entry
            .tags()
            .map(|link| tags::cost(self.tags.name(link).len()));
        let extra = if entry.is_wide() || entry.is_large() {
            self.extras.get(&id).map_or(0, Extra::bytes)
        } else {
            0
        };
        entry.bytes() + cost(0) + names.sum::<usize>() + extra
    }

    fn reserve(
        &mut self,
        old: usize,
        new: usize,
        budget: &Budget,
        force: bool,
    ) -> Result<(), Lack> {
        let grow = new.saturating_sub(old);
        if grow > 0 && !force {
            if !budget.reserve(grow) {
                return Err(Lack(grow));
            }
            self.reserved += grow;
            self.changed = true;
        }
        Ok(())
    }

    fn create(&mut self, draft: &Draft<'_>, now: Tick) {
        let hash = draft.key.short();
        let parts = Parts {
            key: draft.key.text,
            value: draft.value,
            links: &[],
            ttl_ms: draft.with.ttl_ms,
            extra: &draft.extra,
        };
        let mut tags = draft.few_tags().peekable();
        if tags.peek().is_none() {
            let id = self
                .entries
                .insert(Entry::new(hash, draft.with.flags, parts, now));
            self.enter(id, draft, now);
            return;
        }
        // The links hold the id, and the block the links.
        let bare = Parts {
            key: &[],
            value: &[],
            ..parts
        };
        let id = self
            .entries
            .insert(Entry::new(hash, draft.with.flags, bare, now));
        let links = self.attach(id, draft);
        self.entries[id].fill(
            Parts {
                links: &links,
                ..parts
            },
            now,
        );
        self.enter(id, draft, now);
    }

    /// Makes an entry, whose block is whole, known to all that refer to it.
    fn enter(&mut self, id: u32, draft: &Draft<'_>, now: Tick) {
        self.births += 1;
        self.changed = true;
        self.version += 1;
        let entry = &mut self.entries[id];
        entry.version = self.version;
        entry.used_at = now.0;
        self.blocks += entry.bytes();
        self.mortal += usize::from(entry.is_mortal());
        self.index
            .insert(draft.key.short(), id, |id| self.entries[id].hash);
        self.uses.push(&mut self.entries, id);
        self.swap_extra(id, &draft.extra);
    }

    /// Writes over an entry if that only takes other bytes in the same places.
    #[inline]
    fn overwrite(
        &mut self,
        id: u32,
        draft: &Draft<'_>,
        keeps_tags: bool,
        now: Tick,
        budget: &Budget,
    ) -> bool {
        let entry = &mut self.entries[id];
        let ttl_ms = draft.with.ttl_ms;
        let fits = !entry.is_large()
            && !entry.is_wide()
            && draft.extra.value.is_none()
            && draft.extra.tags.is_none()
            && entry.is_mortal() == ttl_ms.is_some()
            && entry.value().len() == draft.value.len()
            && (keeps_tags
                || draft.few == entry.tags().len() && has_tags(&self.tags, entry, draft));
        if !fits {
            return false;
        }
        self.version += 1;
        entry.write_over(draft.value, ttl_ms, now);
        entry.version = self.version;
        entry.flags = draft.with.flags;
        if budget.is_tight() {
            self.touch(id, now);
        }
        true
    }

    /// Makes the block of an entry anew.
    fn rewrite(&mut self, id: u32, draft: &Draft<'_>, keeps_tags: bool, now: Tick) {
        self.version += 1;
        let entry = &self.entries[id];
        let few = draft.extra.tags.is_none() && !entry.is_wide();
        let same_tags = keeps_tags
            || few && draft.few == entry.tags().len() && has_tags(&self.tags, entry, draft);
        let mut links: Vec<Link> = entry.tags().collect();
        if !same_tags {
            self.detach(links.iter().copied());
            links = self.attach(id, draft);
        }
        let parts = Parts {
            key: draft.key.text,
            value: draft.value,
            links: &links,
            ttl_ms: draft.with.ttl_ms,
            extra: &draft.extra,
        };
        let entry = &mut self.entries[id];
        self.mortal -= usize::from(entry.is_mortal());
        self.blocks -= entry.bytes();
        entry.version = self.version;
        entry.flags = draft.with.flags;
        entry.fill(parts, now);
        self.blocks += entry.bytes();
        self.mortal += usize::from(entry.is_mortal());
        self.changed = true;
        self.swap_extra(id, &draft.extra);
        self.touch(id, now);
    }

    fn swap_extra(&mut self, id: u32, extra: &Extra) {
        let bytes = extra.bytes();
        let old = if bytes > 0 {
            self.extra_bytes += bytes;
            self.extras.insert(id, extra.clone())
        } else if self.extras.is_empty() {
            None
        } else {
            self.extras.remove(&id)
        };
        if let Some(old) = old {
            self.extra_bytes -= old.bytes();
            self.trash.push(old);
        }
    }

    fn touch(&mut self, id: u32, now: Tick) {
        self.entries[id].used_at = now.0;
        self.uses.touch(&mut self.entries, id);
    }

    fn attach(&mut self, id: u32, draft: &Draft<'_>) -> Vec<Link> {
        let mut links = Vec::new();
        let names = draft.few_tags().map(|text| Hashed {
            hash: draft.hasher.hash_one(text),
            text,
        });
        self.tags.attach(id, names, &mut links);
        links
    }

    fn detach(&mut self, links: impl Iterator<Item = Link>) {
        for link in links {
            if let Some(moved) = self.tags.detach(link) {
                self.entries[moved].relink(link);
            }
        }
    }

    fn remove(&mut self, id: u32) {
        self.changed = true;
        self.uses.unlink(&mut self.entries, id);
        let hash = self.entries[id].hash;
        self.index.remove(hash, id, |id| self.entries[id].hash);
        let Some(entry) = self.entries.remove(id) else {
            return;
        };
        self.mortal -= usize::from(entry.is_mortal());
        self.blocks -= entry.bytes();
        self.detach(entry.tags());
        if entry.is_wide() || entry.is_large() {
            self.swap_extra(id, &Extra::default());
        }
    }
}

/// What a look at a key gives.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Absent,
    /// It is still there and has to be removed.
    Expired,
    Small(Item<'a>),
    /// Value, version and flags; to be read without the lock.
    Large(Large, u64, u8),
}

/// Whether an entry carries tags.
#[derive(Debug)]
pub(super) enum Carries {
    No,
    All,
    /// Its own set says; as long as the entry has this version.
    Ask(Arc<Wide>, u64),
}
