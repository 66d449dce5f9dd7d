//! The entries in memory: a map in shards, each with its own tag index under its own lock.
//!
//! The shard of an entry is chosen by the hash of its key, and the tag index of a shard lists the
//! entries of that shard only. So a put changes entry and tag index under one lock, and an
//! invalidation takes the shards one after the other. **No thread ever holds two locks of shards**,
//! so no order of locks can deadlock; and a put and an invalidation of its tag at the same time
//! leave the entry either visible under its tag or gone, for in its shard one comes before the other.
//!
//! What spans shards ([`Invalidation`], [`Listing`], `flush`, `stats`) is a walk, not a snapshot:
//! what changes meanwhile may be seen or not. **No lock is held for longer than a fraction of a
//! millisecond**: walks, sweeps and evictions go in steps, a flush swaps tables and frees them
//! later, and what is large is copied, searched and freed without the lock. The store counts how
//! long the longest hold was.

mod arena;
mod budget;
mod entry;
mod heap;
mod index;
mod sweep;
mod table;
mod tags;
mod walk;
mod wide;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use memchr::memchr;
use parking_lot::{Mutex, MutexGuard};

pub use self::budget::{Full, OnFull};
pub use self::entry::Tick;
pub use self::sweep::Sweeper;
pub use self::walk::{Invalidation, Listing};

pub(crate) use self::entry::{LARGE, Large};

use self::budget::Budget;
use self::entry::NEVER;
use self::table::{Draft, Found, Hashed, Lack, Table};

/// Shards; a power of two. Enough that a handful of workers seldom meet, few enough that an
/// invalidation, which visits all, stays cheap.
const SHARDS: usize = 32;

/// Entries that one attempt to write evicts at most.
const EVICTIONS: usize = 128;

/// One in so many commands of one key has its hold of the lock measured.
const SAMPLE: u64 = 64;

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

/// The tags of a write: as the wire has them, separated by commas, empty ones skipped, not trimmed;
/// or one by one, of any bytes.
///
/// # Examples
///
/// ```
/// use tagcached::store::TagList;
///
/// assert!(TagList::new(b"a,,b,").iter().eq([&b"a"[..], b"b"]));
/// assert!(TagList::new(b"-").iter().next().is_none());
/// assert!(TagList::new(b"-,z").iter().eq([&b"-"[..], b"z"]));
/// assert!(TagList::of(&[b"a,b", b"-"]).iter().eq([&b"a,b"[..], b"-"]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TagList<'a> {
    field: &'a [u8],
    each: &'a [&'a [u8]],
}

impl<'a> TagList<'a> {
    /// Reads a field; a lone `-` means no tags.
    #[must_use]
    pub fn new(field: &'a [u8]) -> Self {
        Self {
            field: if field == b"-" { b"" } else { field },
            each: &[],
        }
    }

    /// Takes tags as they are, commas and all.
    #[must_use]
    pub fn of(each: &'a [&'a [u8]]) -> Self {
        Self { field: b"", each }
    }

    /// How many tags there are, duplicates included, if more than `most`.
    fn count_above(self, most: usize) -> Option<usize> {
        // A tag takes a byte and a comma.
        if self.field.len() / 2 + self.each.len() < most {
            return None;
        }
        let count = self.iter().count();
        (count > most).then_some(count)
    }

    fn is_empty(self) -> bool {
        self.field.is_empty() && self.each.is_empty()
    }

    /// The tags in order, duplicates included.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> + Clone {
        let mut rest = self.field;
        let cut = std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (tag, after) = match memchr(b',', rest) {
                    Some(comma) => (&rest[..comma], &rest[comma + 1..]),
                    None => (rest, &[][..]),
                };
                rest = after;
                if !tag.is_empty() {
                    return Some(tag);
                }
            }
            None
        });
        cut.chain(self.each.iter().copied().filter(|tag| !tag.is_empty()))
    }
}

/// What a write stores beside key and value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Write<'a> {
    /// The tags; they replace those of an older entry.
    pub tags: TagList<'a>,
    /// Milliseconds to live; None: for ever.
    pub ttl_ms: Option<u64>,
    /// A byte that comes back with the value.
    pub flags: u8,
    /// A buffer that ends with the value: kept instead of a copy of a large one.
    pub buffer: Option<&'a Arc<Vec<u8>>>,
}

/// An entry as a reader sees it.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The value.
    pub value: &'a [u8],
    /// Grows with every write of the key, also over its removal.
    pub version: u64,
    /// What the writer gave.
    pub flags: u8,
    shared: Option<&'a Large>,
}

impl Item<'_> {
    /// A large value, to be kept without copying it.
    pub(crate) fn shared(&self) -> Option<Large> {
        self.shared.cloned()
    }
}

#[derive(Debug)]
struct Shard {
    /// When its least recently used entry was used; a hint for the choice of a victim.
    oldest: AtomicU64,
    table: Mutex<Table>,
}

/// Whether room was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Made,
    /// Not yet.
    Partly,
    /// There is nothing left that could go.
    None,
}

/// The entries, their tags and their limits. All methods may be called from any thread. Keys, tags
/// and values are any bytes.
///
/// With [`OnFull::Evict`], eviction is approximate: the shard whose least recently used entry is
/// the oldest gives that one up, where use is known to one burst of commands, and entries that are
/// read, or written over in place, count as used only once half of the memory limit is taken.
///
/// # Examples
///
/// ```
/// use tagcached::store::{OnFull, Store, TagList, Write};
///
/// let store = Store::new(1 << 20, OnFull::Evict);
/// let now = store.now();
/// let with = Write { tags: TagList::new(b"red,blue"), ..Write::default() };
/// let version = store.put(b"k", b"v", &with, now)?;
/// let read = store.get(b"k", now, |item| (item.value.to_vec(), item.version));
/// assert_eq!(read, Some((b"v".to_vec(), version)));
/// assert_eq!(store.invalidate_tag(b"red"), 1);
/// # Ok::<(), tagcached::store::Full>(())
/// ```
#[derive(Debug)]
pub struct Store {
    shards: Box<[CachePadded<Shard>]>,
    hasher: RandomState,
    budget: Budget,
    epoch: Instant,
    /// Tables that were flushed and are to be freed. The budget still holds what they occupy.
    dead: Mutex<Vec<Table>>,
    /// Who frees them, if somebody does.
    sweeper: OnceLock<Thread>,
    /// The longest hold of a shard's lock, in nanoseconds.
    longest_hold: AtomicU64,
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
            dead: Mutex::default(),
            sweeper: OnceLock::new(),
            longest_hold: AtomicU64::new(0),
        }
    }

    /// The present. A burst of commands may share one.
    #[must_use]
    pub fn now(&self) -> Tick {
        Tick(u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(NEVER - 1))
    }

    /// Hands the entry of `key` to `take`, which may run under the lock of the shard and must not
    /// call the store again.
    pub fn get<R>(&self, key: &[u8], now: Tick, take: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let key = self.hashed(key);
        let shard = self.shard(key.hash);
        let tight = self.budget.is_tight();
        let mut table = shard.table.lock();
        let sampled = table.stats.hits.is_multiple_of(SAMPLE);
        let start = sampled.then(|| self.now());
        let found = table.get(key, now, tight);
        let result = match found {
            Found::Small(item) => Some(take(item)),
            Found::Large(value, version, flags) => {
                drop(table);
                let shared = Some(&value);
                let value = &value[..];
                return Some(take(Item {
                    value,
                    version,
                    flags,
                    shared,
                }));
            }
            Found::Absent => None,
            Found::Expired => {
                drop(table);
                // As a write: it changes what is used.
                self.with(key, false, |table| table.expire(key, now));
                return None;
            }
        };
        // Other reads leave the order of use alone.
        if tight {
            shard.note_oldest(&table);
        }
        drop(table);
        self.note_hold(start);
        result
    }

    /// Stores `value` under `key`, over an older entry or not, and returns its version.
    ///
    /// # Errors
    ///
    /// [`Full`], and nothing changed, when there is no room.
    pub fn put(&self, key: &[u8], value: &[u8], with: &Write<'_>, now: Tick) -> Result<u64, Full> {
        again(|| self.try_put(key, value, with, now))
    }

    /// As [`Self::put`]; None: room is being made, call again.
    pub(crate) fn try_put(
        &self,
        key: &[u8],
        value: &[u8],
        with: &Write<'_>,
        now: Tick,
    ) -> Option<Result<u64, Full>> {
        let mut draft = self.draft(key, value, with);
        self.write(&mut draft, |table, draft, force| {
            table.put(draft, now, &self.budget, force)
        })
    }

    /// Stores `value` under `key` unless a live entry is there; tells whether it did.
    ///
    /// # Errors
    ///
    /// [`Full`], and nothing changed, when there is no room.
    pub fn add(&self, key: &[u8], value: &[u8], with: &Write<'_>, now: Tick) -> Result<bool, Full> {
        again(|| self.try_add(key, value, with, now))
    }

    /// As [`Self::add`]; None: room is being made, call again.
    pub(crate) fn try_add(
        &self,
        key: &[u8],
        value: &[u8],
        with: &Write<'_>,
        now: Tick,
    ) -> Option<Result<bool, Full>> {
        let mut draft = self.draft(key, value, with);
        self.write(&mut draft, |table, draft, force| {
            table.add(draft, now, &self.budget, force)
        })
    }

    /// Adds `by` to the number under `key` and returns the sum; an absent one starts at `by`.
    /// A TTL of None keeps the entry's and restarts its clock; tags, if any, replace; its flags stay.
    ///
    /// # Errors
    ///
    /// [`IncrError`], and nothing changed.
    pub fn increment(
        &self,
        key: &[u8],
        by: i64,
        with: &Write<'_>,
        now: Tick,
    ) -> Result<i64, IncrError> {
        again(|| self.try_increment(key, by, with, now))
    }

    /// As [`Self::increment`]; None: room is being made, call again.
    pub(crate) fn try_increment(
        &self,
        key: &[u8],
        by: i64,
        with: &Write<'_>,
        now: Tick,
    ) -> Option<Result<i64, IncrError>> {
        let digits = by.to_string();
        let mut draft = self.draft(key, digits.as_bytes(), with);
        let done = self.write(&mut draft, |table, draft, force| {
            table.increment(draft, by, now, &self.budget, force)
        });
        done.map(|done| done?)
    }

    /// Removes the live entry under `key`; tells whether there was one.
    pub fn delete(&self, key: &[u8], now: Tick) -> bool {
        let key = self.hashed(key);
        self.with(key, false, |table| table.delete(key, now))
    }

    /// Removes every entry with `tag`; returns how many live ones there were.
    pub fn invalidate_tag(&self, tag: &[u8]) -> usize {
        self.invalidate_all_of(&[tag])
    }

    /// Removes every entry that carries all of `tags`; returns how many live ones there were.
    pub fn invalidate_all_of(&self, tags: &[&[u8]]) -> usize {
        let mut walk = Invalidation::default();
        for tag in tags {
            walk.add(tag, self);
        }
        while !walk.step(self, Tick(NEVER)) {}
        walk.count()
    }

    /// Hands every live key with `tag` to `each`. The order is not defined.
    pub fn keys_by_tag(&self, tag: &[u8], mut each: impl FnMut(&[u8])) {
        let mut walk = Listing::new(tag, self);
        while !walk.step(self, Tick(NEVER), &mut each) {}
    }

    /// Removes everything; returns how many entries were held, expired ones not yet swept included.
    pub fn flush(&self) -> usize {
        let count = self.clear();
        while self.bury() {}
        count
    }

    /// As [`Self::flush`], but leaves it to the sweeper to free what was held.
    pub(crate) fn clear(&self) -> usize {
        let mut count = 0;
        for shard in &self.shards {
            let mut table = shard.table.lock();
            let start = self.now();
            let all = table.take_all();
            shard.note_oldest(&table);
            drop(table);
            self.note_hold(Some(start));
            count += all.len();
            self.dead.lock().push(all);
        }
        self.wake_sweeper();
        count
    }

    /// Frees a part of what was flushed; false when nothing is left of it. Holds no shard's lock.
    pub fn bury(&self) -> bool {
        let mut dead = self.dead.lock();
        let Some(table) = dead.last_mut() else {
            return false;
        };
        let is_left = table.bury();
        table.settle(&self.budget);
        if !is_left {
            dead.pop();
        }
        true
    }

    /// Makes the calling thread the one that is woken when there is something to free.
    pub(crate) fn employ_sweeper(&self) {
        // There is one; a second would not be woken.
        let _ = self.sweeper.set(std::thread::current());
    }

    /// Wakes the sweeper, if there is one.
    pub(crate) fn wake_sweeper(&self) {
        if let Some(sweeper) = self.sweeper.get() {
            sweeper.unpark();
        }
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

    /// The longest time that a shard's lock was held since this was last asked. What takes several
    /// steps is always measured, commands of one key now and then, and when they are long.
    pub fn take_longest_hold(&self) -> Duration {
        // Relaxed: a figure on its own.
        Duration::from_nanos(self.longest_hold.swap(0, Ordering::Relaxed))
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

    /// Bytes that the entries occupy, with what is still to be freed of those that were flushed.
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
        let mut bytes = 0;
        for shard in &self.shards {
            bytes += shard.table.lock().check()?;
        }
        bytes += self.dead.lock().iter().map(Table::bytes).sum::<usize>();
        match self.budget.used() {
            used if used == bytes => Ok(()),
            used => Err(format!("S10: account {used} tables {bytes}")),
        }
    }

    fn hashed<'a>(&self, text: &'a [u8]) -> Hashed<'a> {
        Hashed {
            hash: self.hasher.hash_one(text),
            text,
        }
    }

    #[inline]
    fn draft<'a>(&'a self, key: &'a [u8], value: &'a [u8], with: &'a Write<'a>) -> Draft<'a> {
        Draft::new(self.hashed(key), value, with, &self.hasher)
    }

    fn shard(&self, hash: u64) -> &Shard {
        // The tables within go by the lower half.
        &self.shards[(hash >> 40) as usize % SHARDS]
    }

    /// Writes, and makes room for that; None when that takes longer than one call should.
    #[inline]
    fn write<R>(
        &self,
        draft: &mut Draft<'_>,
        mut run: impl FnMut(&mut Table, &mut Draft<'_>, bool) -> Result<R, Lack>,
    ) -> Option<Result<R, Full>> {
        let evicts = self.budget.on_full == OnFull::Evict;
        if draft.cost > self.budget.limit || !draft.is_writable() {
            return Some(Err(Full));
        }
        let key = draft.key;
        let long = draft.is_long();
        if long {
            if evicts && self.make_room(draft.cost) == Room::Partly {
                return None;
            }
            draft.take_large();
        }
        let mut force = false;
        loop {
            match self.with(key, long, |table| run(table, draft, force)) {
                Ok(done) => {
                    if evicts && self.budget.lacks(0) {
                        self.make_room(0);
                    }
                    return Some(Ok(done));
                }
                Err(Lack(_)) if !evicts => return Some(Err(Full)),
                Err(Lack(bytes)) => match self.make_room(bytes) {
                    Room::Made => {}
                    Room::Partly => return None,
                    Room::None => force = true,
                },
            }
        }
    }

    /// Evicts until `bytes` fit, but not very many entries. Called without a lock.
    fn make_room(&self, bytes: usize) -> Room {
        for _ in 0..EVICTIONS {
            if !self.budget.lacks(bytes) {
                return Room::Made;
            }
            if self.bury() {
                continue;
            }
            // Relaxed: a hint; the entry is chosen again under the lock, after which the hint is right. So each round
            // evicts one or mends a hint, until none says that there is an entry.
            let oldest = |shard: &&CachePadded<Shard>| shard.oldest.load(Ordering::Relaxed);
            let victim = self.shards.iter().min_by_key(oldest);
            let Some(victim) = victim.filter(|victim| oldest(victim) != NEVER) else {
                return Room::None;
            };
            let table = victim.table.lock();
            let sampled = table.stats.evictions.is_multiple_of(SAMPLE);
            let start = sampled.then(|| self.now());
            self.run(victim, table, start, Table::evict);
        }
        Room::Partly
    }

    /// Runs a command of one key under the lock of its shard.
    #[inline]
    fn with<R>(&self, key: Hashed<'_>, long: bool, run: impl FnOnce(&mut Table) -> R) -> R {
        let shard = self.shard(key.hash);
        let table = shard.table.lock();
        let measured = long || table.stats.puts.is_multiple_of(SAMPLE) || table.grows_for(key);
        let start = measured.then(|| self.now());
        self.run(shard, table, start, run)
    }

    /// Copies something short under the lock of a shard.
    fn look<R>(&self, shard: usize, run: impl FnOnce(&Table) -> R) -> R {
        run(&self.shards[shard].table.lock())
    }

    /// Runs a step of something longer under the lock of a shard, which goes to whoever waits for it.
    fn hold<R>(&self, shard: usize, run: impl FnOnce(&mut Table, Tick) -> R) -> R {
        let shard = &self.shards[shard];
        let table = shard.table.lock();
        let start = self.now();
        self.run(shard, table, Some(start), |table| run(table, start))
    }

    #[inline]
    fn run<R>(
        &self,
        shard: &Shard,
        mut table: MutexGuard<'_, Table>,
        start: Option<Tick>,
        run: impl FnOnce(&mut Table) -> R,
    ) -> R {
        let result = run(&mut table);
        table.settle(&self.budget);
        shard.note_oldest(&table);
        let trash = (!table.trash.is_empty()).then(|| std::mem::take(&mut table.trash));
        if start.is_some() {
            MutexGuard::unlock_fair(table);
        } else {
            drop(table);
        }
        self.note_hold(start);
        drop(trash);
        result
    }

    /// Notes how long a lock was held that was taken at `start` and has just been released.
    fn note_hold(&self, start: Option<Tick>) {
        if let Some(start) = start {
            let held = self.now().0.saturating_sub(start.0);
            // Relaxed: a figure on its own.
            self.longest_hold.fetch_max(held, Ordering::Relaxed);
        }
    }
}

impl Shard {
    fn note_oldest(&self, table: &Table) {
        // Relaxed: read by `make_room` as a hint only.
        self.oldest.store(table.oldest_use(), Ordering::Relaxed);
    }
}

/// Calls until there is an answer.
fn again<R>(mut call: impl FnMut() -> Option<R>) -> R {
    loop {
        if let Some(answer) = call() {
            return answer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tags_and_values_are_any_bytes() {
        let store = Store::new(1 << 20, OnFull::Evict);
        let now = store.now();
        let key = b"\0\t\n\xff,".as_slice();
        let each = [&b"a,b"[..], b"\n", b"\xfe"];
        let with = Write {
            tags: TagList::of(&each),
            ..Write::default()
        };
        store.put(key, b"\xff\0\n", &with, now).unwrap();
        let value = store.get(key, now, |item| item.value.to_vec());
        assert_eq!(value.as_deref(), Some(&b"\xff\0\n"[..]));
        for tag in each {
            let mut keys = Vec::new();
            store.keys_by_tag(tag, |key| keys.push(key.to_vec()));
            assert_eq!(keys, [key]);
        }
        assert_eq!(store.invalidate_tag(b"a"), 0);
        assert_eq!(store.invalidate_all_of(&each), 1);
    }

    #[test]
    fn a_large_value_stays_in_the_buffer_that_it_fills() {
        let store = Store::new(1 << 30, OnFull::Evict);
        let now = store.now();
        let buffer = Arc::new(vec![b'v'; 2 * LARGE - 2]);
        let is_shared = |value: &[u8]| {
            let with = Write {
                buffer: Some(&buffer),
                ..Write::default()
            };
            store.put(b"k", value, &with, now).unwrap();
            store.check().unwrap();
            assert!(store.used_bytes() > value.len());
            let place = |item: Item<'_>| (item.value.to_vec(), item.value.as_ptr());
            let (read, at) = store.get(b"k", now, place).unwrap();
            assert_eq!(read, value);
            at == value.as_ptr()
        };
        assert!(is_shared(&buffer));
        assert!(is_shared(&buffer[1000..]));
        assert!(!is_shared(&buffer[..buffer.len() - 1]), "ends elsewhere");
        assert!(!is_shared(&buffer.to_vec()), "is elsewhere");
        assert!(!is_shared(&buffer[LARGE / 2..]), "wastes much");
        assert_eq!(Arc::strong_count(&buffer), 1);
    }

    #[test]
    fn a_version_grows_with_every_write_and_flags_come_back() {
        let store = Store::new(1 << 20, OnFull::Evict);
        let now = store.now();
        let with = |flags, ttl_ms| Write {
            flags,
            ttl_ms,
            ..Write::default()
        };
        let seen = || {
            store
                .get(b"k", now, |item| (item.version, item.flags))
                .unwrap()
        };
        let mut before = 0;
        let large = vec![b'1'; LARGE];
        for (round, value) in [&b"1"[..], b"2", b"10", &large, b"3"]
            .into_iter()
            .enumerate()
        {
            let ttl_ms = [None, Some(60_000)][round % 2];
            let version = store
                .put(b"k", value, &with(round as u8, ttl_ms), now)
                .unwrap();
            assert_eq!(seen(), (version, round as u8));
            assert!(version > before);
            before = version;
        }
        assert!(!store.add(b"k", b"4", &with(9, None), now).unwrap());
        assert_eq!(seen(), (before, 4));
        assert_eq!(store.increment(b"k", 1, &with(9, None), now), Ok(4));
        let (version, flags) = seen();
        assert!(version > before && flags == 4);
        store.delete(b"k", now);
        store.put(b"k", b"5", &with(0, None), now).unwrap();
        assert!(seen().0 > version, "also over a removal");
        let version = seen().0;
        store.flush();
        store.put(b"k", b"6", &with(0, None), now).unwrap();
        assert!(seen().0 > version, "also over a flush");
    }

    #[test]
    fn room_for_a_large_value_is_made_in_steps() {
        const LIMIT: usize = 8 << 20;
        let store = Store::new(LIMIT, OnFull::Evict);
        let with = Write::default();
        for n in 0..60_000 {
            let key = format!("k{n}");
            store
                .put(key.as_bytes(), &[b'v'; 100], &with, store.now())
                .unwrap();
        }
        let value = vec![b'v'; 6 << 20];
        let mut steps = 0;
        let evicted = || store.stats().evictions;
        loop {
            let before = evicted();
            let done = store.try_put(b"large", &value, &with, store.now());
            assert!(evicted() - before <= 3 * EVICTIONS as u64);
            assert!(store.used_bytes() <= LIMIT);
            if let Some(done) = done {
                done.unwrap();
                break;
            }
            steps += 1;
        }
        assert!(steps > 50, "{steps}");
        store.check().unwrap();
    }

    /// The shard of an entry that a read found over had a hint of it left, and making room ended there.
    #[test]
    fn room_is_made_behind_an_entry_that_a_read_removed() {
        const LIMIT: usize = 64 << 10;
        for read in [false, true] {
            let store = Store::new(LIMIT, OnFull::Evict);
            let with = Write::default();
            let short = Write {
                ttl_ms: Some(1),
                ..with
            };
            store.put(b"first", b"v", &short, store.now()).unwrap();
            std::thread::sleep(Duration::from_millis(2));
            let read = read.then(|| store.get(b"first", store.now(), |_| ()));
            assert!(read.is_none_or(|found| found.is_none()));
            for n in 0..200 {
                let value = "x".repeat(1000);
                store
                    .put(
                        format!("k{n}").as_bytes(),
                        value.as_bytes(),
                        &with,
                        store.now(),
                    )
                    .unwrap();
                assert!(store.used_bytes() <= LIMIT, "{n}: {}", store.used_bytes());
            }
            store.check().unwrap();
        }
    }
}
