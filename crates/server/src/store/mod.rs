//! The entries in memory: a map in shards, each with its own tag index under its own lock.
//!
//! The shard of an entry is chosen by the hash of its key, and the tag index of a shard lists the
//! entries of that shard only. So a put changes entry and tag index under one lock, and an
//! invalidation takes the shards one after the other. **No thread ever holds two locks**, so no
//! order of locks can deadlock; and a put and an invalidation of its tag at the same time leave
//! the entry either visible under its tag or gone, for in its shard one comes before the other.
//!
//! What spans shards (`invalidate`, `keys_by_tag`, `flush`, `stats`) is a walk, not a snapshot:
//! what changes meanwhile may be seen or not.

mod budget;
mod entry;
mod sweep;
mod table;
mod tags;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use memchr::memchr;
use parking_lot::Mutex;

pub use self::budget::{Full, OnFull};
pub use self::entry::Tick;
pub use self::sweep::Sweeper;

use self::budget::Budget;
use self::entry::NEVER;
use self::table::{Attributes, Hashed, Table};

/// Shards; a power of two. Enough that a handful of workers seldom meet, few enough that an
/// invalidation, which visits all, stays cheap.
const SHARDS: usize = 32;

/// Counters since the start, as `STATS` reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reads that found a live entry.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Entries written: PUT, ADD that added, INCR and DECR.
    pub puts: u64,
    /// Entries removed by key, by tag or by FLUSH.
    pub invalidations: u64,
    /// Entries removed to make room.
    pub evictions: u64,
}

impl Stats {
    /// Hits among all reads, 0 to 1; 0 without reads.
    #[must_use]
    pub fn hit_ratio(&self) -> f64 {
        match self.hits + self.misses {
            0 => 0.0,
            reads => self.hits as f64 / reads as f64,
        }
    }
}

/// Why a number could not be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IncrError {
    /// The value is not a decimal number that fits 64 bits.
    #[error("value is not an integer")]
    NotAnInteger,
    /// The sum does not fit 64 bits.
    #[error("integer overflow")]
    Overflow,
    /// The entry does not fit.
    #[error(transparent)]
    Full(#[from] Full),
}

/// A list of tags as the wire has it: separated by commas, empty ones skipped, not trimmed.
///
/// # Examples
///
/// ```
/// use tagcached::store::TagList;
///
/// assert!(TagList::new("a,,b,").iter().eq(["a", "b"]));
/// assert!(TagList::new("-").iter().next().is_none());
/// assert!(TagList::new("-,z").iter().eq(["-", "z"]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TagList<'a>(&'a str);

impl<'a> TagList<'a> {
    /// Reads a field; a lone `-` means no tags.
    #[must_use]
    pub fn new(field: &'a str) -> Self {
        Self(if field == "-" { "" } else { field })
    }

    /// The tags in order, duplicates included.
    pub fn iter(self) -> impl Iterator<Item = &'a str> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (tag, after) = match memchr(b',', rest.as_bytes()) {
                    Some(comma) => (&rest[..comma], &rest[comma + 1..]),
                    None => (rest, ""),
                };
                rest = after;
                if !tag.is_empty() {
                    return Some(tag);
                }
            }
            None
        })
    }
}

#[derive(Debug)]
struct Shard {
    /// When its least recently used entry was used; a hint for the choice of a victim.
    oldest: AtomicU64,
    table: Mutex<Table>,
}

/// The entries, their tags and their limits. All methods may be called from any thread.
///
/// With [`OnFull::Evict`], eviction is approximate: the shard whose least recently used entry is
/// the oldest gives that one up, where use is known to one burst of commands, and reads count as use only once half of the memory
/// limit is taken.
///
/// # Examples
///
/// ```
/// use tagcached::store::{OnFull, Store, TagList};
///
/// let store = Store::new(1 << 20, OnFull::Evict);
/// let now = store.now();
/// store.put("k", "v", TagList::new("red,blue"), None, now)?;
/// assert_eq!(store.get("k", now, |value| value.to_vec()).as_deref(), Some(&b"v"[..]));
/// assert_eq!(store.invalidate_tag("red", now), 1);
/// # Ok::<(), tagcached::store::Full>(())
/// ```
#[derive(Debug)]
pub struct Store {
    shards: Box<[CachePadded<Shard>]>,
    hasher: RandomState,
    budget: Budget,
    epoch: Instant,
}

impl Store {
    /// Makes an empty store whose entries may occupy `max_memory_bytes`.
    #[must_use]
    pub fn new(max_memory_bytes: usize, on_full: OnFull) -> Self {
        let shard = || Shard {
            oldest: AtomicU64::new(NEVER),
            table: Mutex::default(),
        };
        Self {
            shards: (0..SHARDS).map(|_| CachePadded::new(shard())).collect(),
            hasher: RandomState::default(),
            budget: Budget::new(max_memory_bytes, on_full),
            epoch: Instant::now(),
        }
    }

    /// The present. A burst of commands may share one.
    #[must_use]
    pub fn now(&self) -> Tick {
        Tick(u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(NEVER - 1))
    }

    /// Hands the value of `key` to `take`, which runs under the lock of the shard and must not
    /// call the store again.
    pub fn get<R>(&self, key: &str, now: Tick, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let key = self.hashed(key);
        let shard = self.shard(key.hash);
        let mut table = shard.table.lock();
        let found = table.get(key, now, &self.budget, take);
        // Other reads leave the order of use alone. A miss may have removed an entry whose time was over.
        if found.is_none() || self.budget.is_tight() {
            shard.note_oldest(&table);
        }
        found
    }

    /// Stores `value` under `key`, over an older entry or not. `ttl_ms` of None: for ever.
    ///
    /// # Errors
    ///
    /// [`Full`], and nothing changed, when there is no room.
    pub fn put(
        &self,
        key: &str,
        value: &str,
        tags: TagList<'_>,
        ttl_ms: Option<u64>,
        now: Tick,
    ) -> Result<(), Full> {
        let key = self.hashed(key);
        let with = self.attributes(tags, ttl_ms);
        let done = self.with(key.hash, |table| {
            table.put(key, value.as_bytes(), with, now, &self.budget)
        });
        self.make_room();
        done
    }

    /// Stores `value` under `key` unless a live entry is there; tells whether it did.
    ///
    /// # Errors
    ///
    /// [`Full`], and nothing changed, when there is no room.
    pub fn add(
        &self,
        key: &str,
        value: &str,
        tags: TagList<'_>,
        ttl_ms: Option<u64>,
        now: Tick,
    ) -> Result<bool, Full> {
        let key = self.hashed(key);
        let with = self.attributes(tags, ttl_ms);
        let done = self.with(key.hash, |table| {
            table.add(key, value.as_bytes(), with, now, &self.budget)
        });
        self.make_room();
        done
    }

    /// Adds `by` to the number under `key` and returns the sum; an absent one starts at `by`.
    /// A `ttl_ms` of None keeps the entry's TTL and restarts its clock; tags, if any, replace.
    ///
    /// # Errors
    ///
    /// [`IncrError`], and nothing changed.
    pub fn increment(
        &self,
        key: &str,
        by: i64,
        tags: TagList<'_>,
        ttl_ms: Option<u64>,
        now: Tick,
    ) -> Result<i64, IncrError> {
        let key = self.hashed(key);
        let with = self.attributes(tags, ttl_ms);
        let done = self.with(key.hash, |table| {
            table.increment(key, by, with, now, &self.budget)
        });
        self.make_room();
        done
    }

    /// Removes the live entry under `key`; tells whether there was one.
    pub fn delete(&self, key: &str, now: Tick) -> bool {
        let key = self.hashed(key);
        self.with(key.hash, |table| table.delete(key, now, &self.budget))
    }

    /// Removes every entry with `tag`; returns how many live ones there were.
    pub fn invalidate_tag(&self, tag: &str, now: Tick) -> usize {
        self.invalidate_all_of(&[tag], now)
    }

    /// Removes every entry that carries all of `tags`; returns how many live ones there were.
    pub fn invalidate_all_of(&self, tags: &[&str], now: Tick) -> usize {
        let tags: Vec<Hashed<'_>> = tags.iter().map(|tag| self.hashed(tag)).collect();
        self.shards
            .iter()
            .map(|shard| shard.with(|table| table.invalidate(&tags, now, &self.budget)))
            .sum()
    }

    /// Hands every live key with `tag` to `each`, which runs under the lock of a shard and must
    /// not call the store again. The order is not defined.
    pub fn keys_by_tag(&self, tag: &str, now: Tick, mut each: impl FnMut(&str)) {
        let tag = self.hashed(tag);
        for shard in &self.shards {
            shard.table.lock().keys(tag, now, &mut each);
        }
    }

    /// Removes everything; returns how many entries were held, expired ones not yet swept included.
    pub fn flush(&self) -> usize {
        // Each shard's entries are dropped at the end of its step, after the lock.
        self.shards
            .iter()
            .map(|s| s.with(|table| table.take_all(&self.budget)).len())
            .sum()
    }

    /// The counters, summed over the shards.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shards.iter().fold(Stats::default(), |sum, shard| {
            let one = shard.table.lock().stats;
            Stats {
                hits: sum.hits + one.hits,
                misses: sum.misses + one.misses,
                puts: sum.puts + one.puts,
                invalidations: sum.invalidations + one.invalidations,
                evictions: sum.evictions + one.evictions,
            }
        })
    }

    /// Number of entries held, expired ones not yet swept included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.table.lock().len())
            .sum()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the entries are accounted for.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Checks that entries, tag index, order of use and memory account agree. It locks one shard
    /// after the other; the memory account is right only while nothing else runs.
    ///
    /// # Errors
    ///
    /// Says what disagrees.
    pub fn check(&self) -> Result<(), String> {
        let mut cost = 0;
        for shard in &self.shards {
            cost += shard.table.lock().check()?;
        }
        match self.budget.used() {
            used if used == cost => Ok(()),
            used => Err(format!("I6: account {used} entries {cost}")),
        }
    }

    fn hashed<'a>(&self, text: &'a str) -> Hashed<'a> {
        Hashed {
            hash: self.hasher.hash_one(text),
            text,
        }
    }

    fn attributes<'a>(&'a self, tags: TagList<'a>, ttl_ms: Option<u64>) -> Attributes<'a> {
        Attributes {
            tags,
            hasher: &self.hasher,
            ttl_ms,
        }
    }

    fn with<R>(&self, hash: u64, run: impl FnOnce(&mut Table) -> R) -> R {
        self.shard(hash).with(run)
    }

    fn shard(&self, hash: u64) -> &Shard {
        // The hash tables within use the low and the topmost bits.
        &self.shards[(hash >> 40) as usize % SHARDS]
    }

    /// Evicts until the limit holds. Called without a lock.
    fn make_room(&self) {
        while self.budget.is_over() {
            // Relaxed: a hint; the entry is chosen again under the lock, after which the hint is right. So each round
            // evicts one or mends a hint, until none says that there is an entry.
            let oldest = |shard: &&CachePadded<Shard>| shard.oldest.load(Ordering::Relaxed);
            let victim = self.shards.iter().min_by_key(oldest);
            let Some(victim) = victim.filter(|victim| oldest(victim) != NEVER) else {
                return;
            };
            victim.with(|table| table.evict(&self.budget));
        }
    }
}

impl Shard {
    fn with<R>(&self, run: impl FnOnce(&mut Table) -> R) -> R {
        let mut table = self.table.lock();
        let result = run(&mut table);
        self.note_oldest(&table);
        result
    }

    fn note_oldest(&self, table: &Table) {
        // Relaxed: read by `make_room` as a hint only.
        self.oldest.store(table.oldest_use(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shard of an entry that a read found over had a hint of it left, and making room ended there.
    #[test]
    fn room_is_made_behind_an_entry_that_a_read_removed() {
        const LIMIT: usize = 64 << 10;
        for read in [false, true] {
            let store = Store::new(LIMIT, OnFull::Evict);
            let none = TagList::default();
            store.put("first", "v", none, Some(1), store.now()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
            let read = read.then(|| store.get("first", store.now(), |_| ()));
            assert!(read.is_none_or(|found| found.is_none()));
            for n in 0..200 {
                let value = "x".repeat(1000);
                store
                    .put(&format!("k{n}"), &value, none, None, store.now())
                    .unwrap();
                assert!(store.used_bytes() <= LIMIT, "{n}: {}", store.used_bytes());
            }
            store.check().unwrap();
        }
    }
}
