//! Many keys in one call.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::ZendHashTable;
use tagcache_client::{Reply, Value};

use super::answer::refused;
use super::window::Window;
use super::{Put, Ttl, answer, begin, encode};
use crate::error::Failure;
use crate::ffi::{self, Items, Owned};
use crate::handle::HandleCell;
use crate::scratch::Buffers;

/// How far a bulk put came.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Items known to be stored.
    pub(crate) count: i64,
    /// Why not all, if not all.
    pub(crate) failure: Option<Failure>,
}

/// Reads many keys; returns the found ones under the caller's keys. *May bail out.*
pub(crate) fn get_many(
    handle: &HandleCell,
    keys: &ZendHashTable,
) -> Result<ZBox<ZendHashTable>, Failure> {
    handle.check()?;
    // While values are read, code of the user may run, and must not change what was asked.
    let pinned = ffi::without_references(keys);
    let keys = pinned.as_deref().unwrap_or(keys);
    let mut found = None;
    let mut answered = ffi::values(keys);
    each_window(
        handle,
        Window::of_reads(handle)?,
        keys,
        encode::get,
        |window, buffers| {
            let count = buffers.replies.whole();
            let asked = answered.by_ref().take(count);
            answer::find(
                &mut found,
                asked,
                &buffers.rules,
                &buffers.replies,
                0..count,
            )?;
            window.adapt(buffers);
            Ok(())
        },
    )?;
    Ok(found.unwrap_or_else(ZendHashTable::new))
}

/// Deletes many keys; returns how many existed.
pub(crate) fn delete_many(handle: &HandleCell, keys: &ZendHashTable) -> Result<i64, Failure> {
    handle.check()?;
    let mut existed = 0;
    let mut answered = ffi::values(keys);
    each_window(
        handle,
        Window::of_writes(handle)?,
        keys,
        encode::delete,
        |_, buffers| {
            let asked = answered.by_ref().take(buffers.replies.whole());
            existed += answer::deleted(asked, buffers.replies.iter())?;
            Ok(())
        },
    )?;
    Ok(existed)
}

/// Encodes `keys` with `encode` and sends them, in as many exchanges as they need; `read` sees the
/// replies to each: those that are whole answer the first keys that have no answer yet. A key that can't be sent is
/// found before anything is. *May bail out* if `read` may.
fn each_window(
    handle: &HandleCell,
    mut window: Window,
    keys: &ZendHashTable,
    encode: impl Fn(&mut Buffers, &[u8]) -> Result<(), Failure>,
    mut read: impl FnMut(&mut Window, &mut Buffers) -> Result<(), Failure>,
) -> Result<(), Failure> {
    encode::check_list(keys, &encode::KEYS)?;
    let mut scratch = begin(handle)?;
    let mut rest = ffi::values(keys).enumerate();
    loop {
        let begin = rest.clone();
        let mut any = false;
        while !window.is_full(&scratch.commands) {
            let Some((position, key)) = rest.next() else {
                break;
            };
            any = true;
            encode::name(position, key, &encode::KEYS, |key| {
                encode(&mut scratch, key)
            })?;
        }
        if !any {
            return Ok(());
        }
        if !window.begun {
            let mark = scratch.commands.mark();
            for (position, key) in rest.clone() {
                encode::name(position, key, &encode::KEYS, |key| {
                    encode(&mut scratch, key)
                })?;
                scratch.commands.rewind(mark);
            }
        }
        window.call(&mut scratch)?;
        let whole = scratch.replies.whole();
        if whole < scratch.commands.len() {
            // What did not fit is asked for again. The first reply of an exchange always fits.
            rest = begin;
            let last = whole.checked_sub(1).ok_or_else(Failure::left_out)?;
            rest.nth(last);
        }
        read(&mut window, &mut scratch)?;
        Window::clear(&mut scratch);
    }
}

/// Stores many values with the same tags and time to live. *May bail out.*
///
/// # Errors
///
/// What keeps all of them from being stored; what happens on the way is in [`Stored`].
pub(crate) fn put_many(
    handle: &HandleCell,
    items: &ZendHashTable,
    ttl: Ttl,
    tags: Option<&ZendHashTable>,
) -> Result<Stored, Failure> {
    let pinned = ffi::without_references(items);
    let items = pinned.as_deref().unwrap_or(items);
    let mut keys = ffi::pairs(items).map(|(key, _)| key);
    let (mut count, mut refusal) = (0, None);
    let sent = store(handle, items, ttl, tags, Put::Always, |buffers| {
        for reply in buffers.replies.iter() {
            let key = keys.next();
            match reply {
                Reply::Ok => count += 1,
                Reply::Error(text) => {
                    let key = key.map_or_else(Vec::new, |key| key.with(<[u8]>::to_vec));
                    refusal.get_or_insert_with(|| refused("PUT", &key, text));
                }
                other => return Err(answer::strange(&other)),
            }
        }
        Ok(())
    })?;
    Ok(Stored {
        count,
        failure: sent.err().or(refusal),
    })
}

/// Stores many values where nothing is; returns for each key whether it was stored, or the
/// exception that says why that is not known. *May bail out.*
///
/// # Errors
///
/// What kept anything from being sent.
pub(crate) fn add_many(
    handle: &HandleCell,
    items: &ZendHashTable,
    ttl: Ttl,
    tags: Option<&ZendHashTable>,
) -> Result<ZBox<ZendHashTable>, Failure> {
    let pinned = ffi::without_references(items);
    let items = pinned.as_deref().unwrap_or(items);
    let mut keys = Items::of(items).map(|(key, _)| key);
    let mut added = ffi::list(items.len())?;
    let mut asked = false;
    let sent = store(handle, items, ttl, tags, Put::IfAbsent, |buffers| {
        asked = asked || !buffers.replies.is_empty();
        answer::added(&mut added, keys.by_ref(), buffers.replies.iter())
    })?;
    if let Err(failure) = sent {
        if !asked && failure.is_before_sending() {
            return Err(failure);
        }
        let lost = failure.into_exception()?;
        for key in keys {
            ffi::insert(&mut added, &key, lost.shallow_clone());
        }
    }
    Ok(added)
}

/// Stores `items`, which has no references, in as many exchanges as they need; `read` sees the
/// replies to each. Returns what ended the last exchange. *May bail out.*
///
/// # Errors
///
/// What keeps all of them from being stored: then nothing has been sent. What `read` fails with.
fn store(
    handle: &HandleCell,
    items: &ZendHashTable,
    ttl: Ttl,
    tags: Option<&ZendHashTable>,
    how: Put,
    mut read: impl FnMut(&mut Buffers) -> Result<(), Failure>,
) -> Result<Result<(), Failure>, Failure> {
    let mut scratch = begin(handle)?;
    let mut window = Window::of_writes(handle)?;
    let prepared = encode::prepare_many(&mut scratch, items, tags)?;
    let mut failure = None;
    let mut at = 0;
    prepared.each(|key, value| {
        if failure.is_some() {
            return Ok(());
        }
        if window.is_full(&scratch.commands) {
            if !window.begun {
                check_keys(&mut scratch, items, at)?;
            }
            failure = window.call(&mut scratch).err().map(Owned::new);
            read(&mut scratch)?;
            Window::clear(&mut scratch);
            if failure.is_some() {
                return Ok(());
            }
        }
        at += 1;
        encode::put_one(&mut scratch, key, value, ttl, how)
    })?;
    if failure.is_none() && !scratch.commands.is_empty() {
        failure = window.call(&mut scratch).err().map(Owned::new);
        read(&mut scratch)?;
    }
    Ok(failure.map_or(Ok(()), |failure| Err(failure.into_inner())))
}

/// Finds a key from item `first` on that can't be sent.
fn check_keys(buffers: &mut Buffers, items: &ZendHashTable, first: usize) -> Result<(), Failure> {
    let mark = buffers.commands.mark();
    for (key, _) in ffi::pairs(items).skip(first) {
        encode::put_one(buffers, key, Value::Null, None, Put::Always)?;
        buffers.commands.rewind(mark);
    }
    Ok(())
}

/// Stores many values, each with its own tags and time to live. *May bail out.*
///
/// # Errors
///
/// As [`put_many`].
pub(crate) fn put_items(handle: &HandleCell, items: &ZendHashTable) -> Result<Stored, Failure> {
    let mut scratch = begin(handle)?;
    let pinned = ffi::without_references(items);
    let items = pinned.as_deref().unwrap_or(items);
    encode::put_items(&mut scratch, items)?;
    let sent = handle.call(&mut scratch);
    let key = |n| {
        let key = ffi::pairs(items).nth(n);
        key.map_or_else(Vec::new, |(key, _)| key.with(<[u8]>::to_vec))
    };
    let (count, refusal) = answer::put_many(scratch.replies.iter(), key)?;
    Ok(Stored {
        count,
        failure: sent.err().or(refusal),
    })
}
