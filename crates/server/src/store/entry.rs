//! One stored entry.

use std::time::Duration;

use slab::Slab;

use super::tags::TagRef;
use crate::order::{Links, Nodes};

/// A point in time, in nanoseconds since the store was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub(crate) u64);

impl std::ops::Add<Duration> for Tick {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Tick {
    /// The time from `earlier` to here; none if it is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The deadline of an entry without TTL, and the tick that no entry reaches.
pub(super) const NEVER: u64 = u64::MAX;

/// Bytes that an entry occupies beside its key, value and tags: this struct, its slots in the
/// hash table, and what the allocator adds to three blocks.
const ENTRY_OVERHEAD: usize = size_of::<Entry>() + 64;

/// Bytes that one tag of an entry occupies beside its name: link, member, its share of the tag.
const TAG_OVERHEAD: usize = 32;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) value: Box<[u8]>,
    pub(super) tags: Box<[TagRef]>,
    pub(super) hash: u64,
    /// What this entry is accounted for in the budget.
    pub(super) cost: usize,
    /// Milliseconds to live from the last write; None: for ever. Kept, since INCR restarts it.
    pub(super) ttl_ms: Option<u64>,
    /// From here on the entry counts as absent; [`NEVER`] without TTL.
    pub(super) deadline: u64,
    /// When it was last moved to the front of the list of use.
    pub(super) used_at: u64,
    pub(super) links: Links,
}

impl Entry {
    pub(super) fn new(hash: u64, key: &str, value: &[u8], cost: usize) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            tags: Box::default(),
            hash,
            cost,
            ttl_ms: None,
            deadline: NEVER,
            used_at: 0,
            links: Links::default(),
        }
    }

    pub(super) fn is_expired(&self, now: Tick) -> bool {
        now.0 >= self.deadline
    }

    /// Replaces the value, in place when the length allows it.
    pub(super) fn set_value(&mut self, value: &[u8]) {
        if self.value.len() == value.len() {
            self.value.copy_from_slice(value);
        } else {
            self.value = value.into();
        }
    }

    /// Sets the TTL and starts its clock.
    ///
    /// A TTL of 0 is over at every tick, not from `now` on: each worker reads the clock once a
    /// burst, so the `now` of another one may lie before ours, and would find the entry alive.
    pub(super) fn live_for(&mut self, ttl_ms: Option<u64>, now: Tick) {
        self.ttl_ms = ttl_ms;
        self.deadline = match ttl_ms {
            None => NEVER,
            Some(0) => 0,
            Some(ms) => now.0.saturating_add(ms.saturating_mul(1_000_000)),
        };
    }
}

/// What an entry with these parts is accounted for.
pub(super) fn cost<'a>(key: &str, value_len: usize, tags: impl Iterator<Item = &'a str>) -> usize {
    let tags: usize = tags.map(|tag| tag.len() + TAG_OVERHEAD).sum();
    ENTRY_OVERHEAD + key.len() + value_len + tags
}

impl Nodes for Slab<Entry> {
    fn links(&mut self, id: u32) -> &mut Links {
        &mut self[id as usize].links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_of_zero_is_over_for_a_worker_whose_clock_lags() {
        let mut entry = Entry::new(1, "k", b"5", 0);
        entry.live_for(Some(0), Tick(1_000));
        assert!(entry.is_expired(Tick(1_000)));
        assert!(entry.is_expired(Tick(999)));
        entry.live_for(Some(1), Tick(1_000));
        assert!(!entry.is_expired(Tick(999)));
    }
}
