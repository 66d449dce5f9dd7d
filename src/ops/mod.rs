//! The calls, as the methods and the functions share them. All go the same way: check the
//! handle, [`encode`], one [`HandleCell::call`] (a large bulk: several exchanges over its
//! [`Route`](crate::handle::Route)), make an [`answer`] of the replies. Pipelines and batches go the
//! first half of the way when they are filled and the second half later.

mod answer;
mod bulk;
pub(crate) mod encode;
mod fingerprint;
mod tags;
mod window;

use std::num::NonZeroU64;

use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::{ServerStats, TagMatch};

pub(crate) use self::answer::Answer;
pub(crate) use self::bulk::{Stored, add_many, delete_many, get_many, put_items, put_many};
pub(crate) use self::fingerprint::Fingerprint;
pub(crate) use self::tags::{invalidate_tag, invalidate_tags, keys_by_tag, search, verb};
use crate::error::Failure;
use crate::ffi::{Call, Key};
use crate::handle::HandleCell;
use crate::options::quoted;
use crate::scratch::{self, Buffers, Scratch};

/// A time to live, or none.
pub(crate) type Ttl = Option<NonZeroU64>;

/// Whether a value replaces what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It does.
    Always,
    /// Only if nothing is.
    IfAbsent,
}

impl Put {
    fn verb(self) -> &'static str {
        match self {
            Self::Always => "PUT",
            Self::IfAbsent => "ADD",
        }
    }
}

/// The direction of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

impl Count {
    fn verb(self) -> &'static str {
        match self {
            Self::Up => "INCR",
            Self::Down => "DECR",
        }
    }
}

/// Stores a value. Returns false only for [`Put::IfAbsent`] when the key exists.
pub(crate) fn put(
    handle: &HandleCell,
    key: &[u8],
    value: &Zval,
    tags: Option<&ZendHashTable>,
    ttl: Ttl,
    how: Put,
) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| {
        encode::put(buffers, key, value, tags, ttl, how)
    })?;
    answer::put(scratch.replies.get(0), key, how)
}

/// Reads a value into `into`; false if there is none. *May bail out.*
pub(crate) fn get(handle: &HandleCell, key: &[u8], into: &mut Zval) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| encode::get(buffers, key))?;
    answer::get(scratch.replies.get(0), key, &scratch.rules, into)
}

/// As [`get`], for text only: anything else is null, and nothing of it comes to life. *May bail out.*
pub(crate) fn get_text(handle: &HandleCell, key: &[u8], into: &mut Zval) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| encode::get(buffers, key))?;
    answer::get_text(scratch.replies.get(0), key, &scratch.rules, into)
}

/// Reads a value and what is noted beside it, in one exchange; returns the fingerprint of the value, if there is
/// one. *May bail out.*
pub(crate) fn get_noted(
    handle: &HandleCell,
    keys: [&[u8]; 2],
    into: [&mut Zval; 2],
) -> Result<Option<Fingerprint>, Failure> {
    let scratch = ask(handle, |buffers| {
        keys.iter().try_for_each(|key| encode::get(buffers, key))
    })?;
    let [value, note] = into;
    answer::get(scratch.replies.get(0), keys[0], &scratch.rules, value)?;
    answer::get(scratch.replies.get(1), keys[1], &scratch.rules, note)?;
    Ok(scratch.replies.value(0).map(Fingerprint::of))
}

/// Stores a value in the place of the one that `old` is the fingerprint of, or where nothing is. Returns the
/// fingerprint of what it stored; `None` if something else is there (or nothing, where `old` was). *May bail out.*
///
/// Where nothing is the server sees to it. Else this looks first, and what somebody stores between that look and
/// the command behind it is lost.
pub(crate) fn replace(
    handle: &HandleCell,
    key: &[u8],
    value: &Zval,
    tags: Option<&ZendHashTable>,
    ttl: Ttl,
    old: Option<Fingerprint>,
) -> Result<Option<Fingerprint>, Failure> {
    let how = match old {
        Some(_) => Put::Always,
        None => Put::IfAbsent,
    };
    let mut scratch = begin(handle)?;
    // Before it looks: this may run code of the user.
    encode::put(&mut scratch, key, value, tags, ttl, how)?;
    if old.is_some() {
        let there = ask(handle, |buffers| encode::get(buffers, key))?;
        answer::has(there.replies.get(0), key)?;
        if there.replies.value(0).map(Fingerprint::of) != old {
            return Ok(None);
        }
    }
    let stored = scratch.commands.last_value().map(Fingerprint::of);
    handle.call(&mut scratch)?;
    Ok(answer::put(scratch.replies.get(0), key, how)?
        .then_some(stored)
        .flatten())
}

/// Tells whether a key exists.
pub(crate) fn has(handle: &HandleCell, key: &[u8]) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| encode::get(buffers, key))?;
    answer::has(scratch.replies.get(0), key)
}

/// Deletes a key; returns whether it existed.
pub(crate) fn delete(handle: &HandleCell, key: &[u8]) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| encode::delete(buffers, key))?;
    answer::delete(scratch.replies.get(0), key)
}

/// Adds to or subtracts from an integer; returns the new one.
pub(crate) fn count(
    handle: &HandleCell,
    key: &[u8],
    by: i64,
    ttl: Ttl,
    tags: Option<&ZendHashTable>,
    direction: Count,
) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| {
        encode::count(buffers, key, by, ttl, tags, direction)
    })?;
    answer::count(scratch.replies.get(0), key, direction)
}

/// Returns the counters of the server.
pub(crate) fn stats(handle: &HandleCell) -> Result<ServerStats, Failure> {
    let scratch = ask(handle, |buffers| {
        encode::stats(buffers);
        Ok(())
    })?;
    answer::stats(scratch.replies.get(0))
}

/// Removes everything; returns how much.
pub(crate) fn flush(handle: &HandleCell) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| {
        encode::flush(buffers);
        Ok(())
    })?;
    answer::removed(scratch.replies.get(0), "FLUSH", b"")
}

/// Encodes and sends, and returns the replies. *May bail out* if `encode` may.
fn ask(
    handle: &HandleCell,
    encode: impl FnOnce(&mut Buffers) -> Result<(), Failure>,
) -> Result<Scratch, Failure> {
    let mut scratch = begin(handle)?;
    encode(&mut scratch)?;
    handle.call(&mut scratch)?;
    Ok(scratch)
}

/// Reads argument `n` of a call, the mode of `invalidateTags()`. *May bail out.*
pub(crate) fn mode(call: &Call<'_>, n: usize) -> Result<TagMatch, Failure> {
    match if call.has(n) { call.str(n)? } else { b"any" } {
        b"any" => Ok(TagMatch::Any),
        b"all" => Ok(TagMatch::All),
        other => Err(Failure::Invalid(format!(
            "$mode must be 'any' or 'all', {} given",
            quoted(other)
        ))),
    }
}

/// Checks the handle and takes buffers to encode its commands into.
pub(crate) fn begin(handle: &HandleCell) -> Result<Scratch, Failure> {
    handle.with_rules(scratch::take)
}

/// Returns the bytes of a key that was found to be a string or an integer.
fn bytes(key: &Zval) -> Vec<u8> {
    match Key::from_zval(key) {
        Some(Key::Str(text)) => text.to_vec(),
        Some(Key::Int(number)) => number.to_string().into_bytes(),
        None => Vec::new(),
    }
}

fn key_named(key: &[u8]) -> String {
    format!("the value for key {}", quoted(key))
}

fn value_named(key: &[u8]) -> String {
    format!("the value stored under key {} can't be read", quoted(key))
}
