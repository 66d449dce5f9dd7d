//! Everything by tag.

use std::collections::{HashMap, HashSet};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::BailoutGuard;
use tagcache_client::{Replies, Reply, TagMatch};

use super::{ask, fill_tags, refused, removed, strange, with_name};
use crate::error::Failure;
use crate::ffi::{self, Items};
use crate::handle::HandleCell;

/// A key in the replies: the index of the reply, and where it stands there.
type Span = (usize, usize, usize);

/// Removes what carries the tag; returns how much.
pub(crate) fn invalidate_tag(handle: &HandleCell, tag: &[u8]) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| {
        Ok(buffers.commands.invalidate_tag(tag)?)
    })?;
    removed(scratch.replies.get(0), "INV_TAG", tag)
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
        fill_tags(&mut buffers.tags, Some(tags))?;
        Ok(buffers.commands.invalidate_tags(&buffers.tags, how)?)
    })?;
    let verb = if how == TagMatch::Any {
        "INV_TAGS_ANY"
    } else {
        "INV_TAGS_ALL"
    };
    removed(scratch.replies.get(0), verb, b"")
}

/// Lists the keys that carry the tag. *May bail out.*
pub(crate) fn keys_by_tag(handle: &HandleCell, tag: &[u8]) -> Result<ZBox<ZendHashTable>, Failure> {
    let scratch = ask(handle, |buffers| Ok(buffers.commands.keys_by_tag(tag)?))?;
    match scratch.replies.get(0) {
        Reply::Keys(keys) => {
            let mut list = ZendHashTable::new();
            for key in split(keys) {
                push(&mut list, &keys[key.0..key.1])?;
            }
            Ok(list)
        }
        Reply::Error(text) => Err(refused("KEYS_BY_TAG", tag, text)),
        other => Err(strange(&other)),
    }
}

/// Lists the keys that carry any or all of the tags, each once. *May bail out.*
pub(crate) fn search(
    handle: &HandleCell,
    tags: &ZendHashTable,
    how: TagMatch,
) -> Result<ZBox<ZendHashTable>, Failure> {
    let scratch = ask(handle, |buffers| {
        for (position, (_, tag)) in Items::of(tags).enumerate() {
            with_name(tag, "tags", position, |tag| {
                Ok(buffers.commands.keys_by_tag(tag)?)
            })?;
        }
        Ok(())
    })?;
    for reply in scratch.replies.iter() {
        match reply {
            Reply::Keys(_) => {}
            Reply::Error(text) => return Err(refused("KEYS_BY_TAG", b"", text)),
            other => return Err(strange(&other)),
        }
    }
    // All that grows with the reply is done before PHP's allocator can bail out.
    let spans = BailoutGuard::new(match how {
        TagMatch::Any => union(&scratch.replies),
        TagMatch::All => intersection(&scratch.replies),
    });
    let mut list = ZendHashTable::new();
    for (reply, start, end) in spans.get() {
        push(&mut list, &keys_of(&scratch.replies, *reply)[*start..*end])?;
    }
    Ok(list)
}

fn union(replies: &Replies) -> Vec<Span> {
    let mut seen = HashSet::new();
    let mut spans = Vec::new();
    for reply in 0..replies.len() {
        let keys = keys_of(replies, reply);
        for (start, end) in split(keys) {
            if seen.insert(&keys[start..end]) {
                spans.push((reply, start, end));
            }
        }
    }
    spans
}

fn intersection(replies: &Replies) -> Vec<Span> {
    if replies.is_empty() {
        return Vec::new();
    }
    // How many of the replies up to now had the key, each counted once.
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for reply in 0..replies.len() {
        let keys = keys_of(replies, reply);
        for (start, end) in split(keys) {
            let key = &keys[start..end];
            if reply == 0 {
                counts.insert(key, 1);
            } else if let Some(count) = counts.get_mut(key)
                && *count == reply
            {
                *count += 1;
            }
        }
    }
    let first = keys_of(replies, 0);
    split(first)
        .filter(|(start, end)| counts.remove(&first[*start..*end]) == Some(replies.len()))
        .map(|(start, end)| (0, start, end))
        .collect()
}

fn keys_of(replies: &Replies, index: usize) -> &[u8] {
    match replies.get(index) {
        Reply::Keys(keys) => keys,
        _ => b"",
    }
}

/// Splits the text of a KEYS reply; an empty one has no keys.
fn split(keys: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    let mut done = keys.is_empty();
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let end = keys[start..]
            .iter()
            .position(|byte| *byte == b',')
            .map(|at| start + at);
        let span = (start, end.unwrap_or(keys.len()));
        done = end.is_none();
        start = span.1 + 1;
        Some(span)
    })
}

fn push(list: &mut ZendHashTable, key: &[u8]) -> Result<(), Failure> {
    let mut value = Zval::new();
    value.set_zend_string(ffi::string(key)?);
    list.push(value)
        .expect("BUG: a list has room for 2^63 elements");
    Ok(())
}
