//! The calls, as the methods and the functions share them. All go the same way: check the
//! handle, prepare what may run PHP code, encode, one [`HandleCell::call`], make values of the
//! replies.

mod bulk;
mod tags;

use std::num::NonZeroU64;

use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::BailoutGuard;
use tagcache_client::{Reply, ServerStats, TagList};

pub(crate) use self::bulk::{delete_many, get_many, put_many};
pub(crate) use self::tags::{invalidate_tag, invalidate_tags, keys_by_tag, search};
use crate::error::Failure;
use crate::ffi::{Items, Key};
use crate::handle::HandleCell;
use crate::options::{quoted, shown};
use crate::scratch::{Buffers, Scratch};
use crate::value;

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

/// The direction of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Upwards.
    Up,
    /// Downwards.
    Down,
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
    handle.check()?;
    let prepared = value::prepare(value).map_err(|why| why.of(|| key_named(key)))?;
    let mut scratch = Scratch::take();
    let Buffers {
        commands,
        tags: list,
        ..
    } = &mut **scratch;
    fill_tags(list, tags)?;
    match how {
        Put::Always => commands.put(key, ttl, list, prepared.value())?,
        Put::IfAbsent => commands.add(key, ttl, list, prepared.value())?,
    }
    handle.call(&mut scratch)?;
    match scratch.replies.get(0) {
        Reply::Ok | Reply::Added => Ok(true),
        Reply::Exists => Ok(false),
        Reply::Error(text) => Err(refused(
            if how == Put::Always { "PUT" } else { "ADD" },
            key,
            text,
        )),
        other => Err(strange(&other)),
    }
}

/// Reads a value into `into`; false if there is none. *May bail out.*
pub(crate) fn get(handle: &HandleCell, key: &[u8], into: &mut Zval) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| Ok(buffers.commands.get(key)?))?;
    match scratch.replies.get(0) {
        Reply::Value(wire) => {
            value::read(wire, into).map_err(|why| why.of(|| value_named(key)))?;
            Ok(true)
        }
        Reply::NotFound => Ok(false),
        Reply::Error(text) => Err(refused("GET", key, text)),
        other => Err(strange(&other)),
    }
}

/// Tells whether a key exists.
pub(crate) fn has(handle: &HandleCell, key: &[u8]) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| Ok(buffers.commands.get(key)?))?;
    match scratch.replies.get(0) {
        Reply::Value(_) => Ok(true),
        Reply::NotFound => Ok(false),
        Reply::Error(text) => Err(refused("GET", key, text)),
        other => Err(strange(&other)),
    }
}

/// Deletes a key; returns whether it existed.
pub(crate) fn delete(handle: &HandleCell, key: &[u8]) -> Result<bool, Failure> {
    let scratch = ask(handle, |buffers| Ok(buffers.commands.delete(key)?))?;
    match scratch.replies.get(0) {
        Reply::Deleted(existed) => Ok(existed),
        Reply::Error(text) => Err(refused("DEL", key, text)),
        other => Err(strange(&other)),
    }
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
    if direction == Count::Down && by == i64::MIN {
        return Err(Failure::Invalid(
            "$by must be at least PHP_INT_MIN + 1: its negative does not fit into 64 bits"
                .to_owned(),
        ));
    }
    let verb = if direction == Count::Up {
        "INCR"
    } else {
        "DECR"
    };
    let scratch = ask(handle, |buffers| {
        let Buffers {
            commands,
            tags: list,
            ..
        } = buffers;
        fill_tags(list, tags)?;
        match direction {
            Count::Up => commands.incr(key, by, ttl, list)?,
            Count::Down => commands.decr(key, by, ttl, list)?,
        }
        Ok(())
    })?;
    match scratch.replies.get(0) {
        Reply::Integer(number) => Ok(number),
        Reply::Error(text) => Err(refused(verb, key, text)),
        other => Err(strange(&other)),
    }
}

/// Returns the counters of the server.
pub(crate) fn stats(handle: &HandleCell) -> Result<ServerStats, Failure> {
    let scratch = ask(handle, |buffers| {
        buffers.commands.stats();
        Ok(())
    })?;
    match scratch.replies.get(0) {
        Reply::Stats(stats) => Ok(stats),
        Reply::Error(text) => Err(refused("STATS", b"", text)),
        other => Err(strange(&other)),
    }
}

/// Removes everything; returns how much.
pub(crate) fn flush(handle: &HandleCell) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| {
        buffers.commands.flush();
        Ok(())
    })?;
    removed(scratch.replies.get(0), "FLUSH", b"")
}

/// Encodes and sends what runs no PHP code, and returns the replies.
fn ask(
    handle: &HandleCell,
    encode: impl FnOnce(&mut Buffers) -> Result<(), Failure>,
) -> Result<BailoutGuard<Scratch>, Failure> {
    handle.check()?;
    let mut scratch = Scratch::take();
    encode(&mut scratch)?;
    handle.call(&mut scratch)?;
    Ok(scratch)
}

fn removed(reply: Reply<'_>, verb: &str, subject: &[u8]) -> Result<i64, Failure> {
    match reply {
        Reply::Count(count) => Ok(i64::try_from(count).unwrap_or(i64::MAX)),
        Reply::Error(text) => Err(refused(verb, subject, text)),
        other => Err(strange(&other)),
    }
}

/// Fills `list` with the tags of an array.
fn fill_tags(list: &mut TagList, tags: Option<&ZendHashTable>) -> Result<(), Failure> {
    let Some(tags) = tags else { return Ok(()) };
    for (position, (_, tag)) in Items::of(tags).enumerate() {
        with_name(tag, "tags", position, |tag| Ok(list.push(tag)?))?;
    }
    Ok(())
}

/// Gives `use_it` the bytes of an element that must be a string or an integer.
fn with_name<R>(
    element: &Zval,
    list: &str,
    position: usize,
    use_it: impl FnOnce(&[u8]) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let Some(key) = Key::from_zval(element) else {
        return Err(Failure::Invalid(format!(
            "${list} must hold strings and integers only; element {position} is neither"
        )));
    };
    let of_list = |why: Failure| why.of(|| format!("element {position} of ${list}"));
    match key {
        Key::Str(text) => use_it(text).map_err(of_list),
        Key::Int(number) => use_it(number.to_string().as_bytes()).map_err(of_list),
    }
}

/// Returns the failure for a refusal of the server, with what to do where we know it.
fn refused(verb: &str, subject: &[u8], text: &[u8]) -> Failure {
    let text = shown(text);
    let advice = match &*text {
        "value is not an integer" => {
            "; increment() and decrement() change only what was stored as an integer: store 5, not \
             \"5\""
        }
        "integer overflow" => "; the result would not fit into 64 bits, and nothing was changed",
        _ => "",
    };
    let subject = if subject.is_empty() {
        String::new()
    } else {
        format!(" of {}", quoted(subject))
    };
    Failure::Server(format!(
        "the server refused {verb}{subject}: {text}{advice}"
    ))
}

/// Returns the failure for a reply of a kind that the client promises not to give.
fn strange(reply: &Reply<'_>) -> Failure {
    unreachable!("BUG: the client let {reply:?} pass for another kind of reply")
}

fn key_named(key: &[u8]) -> String {
    format!("the value for key {}", quoted(key))
}

fn value_named(key: &[u8]) -> String {
    format!("the value stored under key {} can't be read", quoted(key))
}
