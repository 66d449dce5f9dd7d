//! One shard's entries with everything that refers to them: the hash index, the tag index and the
//! order of use, changed together under one lock.
//!
//! * I3: `index` holds exactly the ids of `entries`, each under the hash of its key.
//! * I4: an entry's links and the tag index agree (I1, I2 of `tags`); so no entry is alive and
//!   unreachable by one of its tags, and no tag lists an entry that does not carry it.
//! * I5: the list of use holds exactly the ids of `entries`.
//! * I6: the budget holds the sum of the costs of all entries.
//!
//! Only [`Store`](super::Store) calls this. Each method leaves the invariants whole.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use slab::Slab;

use super::budget::{Budget, Full};
use super::entry::{Entry, NEVER, Tick};
use super::tags::{TagIndex, TagRef};
use super::{IncrError, Stats, TagList};
use crate::order::Order;

/// A key or tag with its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashed<'a> {
    pub(super) hash: u64,
    pub(super) text: &'a str,
}

/// What a put writes beside key and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a> {
    /// The tags; duplicates and all.
    pub(super) tags: TagList<'a>,
    /// What hashes them, where they have to be looked up.
    pub(super) hasher: &'a RandomState,
    /// TTL in milliseconds.
    pub(super) ttl_ms: Option<u64>,
}

impl<'a> Attributes<'a> {
    fn hashed_tags(self) -> impl Iterator<Item = (u64, &'a str)> {
        let tags = self.tags.iter();
        tags.map(move |tag| (self.hasher.hash_one(tag), tag))
    }
}

#[derive(Debug, Default)]
pub(super) struct Table {
    index: HashTable<u32>,
    entries: Slab<Entry>,
    tags: TagIndex,
    uses: Order,
    /// Entries that have a TTL: without any, a sweep passes by.
    mortal: usize,
    /// Where the next sweep goes on.
    hand: usize,
    pub(super) stats: Stats,
}

impl Table {
    /// Finds a live entry, counting hit or miss, and hands its value to `take`.
    pub(super) fn get<R>(
        &mut self,
        key: Hashed<'_>,
        now: Tick,
        budget: &Budget,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Option<R> {
        let Some(id) = self.find_live(key, now, budget) else {
            self.stats.misses += 1;
            return None;
        };
        self.stats.hits += 1;
        if budget.is_tight() {
            self.touch(id, now);
        }
        Some(take(&self.entries[id as usize].value))
    }

    /// Stores an entry, over an older one or not.
    pub(super) fn put(
        &mut self,
        key: Hashed<'_>,
        value: &[u8],
        with: Attributes<'_>,
        now: Tick,
        budget: &Budget,
    ) -> Result<(), Full> {
        let cost = super::entry::cost(key.text, value.len(), with.tags.iter());
        let id = if let Some(id) = self.find(key) {
            budget.exchange(self.entries[id as usize].cost, cost)?;
            let entry = &mut self.entries[id as usize];
            entry.cost = cost;
            entry.set_value(value);
            self.retag(id, with);
            self.touch(id, now);
            id
        } else {
            budget.exchange(0, cost)?;
            let id = self
                .entries
                .insert(Entry::new(key.hash, key.text, value, cost)) as u32;
            let entries = &self.entries;
            self.index
                .insert_unique(key.hash, id, |&id| entries[id as usize].hash);
            let links = self.tags.attach(id, with.hashed_tags());
            self.entries[id as usize].tags = links;
            self.entries[id as usize].used_at = now.0;
            self.uses.push(&mut self.entries, id);
            id
        };
        self.live_for(id, with.ttl_ms, now);
        self.stats.puts += 1;
        Ok(())
    }

    /// Stores an entry unless a live one is there; tells whether it did.
    pub(super) fn add(
        &mut self,
        key: Hashed<'_>,
        value: &[u8],
        with: Attributes<'_>,
        now: Tick,
        budget: &Budget,
    ) -> Result<bool, Full> {
        if self.find_live(key, now, budget).is_some() {
            return Ok(false);
        }
        self.put(key, value, with, now, budget).map(|()| true)
    }

    /// Adds `by` to a number, or starts one with it. A TTL of None keeps the entry's and restarts
    /// its clock; no tags keep the entry's tags.
    pub(super) fn increment(
        &mut self,
        key: Hashed<'_>,
        by: i64,
        with: Attributes<'_>,
        now: Tick,
        budget: &Budget,
    ) -> Result<i64, IncrError> {
        let Some(id) = self.find_live(key, now, budget) else {
            self.put(key, by.to_string().as_bytes(), with, now, budget)?;
            return Ok(by);
        };
        let entry = &self.entries[id as usize];
        let sum = str::from_utf8(&entry.value)
            .ok()
            .and_then(|text| text.trim().parse::<i64>().ok())
            .ok_or(IncrError::NotAnInteger)?
            .checked_add(by)
            .ok_or(IncrError::Overflow)?;
        let value = sum.to_string();
        let keeps_tags = with.tags.iter().next().is_none();
        let cost = if keeps_tags {
            let names = entry.tags.iter().map(|&link| self.tags.name(link));
            super::entry::cost(key.text, value.len(), names)
        } else {
            super::entry::cost(key.text, value.len(), with.tags.iter())
        };
        budget.exchange(entry.cost, cost)?;
        let ttl_ms = with.ttl_ms.or(entry.ttl_ms);
        let entry = &mut self.entries[id as usize];
        entry.cost = cost;
        entry.set_value(value.as_bytes());
        if !keeps_tags {
            self.retag(id, with);
        }
        self.live_for(id, ttl_ms, now);
        self.touch(id, now);
        self.stats.puts += 1;
        Ok(sum)
    }

    /// Removes a live entry; tells whether there was one.
    pub(super) fn delete(&mut self, key: Hashed<'_>, now: Tick, budget: &Budget) -> bool {
        let Some(id) = self.find_live(key, now, budget) else {
            return false;
        };
        self.remove(id, budget);
        self.stats.invalidations += 1;
        true
    }

    /// Removes every entry that carries all of `tags`; returns how many live ones there were.
    pub(super) fn invalidate(&mut self, tags: &[Hashed<'_>], now: Tick, budget: &Budget) -> usize {
        let shortest = tags
            .iter()
            .min_by_key(|tag| self.tags.members(tag.hash, tag.text).len());
        let Some(shortest) = shortest else { return 0 };
        let ids: Vec<u32> = self
            .tags
            .members(shortest.hash, shortest.text)
            .iter()
            .map(|m| m.entry)
            .collect();
        let mut count = 0;
        for id in ids {
            if tags.len() > 1 && !self.carries_all(id, tags) {
                continue;
            }
            count += usize::from(!self.entries[id as usize].is_expired(now));
            self.remove(id, budget);
        }
        self.stats.invalidations += count as u64;
        count
    }

    /// Hands every live key under `tag` to `each`.
    pub(super) fn keys(&self, tag: Hashed<'_>, now: Tick, each: &mut impl FnMut(&str)) {
        for member in self.tags.members(tag.hash, tag.text) {
            let entry = &self.entries[member.entry as usize];
            if !entry.is_expired(now) {
                each(&entry.key);
            }
        }
    }

    /// Takes everything out, statistics excepted. The caller drops it when the lock is released.
    pub(super) fn take_all(&mut self, budget: &Budget) -> Self {
        let all = Self {
            stats: self.stats,
            ..std::mem::take(self)
        };
        self.stats = all.stats;
        self.stats.invalidations += all.len() as u64;
        budget.give_back(all.entries.iter().map(|(_, entry)| entry.cost).sum());
        all
    }

    /// Number of entries, expired ones that were not swept yet among them.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// When the least recently used entry was used; [`NEVER`] when there is none.
    pub(super) fn oldest_use(&self) -> u64 {
        self.uses
            .oldest()
            .map_or(NEVER, |id| self.entries[id as usize].used_at)
    }

    /// Removes the least recently used entry, if any.
    pub(super) fn evict(&mut self, budget: &Budget) -> bool {
        let Some(id) = self.uses.oldest() else {
            return false;
        };
        self.remove(id, budget);
        self.stats.evictions += 1;
        true
    }

    /// Looks at the next `slots` places and removes the expired entries there. Returns how many
    /// it removed, and whether it came to the end of the table.
    pub(super) fn sweep(&mut self, slots: usize, now: Tick, budget: &Budget) -> (usize, bool) {
        let end = self.entries.capacity();
        if self.mortal == 0 || self.hand >= end {
            self.hand = 0;
            return (0, true);
        }
        let stop = (self.hand + slots).min(end);
        let mut removed = 0;
        for id in self.hand..stop {
            if self
                .entries
                .get(id)
                .is_some_and(|entry| entry.is_expired(now))
            {
                self.remove(id as u32, budget);
                removed += 1;
            }
        }
        self.hand = if stop == end { 0 } else { stop };
        (removed, stop == end)
    }

    /// Checks I3 to I5 in full and returns the sum of all costs for I6.
    ///
    /// # Errors
    ///
    /// Says which invariant is broken, and for which key.
    pub(super) fn check(&mut self) -> Result<usize, String> {
        if self.index.len() != self.entries.len() {
            return Err(format!(
                "I3: index {} entries {}",
                self.index.len(),
                self.entries.len()
            ));
        }
        let limit = self.entries.len() + 1;
        let listed = self.uses.count(&mut self.entries, limit);
        if listed != self.entries.len() {
            return Err(format!("I5: list {listed} entries {}", self.entries.len()));
        }
        let mut links = 0;
        let mut mortal = 0;
        let mut cost = 0;
        for (id, entry) in &self.entries {
            let key = Hashed {
                hash: entry.hash,
                text: &entry.key,
            };
            if self.find(key) != Some(id as u32) {
                return Err(format!("I3: {} is not in the index", entry.key));
            }
            for (nth, &link) in entry.tags.iter().enumerate() {
                if !self.tags.agrees(id as u32, nth, link) {
                    return Err(format!("I4: tag {nth} of {} disagrees", entry.key));
                }
            }
            links += entry.tags.len();
            mortal += usize::from(entry.ttl_ms.is_some());
            cost += entry.cost;
        }
        if links != self.tags.memberships() {
            return Err(format!(
                "I4: links {links} members {}",
                self.tags.memberships()
            ));
        }
        if links == 0 && self.tags.len() != 0 {
            return Err(format!("I2: {} tags without members", self.tags.len()));
        }
        if mortal != self.mortal {
            return Err(format!("mortal is {}, counted {mortal}", self.mortal));
        }
        Ok(cost)
    }

    fn find(&self, key: Hashed<'_>) -> Option<u32> {
        self.index
            .find(key.hash, |&id| *self.entries[id as usize].key == *key.text)
            .copied()
    }

    /// Finds an entry; an expired one is removed on the way.
    fn find_live(&mut self, key: Hashed<'_>, now: Tick, budget: &Budget) -> Option<u32> {
        let id = self.find(key)?;
        if self.entries[id as usize].is_expired(now) {
            self.remove(id, budget);
            return None;
        }
        Some(id)
    }

    fn carries_all(&self, id: u32, tags: &[Hashed<'_>]) -> bool {
        let links = &self.entries[id as usize].tags;
        tags.iter()
            .all(|tag| links.iter().any(|&link| self.tags.name(link) == tag.text))
    }

    fn live_for(&mut self, id: u32, ttl_ms: Option<u64>, now: Tick) {
        let entry = &mut self.entries[id as usize];
        self.mortal += usize::from(ttl_ms.is_some());
        self.mortal -= usize::from(entry.ttl_ms.is_some());
        entry.live_for(ttl_ms, now);
    }

    fn touch(&mut self, id: u32, now: Tick) {
        self.entries[id as usize].used_at = now.0;
        self.uses.touch(&mut self.entries, id);
    }

    /// Gives an entry new tags; nothing moves when they are the ones it has.
    fn retag(&mut self, id: u32, with: Attributes<'_>) {
        let links = &self.entries[id as usize].tags;
        let mut names = with.tags.iter();
        let same = links
            .iter()
            .all(|&link| names.next() == Some(self.tags.name(link)));
        if same && names.next().is_none() {
            return;
        }
        let links = std::mem::take(&mut self.entries[id as usize].tags);
        self.detach(&links);
        let links = self.tags.attach(id, with.hashed_tags());
        self.entries[id as usize].tags = links;
    }

    fn detach(&mut self, links: &[TagRef]) {
        for &link in links {
            if let Some((entry, nth, link)) = self.tags.detach(link) {
                self.entries[entry as usize].tags[nth] = link;
            }
        }
    }

    fn remove(&mut self, id: u32, budget: &Budget) {
        self.uses.unlink(&mut self.entries, id);
        let entry = self.entries.remove(id as usize);
        self.mortal -= usize::from(entry.ttl_ms.is_some());
        if let Ok(found) = self.index.find_entry(entry.hash, |&found| found == id) {
            found.remove();
        }
        self.detach(&entry.tags);
        budget.give_back(entry.cost);
    }
}
