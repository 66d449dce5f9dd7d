//! What goes through all shards, in steps: each holds one lock for a fraction of a millisecond, and
//! whoever drives the walk may do other things between two steps.
//!
//! In each shard the ids of the entries in question are copied under the lock, and looked at one by
//! one, under the same lock or later ones. An id belongs to an entry until that is removed, so
//!
//! * W1: an entry that carried the tags before the walk began, and all the time since, is found.
//! * W2: an entry is removed only if it carries the tags at that moment.
//!
//! An entry that is put while the walk runs may be found or not.

use std::hash::BuildHasher;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::entry::Tick;
use super::table::{Carries, Hashed};
use super::{SHARDS, Store};

/// How long a lock is held while there is more to do.
const HOLD: Duration = Duration::from_micros(200);

/// Entries between two looks at the clock.
const LOOK: usize = 16;

/// Steps over shards between two looks at the clock.
const FEW_SHARDS: usize = 16;

/// So many names are told apart without a table.
const FEW_NAMES: usize = 8;

/// Names with their hashes, each once.
#[derive(Debug, Default)]
struct Names {
    text: Vec<u8>,
    /// Hash, start and end.
    places: Vec<(u64, usize, usize)>,
    /// Indices into `places`, once there are more than [`FEW_NAMES`].
    known: HashTable<usize>,
}

impl Names {
    fn add(&mut self, name: &[u8], hasher: &RandomState) {
        let hash = hasher.hash_one(name);
        let Self {
            text,
            places,
            known,
        } = self;
        let is = |&at: &usize| places[at].0 == hash && text[places[at].1..places[at].2] == *name;
        let is_known = match places.len() {
            0..=FEW_NAMES => (0..places.len()).any(|at| is(&at)),
            _ => known.find(hash, is).is_some(),
        };
        if is_known {
            return;
        }
        let start = text.len();
        text.extend_from_slice(name);
        places.push((hash, start, text.len()));
        if places.len() > FEW_NAMES {
            for at in known.len()..places.len() {
                known.insert_unique(places[at].0, at, |&at| places[at].0);
            }
        }
    }

    fn hashed(&self) -> Vec<Hashed<'_>> {
        let places = self.places.iter();
        places
            .map(|&(hash, start, end)| Hashed {
                hash,
                text: &self.text[start..end],
            })
            .collect()
    }
}

/// A walk that removes every entry that carries all of some tags.
///
/// # Examples
///
/// ```
/// use tagcached::store::{Invalidation, OnFull, Store, TagList, Write};
///
/// let store = Store::new(1 << 20, OnFull::Evict);
/// let tags = TagList::new(b"red,blue");
/// store.put(b"k", b"v", &Write { tags, ..Write::default() }, store.now())?;
/// let mut walk = Invalidation::default();
/// walk.add(b"blue", &store);
/// while !walk.step(&store, store.now()) {}
/// assert_eq!(walk.count(), 1);
/// # Ok::<(), tagcached::store::Full>(())
/// ```
#[derive(Debug, Default)]
pub struct Invalidation {
    names: Names,
    shard: usize,
    /// The ids of this shard have been copied.
    gathered: bool,
    ids: Vec<u32>,
    found: Vec<u32>,
    count: usize,
}

impl Invalidation {
    /// Adds a tag, before the first step.
    pub fn add(&mut self, tag: &[u8], store: &Store) {
        self.names.add(tag, &store.hasher);
    }

    /// Goes on until `until` or a little longer; true when all is done.
    pub fn step(&mut self, store: &Store, until: Tick) -> bool {
        if self.names.places.is_empty() {
            return true;
        }
        let names = std::mem::take(&mut self.names);
        let tags = names.hashed();
        let mut work = 0;
        while self.shard < SHARDS {
            work += self.look(store, &tags);
            if work >= FEW_SHARDS {
                work = 0;
                if store.now() >= until {
                    break;
                }
            }
        }
        drop(tags);
        self.names = names;
        self.shard == SHARDS
    }

    /// How many live entries it has removed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// One hold of one lock. Returns its work, in looks at a shard with nothing in it.
    fn look(&mut self, store: &Store, tags: &[Hashed<'_>]) -> usize {
        let mut ask = None;
        let mut looked = 0;
        if !self.gathered {
            self.gathered = true;
            store.look(self.shard, |table| table.gather(tags, &mut self.ids));
            if self.ids.is_empty() {
                self.shard += 1;
                self.gathered = false;
                return 1;
            }
        }
        store.hold(self.shard, |table, start| {
            table.resolve(tags, &mut self.found);
            while let Some(id) = self.ids.pop() {
                looked += 1;
                match table.carries(id, tags, &self.found) {
                    Carries::No => {}
                    Carries::All => self.count += usize::from(table.invalidate(id, start)),
                    Carries::Ask(set, version) => {
                        ask = Some((id, set, version));
                        return;
                    }
                }
                if looked % LOOK == 0 && store.now() >= start + HOLD {
                    return;
                }
            }
        });
        if let Some((id, set, version)) = ask {
            if tags.iter().all(|&tag| set.contains(tag)) {
                store.hold(self.shard, |table, now| match table.version_of(id) {
                    Some(same) if same == version => {
                        self.count += usize::from(table.invalidate(id, now));
                    }
                    // Written in between: ask again.
                    Some(_) => self.ids.push(id),
                    None => {}
                });
            }
            return FEW_SHARDS;
        }
        if self.ids.is_empty() {
            self.shard += 1;
            self.gathered = false;
        }
        1 + looked
    }
}

/// A walk that lists the keys of every live entry with a tag, in no order.
#[derive(Debug)]
pub struct Listing {
    hash: u64,
    tag: Box<[u8]>,
    shard: usize,
    gathered: bool,
    ids: Vec<u32>,
    found: Vec<u32>,
    /// Entries made in the shard when its ids were copied.
    births: u64,
    /// The keys of this shard, each with its length in front.
    keys: Vec<u8>,
}

impl Listing {
    /// Begins a walk.
    #[must_use]
    pub fn new(tag: &[u8], store: &Store) -> Self {
        Self {
            hash: store.hasher.hash_one(tag),
            tag: tag.into(),
            shard: 0,
            gathered: false,
            ids: Vec::new(),
            found: Vec::new(),
            births: 0,
            keys: Vec::new(),
        }
    }

    /// Goes on until `until` or a little longer, and hands each key to `each`, without a lock.
    /// True when all is done.
    pub fn step(&mut self, store: &Store, until: Tick, mut each: impl FnMut(&[u8])) -> bool {
        let mut work = 0;
        while self.shard < SHARDS {
            work += self.look(store, &mut each);
            if work >= FEW_SHARDS {
                work = 0;
                if store.now() >= until {
                    break;
                }
            }
        }
        self.shard == SHARDS
    }

    fn look(&mut self, store: &Store, each: &mut impl FnMut(&[u8])) -> usize {
        let tags = [Hashed {
            hash: self.hash,
            text: &self.tag,
        }];
        let mut looked = 0;
        if !self.gathered {
            self.gathered = true;
            store.look(self.shard, |table| {
                self.births = table.births;
                table.gather(&tags, &mut self.ids);
            });
            if self.ids.is_empty() {
                self.shard += 1;
                self.gathered = false;
                return 1;
            }
        }
        let births = store.hold(self.shard, |table, start| {
            table.resolve(&tags, &mut self.found);
            while let Some(id) = self.ids.pop() {
                looked += 1;
                if let Carries::All = table.carries(id, &tags, &self.found)
                    && let Some(key) = table.live_key(id, start)
                {
                    self.keys.extend_from_slice(&key.len().to_le_bytes());
                    self.keys.extend_from_slice(key);
                }
                if looked % LOOK == 0 && store.now() >= start + HOLD {
                    break;
                }
            }
            table.births
        });
        if self.ids.is_empty() {
            self.hand_over(births != self.births, each);
            self.shard += 1;
            self.gathered = false;
        }
        1 + looked
    }

    /// Hands the keys of a shard over, each once: one that was removed and made anew meanwhile can
    /// be there twice.
    fn hand_over(&mut self, changed: bool, each: &mut impl FnMut(&[u8])) {
        let mut seen = changed.then(hashbrown::HashSet::<_, RandomState>::default);
        let mut rest = &self.keys[..];
        while let Some((len, after)) = rest.split_first_chunk() {
            let (key, after) = after.split_at(usize::from_le_bytes(*len));
            if seen.as_mut().is_none_or(|seen| seen.insert(key)) {
                each(key);
            }
            rest = after;
        }
        drop(seen);
        self.keys.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{OnFull, TagList, Write};

    /// Over a shard with 8000 entries, which takes milliseconds, the lock is given back many times.
    #[test]
    fn a_lock_is_held_for_a_small_part_of_a_shard() -> Result<(), crate::store::Full> {
        const EACH: usize = 8000;
        let store = Store::new(1 << 30, OnFull::Evict);
        let with = Write {
            tags: TagList::new(b"t"),
            ..Write::default()
        };
        for n in 0..EACH * SHARDS {
            store.put(n.to_string().as_bytes(), b"v", &with, store.now())?;
        }
        let (mut steps, mut keys) = (0, 0);
        let mut list = Listing::new(b"t", &store);
        while !list.step(&store, Tick(0), |_| keys += 1) {
            steps += 1;
        }
        assert!(steps > 2 * SHARDS, "{steps} steps");
        assert_eq!(keys, EACH * SHARDS);
        let mut steps = 0;
        let mut walk = Invalidation::default();
        walk.add(b"t", &store);
        while !walk.step(&store, Tick(0)) {
            steps += 1;
        }
        assert!(steps > 4 * SHARDS, "{steps} steps");
        assert_eq!(walk.count(), EACH * SHARDS);
        Ok(())
    }
}
