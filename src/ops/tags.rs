//! Everything by tag.

use std::hash::{BuildHasher, RandomState};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::ZendHashTable;
use memchr::{memchr, memchr_iter};
use tagcache_client::{Replies, Reply, TagMatch};

use super::{answer, ask, encode};
use crate::error::Failure;
use crate::ffi::{self, Owned};
use crate::handle::HandleCell;
use crate::value::Rules;

/// A key in some replies: which of them, and where it stands there. The length of a reply has 32 bits.
type Span = (u32, u32, u32);

/// Removes what carries the tag; returns how much.
pub(crate) fn invalidate_tag(handle: &HandleCell, tag: &[u8]) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| encode::invalidate_tag(buffers, tag))?;
    answer::removed(scratch.replies.get(0), "INV_TAG", tag)
}

/// Removes what carries any or all of the tags; returns how much. No tags remove nothing.
pub(crate) fn invalidate_tags(
    handle: &HandleCell,
    tags: &ZendHashTable,
    how: TagMatch,
) -> Result<i64, Failure> {
    if tags.is_empty() {
        return handle.check().map(|()| 0);
    }
    let scratch = ask(handle, |buffers| {
        encode::invalidate_tags(buffers, tags, how)
    })?;
    answer::removed(scratch.replies.get(0), verb(how), b"")
}

/// Returns the verb that removes by several tags.
pub(crate) fn verb(how: TagMatch) -> &'static str {
    match how {
        TagMatch::Any => "INV_TAGS_ANY",
        TagMatch::All => "INV_TAGS_ALL",
    }
}

/// Lists the keys that carry the tag. *May bail out.*
pub(crate) fn keys_by_tag(handle: &HandleCell, tag: &[u8]) -> Result<ZBox<ZendHashTable>, Failure> {
    let scratch = ask(handle, |buffers| encode::keys_by_tag(buffers, tag))?;
    keys(scratch.replies.get(0), tag, &scratch.rules)
}

/// Makes a list of the keys in a reply. *May bail out.*
pub(super) fn keys(
    reply: Reply<'_>,
    tag: &[u8],
    rules: &Rules,
) -> Result<ZBox<ZendHashTable>, Failure> {
    match reply {
        Reply::Keys(keys) => {
            let count = 1 + memchr_iter(b',', keys).count();
            if rules.prefix().is_empty() && !keys.is_empty() {
                return ffi::strings(count, pieces(keys));
            }
            let keys = split(keys, rules.prefix()).map(|(start, end)| &keys[start..end]);
            ffi::strings(count, keys)
        }
        Reply::Error(text) => Err(answer::refused("KEYS_BY_TAG", tag, text)),
        other => Err(answer::strange(&other)),
    }
}

/// Lists the keys that carry any or all of the tags, each once. *May bail out.*
pub(crate) fn search(
    handle: &HandleCell,
    tags: &ZendHashTable,
    how: TagMatch,
) -> Result<ZBox<ZendHashTable>, Failure> {
    let scratch = ask(handle, |buffers| encode::search(buffers, tags))?;
    found(
        &scratch.replies,
        0,
        scratch.replies.len(),
        how,
        &scratch.rules,
    )
}

/// Makes a list of the keys in any or all of `count` replies from `first` on. *May bail out.*
pub(super) fn found(
    replies: &Replies,
    first: usize,
    count: usize,
    how: TagMatch,
    rules: &Rules,
) -> Result<ZBox<ZendHashTable>, Failure> {
    let asked = first..first + count;
    for reply in asked.clone().map(|n| replies.get(n)) {
        match reply {
            Reply::Keys(_) => {}
            Reply::Error(text) => return Err(answer::refused("KEYS_BY_TAG", b"", text)),
            other => return Err(answer::strange(&other)),
        }
    }
    // All that grows with the reply is done before PHP's allocator can bail out.
    let spans = Owned::new({
        let texts: Vec<&[u8]> = asked.map(|n| keys_of(replies, n)).collect();
        match how {
            TagMatch::Any => union(&texts, rules.prefix()),
            TagMatch::All => intersection(&texts, rules.prefix()),
        }
    });
    let keys = spans.iter().map(|(text, start, end)| {
        &keys_of(replies, first + *text as usize)[*start as usize..*end as usize]
    });
    ffi::strings(spans.len(), keys)
}

fn at<'k>(texts: &[&'k [u8]], (text, start, end): Span) -> &'k [u8] {
    &texts[text as usize][start as usize..end as usize]
}

fn union(texts: &[&[u8]], prefix: &[u8]) -> Vec<Span> {
    let mut keys = Keys::of(texts);
    for text in 0..texts.len() {
        keys.add(text, prefix);
    }
    keys.spans
}

fn intersection(texts: &[&[u8]], prefix: &[u8]) -> Vec<Span> {
    let Some((_, others)) = texts.split_first() else {
        return Vec::new();
    };
    let mut keys = Keys::of(texts);
    keys.add(0, prefix);
    // How many of the texts up to now had the key, each counted once.
    let mut counts = vec![1; keys.spans.len()];
    for (text, nth) in others.iter().zip(1_u32..) {
        for (start, end) in split(text, prefix) {
            if let Ok(known) = keys.find(&text[start..end])
                && counts[known] == nth
            {
                counts[known] += 1;
            }
        }
    }
    let (mut spans, mut counts) = (keys.spans, counts.into_iter());
    spans.retain(|_| {
        counts
            .next()
            .is_some_and(|count| count as usize == texts.len())
    });
    spans
}

/// Different keys of some texts, in the order in which they were found: a table of places in a list of
/// spans, which takes about 20 bytes a key. A reply can be mostly keys, and keys can be short.
struct Keys<'k> {
    texts: &'k [&'k [u8]],
    spans: Vec<Span>,
    /// Places in `spans`, counted from 1; 0 is free. A power of two of them, of which at most three quarters are taken.
    slots: Vec<u32>,
    hasher: RandomState,
}

impl<'k> Keys<'k> {
    /// Returns none of `texts` yet.
    fn of(texts: &'k [&'k [u8]]) -> Self {
        Self {
            texts,
            spans: Vec::new(),
            slots: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Adds the keys of a text that are new.
    fn add(&mut self, text: usize, prefix: &[u8]) {
        let keys = self.texts[text];
        if self.spans.is_empty() {
            let most = 1 + memchr_iter(b',', keys).count();
            self.spans.reserve_exact(most);
            self.grow(most);
        }
        for (start, end) in split(keys, prefix) {
            if (self.spans.len() + 1) * 4 > self.slots.len() * 3 {
                self.grow(2 * self.spans.len());
            }
            if let Err(free) = self.find(&keys[start..end]) {
                self.spans.push((text as u32, start as u32, end as u32));
                self.slots[free] = self.spans.len() as u32;
            }
        }
    }

    /// Returns the place of a key, or the slot where it belongs if it is not there.
    fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(key) as usize & mask;
        loop {
            match self.slots[slot].checked_sub(1) {
                None => return Err(slot),
                Some(known) if at(self.texts, self.spans[known as usize]) == key => {
                    return Ok(known as usize);
                }
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }

    /// Makes room for `most` keys.
    fn grow(&mut self, most: usize) {
        self.slots = vec![0; (most + most / 3 + 1).next_power_of_two()];
        for known in 0..self.spans.len() {
            if let Err(free) = self.find(at(self.texts, self.spans[known])) {
                self.slots[free] = known as u32 + 1;
            }
        }
    }
}

fn keys_of(replies: &Replies, index: usize) -> &[u8] {
    match replies.get(index) {
        Reply::Keys(keys) => keys,
        _ => b"",
    }
}

/// Splits the text of a KEYS reply at its commas; an empty one has no keys. Behind a prefix, a
/// piece that does not begin with it belongs to the key before it, which has commas in it; what
/// stands before the first key with the prefix is somebody else's.
fn split<'k>(keys: &'k [u8], prefix: &'k [u8]) -> impl Iterator<Item = (usize, usize)> + 'k {
    let mut next = first_of(keys, prefix);
    std::iter::from_fn(move || {
        let start = next? + prefix.len();
        let mut end = start;
        loop {
            end = match comma_in(&keys[end..]) {
                Some(at) => end + at,
                None => keys.len(),
            };
            if end == keys.len() {
                next = None;
                break;
            }
            // Most have no prefix, and a comparison of no bytes is a call all the same.
            if prefix.is_empty() || keys[end + 1..].starts_with(prefix) {
                next = Some(end + 1);
                break;
            }
            end += 1;
        }
        Some((start, end))
    })
}

/// Returns where the first key with the prefix begins.
fn first_of(keys: &[u8], prefix: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < keys.len() {
        if keys[at..].starts_with(prefix) {
            return Some(at);
        }
        at += comma_in(&keys[at..])? + 1;
    }
    None
}

/// Returns where the first comma is.
fn comma_in(keys: &[u8]) -> Option<usize> {
    memchr(b',', keys)
}

/// Splits at every comma.
fn pieces(keys: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b',', keys).chain([keys.len()]);
    ends.scan(0, |start, end| {
        let piece = &keys[*start..end];
        *start = end + 1;
        Some(piece)
    })
}
