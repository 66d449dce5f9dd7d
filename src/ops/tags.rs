//! Everything by tag.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::ZendHashTable;
use ext_php_rs::zend::BailoutGuard;
use memchr::{memchr, memchr_iter};
use tagcache_client::{Replies, Reply, TagMatch};

use super::{answer, ask, encode};
use crate::error::Failure;
use crate::ffi;
use crate::handle::HandleCell;
use crate::value::Rules;

/// A key in the replies: the index of the reply, and where it stands there.
type Span = (usize, usize, usize);

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
    let spans = BailoutGuard::new(match how {
        TagMatch::Any => union(replies, asked, rules.prefix()),
        TagMatch::All => intersection(replies, asked, rules.prefix()),
    });
    let keys = spans.get().iter();
    let keys = keys.map(|(reply, start, end)| &keys_of(replies, *reply)[*start..*end]);
    ffi::strings(spans.get().len(), keys)
}

fn union(replies: &Replies, asked: Range<usize>, prefix: &[u8]) -> Vec<Span> {
    let mut seen = HashSet::new();
    let mut spans = Vec::new();
    for reply in asked {
        let keys = keys_of(replies, reply);
        for (start, end) in split(keys, prefix) {
            if seen.insert(&keys[start..end]) {
                spans.push((reply, start, end));
            }
        }
    }
    spans
}

fn intersection(replies: &Replies, asked: Range<usize>, prefix: &[u8]) -> Vec<Span> {
    if asked.is_empty() {
        return Vec::new();
    }
    // How many of the replies up to now had the key, each counted once.
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for (nth, reply) in asked.clone().enumerate() {
        let keys = keys_of(replies, reply);
        for (start, end) in split(keys, prefix) {
            let key = &keys[start..end];
            if nth == 0 {
                counts.insert(key, 1);
            } else if let Some(count) = counts.get_mut(key)
                && *count == nth
            {
                *count += 1;
            }
        }
    }
    let first = keys_of(replies, asked.start);
    split(first, prefix)
        .filter(|(start, end)| counts.remove(&first[*start..*end]) == Some(asked.len()))
        .map(|(start, end)| (asked.start, start, end))
        .collect()
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
