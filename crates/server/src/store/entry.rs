//! One stored entry: a record of 48 bytes and a block.
//!
//! The block holds, in this order: the key; the value; the links to its tags; their number, if it does
//! not fit into the record; deadline and TTL, if it has one; the length of the key, if that does not
//! fit. So the key, which every look-up compares, is where the block begins. What is too large to be
//! copied or searched under a lock is not in it but in an [`Extra`].

use std::sync::Arc;
use std::time::Duration;

use super::arena::Arena;
use super::heap::class;
use super::tags::Link;
use super::wide::Wide;
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
    /// Later than all.
    pub(crate) const NEVER: Self = Self(NEVER);

    /// The time from `earlier` to here; none if it is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The deadline of an entry without TTL, and the tick that no entry reaches.
pub(super) const NEVER: u64 = u64::MAX;

/// Values from this size on are not in the block.
pub(crate) const LARGE: usize = 256 << 10;

/// Bits of `Entry::shape`; the number of tags is below.
const MORTAL: u8 = 1 << 7;
const WIDE: u8 = 1 << 6;
const BIG: u8 = 1 << 5;

/// So many tags, or so long a key: the number is in the block.
const MANY_TAGS: u8 = BIG - 1;
const LONG_KEY: u16 = u16::MAX;

const LINK: usize = size_of::<u64>();

/// Bytes that are not copied if that can be avoided, as a value from [`LARGE`] on. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Large {
    /// The bytes alone, or the line that they came in.
    buffer: Arc<Vec<u8>>,
    /// Where they begin; they end with the buffer.
    at: usize,
}

impl Large {
    /// Shares `buffer` if that ends with `value` and has little else, and copies `value` otherwise.
    pub(crate) fn new(value: &[u8], buffer: Option<&Arc<Vec<u8>>>) -> Self {
        match buffer.filter(|buffer| Self::fills(value, buffer)) {
            Some(buffer) => Self {
                buffer: Arc::clone(buffer),
                at: buffer.len() - value.len(),
            },
            None => Self {
                buffer: Arc::new(value.to_vec()),
                at: 0,
            },
        }
    }

    /// Whether `buffer` ends with `value`, and a copy would occupy as much.
    fn fills(value: &[u8], buffer: &Vec<u8>) -> bool {
        value.as_ptr_range().end == buffer.as_ptr_range().end
            && class(value.len()) == class(buffer.capacity())
    }

    /// Bytes that [`Self::new`] will take.
    pub(super) fn cost(value: &[u8], buffer: Option<&Arc<Vec<u8>>>) -> usize {
        let taken = buffer.filter(|buffer| Self::fills(value, buffer));
        128 + class(taken.map_or(value.len(), |buffer| buffer.capacity()))
    }
}

impl std::ops::Deref for Large {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.at..]
    }
}

/// What an entry holds beside its block, shared so that it can be read without the lock.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    /// A value from [`LARGE`] on.
    pub(super) value: Option<Large>,
    /// More tags than a block takes.
    pub(super) tags: Option<Arc<Wide>>,
}

impl Extra {
    /// Bytes it occupies, its place in the map among them.
    pub(super) fn bytes(&self) -> usize {
        let value = self
            .value
            .as_ref()
            .map_or(0, |v| 48 + class(v.buffer.capacity()));
        let tags = self.tags.as_ref().map_or(0, |tags| tags.bytes());
        match value + tags {
            0 => 0,
            bytes => bytes + 64,
        }
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    block: Box<[u8]>,
    /// Counts the writes of the shard: no two of a key have the same.
    pub(super) version: u64,
    /// When it was last moved to the front of the order of use.
    pub(super) used_at: u64,
    pub(super) links: Links,
    pub(super) hash: u32,
    key_len: u16,
    shape: u8,
    /// A byte that the writer gave and a reader gets.
    pub(super) flags: u8,
}

impl Nodes for Arena<Entry> {
    fn links(&mut self, id: u32) -> &mut Links {
        &mut self[id].links
    }
}

/// The parts of a block that is to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) key: &'a [u8],
    /// Empty if it is in the extra.
    pub(super) value: &'a [u8],
    pub(super) links: &'a [Link],
    pub(super) ttl_ms: Option<u64>,
    pub(super) extra: &'a Extra,
}

/// Bytes of the block of an entry with such parts.
pub(super) fn block_len(key: usize, value: usize, tags: usize, mortal: bool) -> usize {
    let long_key = if key >= usize::from(LONG_KEY) { 4 } else { 0 };
    let many_tags = if tags >= usize::from(MANY_TAGS) { 4 } else { 0 };
    let times = if mortal { 16 } else { 0 };
    times + long_key + many_tags + tags * LINK + key + value
}

impl Entry {
    /// Makes an entry of version 0 that was never used.
    pub(super) fn new(hash: u32, flags: u8, parts: Parts<'_>, now: Tick) -> Self {
        let mut entry = Self {
            block: Box::default(),
            version: 0,
            used_at: 0,
            links: Links::default(),
            hash,
            key_len: 0,
            shape: 0,
            flags,
        };
        entry.fill(parts, now);
        entry
    }

    /// Makes the block anew. The clock of the TTL starts.
    pub(super) fn fill(&mut self, parts: Parts<'_>, now: Tick) {
        let Parts {
            key,
            value,
            links,
            ttl_ms,
            extra,
        } = parts;
        let len = block_len(key.len(), value.len(), links.len(), ttl_ms.is_some());
        let mut block = Vec::with_capacity(len);
        block.extend_from_slice(key);
        block.extend_from_slice(value);
        for link in links {
            block.extend_from_slice(&link.to_bytes());
        }
        self.shape = match u8::try_from(links.len()) {
            Ok(count) if count < MANY_TAGS => count,
            _ => {
                block.extend_from_slice(&(links.len() as u32).to_le_bytes());
                MANY_TAGS
            }
        };
        if let Some(ttl_ms) = ttl_ms {
            self.shape |= MORTAL;
            block.extend_from_slice(&deadline(ttl_ms, now).to_le_bytes());
            block.extend_from_slice(&ttl_ms.to_le_bytes());
        }
        if extra.tags.is_some() {
            self.shape |= WIDE;
        }
        if extra.value.is_some() {
            self.shape |= BIG;
        }
        self.key_len = match u16::try_from(key.len()) {
            Ok(len) if len < LONG_KEY => len,
            _ => {
                block.extend_from_slice(&(key.len() as u32).to_le_bytes());
                LONG_KEY
            }
        };
        self.block = block.into_boxed_slice();
    }

    /// Replaces the value by one of the same length, and the TTL, if it has one, by another, and
    /// starts its clock.
    #[inline]
    pub(super) fn write_over(&mut self, value: &[u8], ttl_ms: Option<u64>, now: Tick) {
        let (start, end) = (self.key_len(), self.value_end());
        self.block[start..end].copy_from_slice(value);
        if let Some(ttl_ms) = ttl_ms {
            let at = self.times_at();
            self.block[at..at + 8].copy_from_slice(&deadline(ttl_ms, now).to_le_bytes());
            self.block[at + 8..at + 16].copy_from_slice(&ttl_ms.to_le_bytes());
        }
    }

    #[inline]
    pub(super) fn key(&self) -> &[u8] {
        &self.block[..self.key_len()]
    }

    /// The value, if it is in the block.
    #[inline]
    pub(super) fn value(&self) -> &[u8] {
        &self.block[self.key_len()..self.value_end()]
    }

    /// Whether its value is in the extra.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.shape & BIG != 0
    }

    /// Whether its tags are in the extra.
    #[inline]
    pub(super) fn is_wide(&self) -> bool {
        self.shape & WIDE != 0
    }

    /// Whether it has a TTL.
    #[inline]
    pub(super) fn is_mortal(&self) -> bool {
        self.shape & MORTAL != 0
    }

    #[inline]
    pub(super) fn is_expired(&self, now: Tick) -> bool {
        self.is_mortal() && now.0 >= self.number(self.times_at())
    }

    /// Milliseconds to live from the last write. Kept, since INCR restarts it.
    pub(super) fn ttl_ms(&self) -> Option<u64> {
        self.is_mortal().then(|| self.number(self.times_at() + 8))
    }

    /// The links to its tags, in the order in which they were given.
    #[inline]
    pub(super) fn tags(&self) -> impl ExactSizeIterator<Item = Link> {
        let at = self.value_end();
        let bytes = &self.block[at..at + self.tag_count() * LINK];
        bytes.chunks_exact(LINK).map(|bytes| {
            let mut link = [0; LINK];
            link.copy_from_slice(bytes);
            Link::from_bytes(link)
        })
    }

    /// Notes that its place among the members of a tag has changed.
    pub(super) fn relink(&mut self, new: Link) {
        let nth = self.tags().position(|link| link.tag == new.tag);
        if let Some(nth) = nth {
            let at = self.value_end() + nth * LINK;
            self.block[at..at + LINK].copy_from_slice(&new.to_bytes());
        }
    }

    /// Bytes the block occupies.
    pub(super) fn bytes(&self) -> usize {
        class(self.block.len())
    }

    #[inline]
    fn tag_count(&self) -> usize {
        match self.shape & MANY_TAGS {
            MANY_TAGS => self.short(self.times_at() - 4),
            count => usize::from(count),
        }
    }

    #[inline]
    fn key_len(&self) -> usize {
        match self.key_len {
            LONG_KEY => self.short(self.block.len() - 4),
            len => usize::from(len),
        }
    }

    /// Where deadline and TTL are, or would be.
    #[inline]
    fn times_at(&self) -> usize {
        let long_key = if self.key_len == LONG_KEY { 4 } else { 0 };
        let times = if self.is_mortal() { 16 } else { 0 };
        self.block.len() - long_key - times
    }

    /// Where the value ends and the links begin.
    #[inline]
    fn value_end(&self) -> usize {
        let many_tags = if self.shape & MANY_TAGS == MANY_TAGS {
            4
        } else {
            0
        };
        self.times_at() - many_tags - self.tag_count() * LINK
    }

    fn number(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.block[at..at + 8]);
        u64::from_le_bytes(bytes)
    }

    fn short(&self, at: usize) -> usize {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.block[at..at + 4]);
        u32::from_le_bytes(bytes) as usize
    }
}

/// A TTL of 0 is over at every tick, not from `now` on: the `now` of another worker may lie before
/// ours, and would find the entry alive.
fn deadline(ttl_ms: u64, now: Tick) -> u64 {
    match ttl_ms {
        0 => 0,
        ms => now.0.saturating_add(ms.saturating_mul(1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &[u8], value: &[u8], links: &[Link], ttl_ms: Option<u64>) -> Entry {
        let extra = &Extra::default();
        let parts = Parts {
            key,
            value,
            links,
            ttl_ms,
            extra,
        };
        Entry::new(1, 7, parts, Tick(1_000))
    }

    #[test]
    fn a_record_has_48_bytes() {
        assert_eq!(size_of::<Entry>(), 48);
        assert_eq!(size_of::<Option<Entry>>(), 48);
    }

    #[test]
    fn a_ttl_of_zero_is_over_for_a_worker_whose_clock_lags() {
        let mut entry = entry(b"k", b"5", &[], Some(0));
        assert!(entry.is_expired(Tick(1_000)));
        assert!(entry.is_expired(Tick(999)));
        entry.write_over(b"6", Some(1), Tick(1_000));
        assert!(!entry.is_expired(Tick(999)));
        assert!(entry.is_expired(Tick(1_001_000)));
    }

    #[test]
    fn a_block_gives_back_its_parts_whatever_their_lengths() {
        let long = vec![b'k'; 70_000];
        for key in [
            &b"k"[..],
            b"",
            b"\0\n\t\xff",
            &long[..65_534],
            &long[..65_535],
            &long,
        ] {
            for count in [0, 1, 2, 30, 31, 32, 500] {
                for ttl_ms in [None, Some(9)] {
                    let links: Vec<Link> =
                        (0..count).map(|n| Link { tag: n, pos: n * 3 }).collect();
                    let mut entry = entry(key, b"val\xfe", &links, ttl_ms);
                    assert_eq!(entry.key(), key);
                    assert_eq!(entry.value(), b"val\xfe");
                    assert!(entry.tags().eq(links.iter().copied()));
                    assert_eq!(entry.ttl_ms(), ttl_ms);
                    let len = block_len(key.len(), 4, links.len(), ttl_ms.is_some());
                    assert_eq!(entry.block.len(), len);
                    entry.write_over(b"VAL!", ttl_ms, Tick(5));
                    if let Some(last) = links.last() {
                        entry.relink(Link { pos: 99, ..*last });
                        assert_eq!(entry.tags().last().unwrap().pos, 99);
                    }
                    assert_eq!(
                        (entry.key(), entry.value(), entry.flags),
                        (key, &b"VAL!"[..], 7)
                    );
                }
            }
        }
    }
}
