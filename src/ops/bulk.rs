//! Many keys in one exchange.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::ZendHashTable;

use super::{Put, Ttl, answer, ask, begin, encode};
use crate::error::Failure;
use crate::ffi::{self, Items};
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
    if keys.is_empty() {
        return Ok(ZendHashTable::new());
    }
    let scratch = ask(handle, |buffers| encode::get_many(buffers, keys))?;
    answer::get_many(keys, &scratch.rules, &scratch.replies, 0)
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
    store(handle, items, |buffers, items| {
        encode::put_many(buffers, items, tags, ttl, Put::Always)
    })
}

/// Stores many values, each with its own tags and time to live. *May bail out.*
///
/// # Errors
///
/// As [`put_many`].
pub(crate) fn put_items(handle: &HandleCell, items: &ZendHashTable) -> Result<Stored, Failure> {
    store(handle, items, encode::put_items)
}

fn store(
    handle: &HandleCell,
    items: &ZendHashTable,
    encode: impl FnOnce(&mut Buffers, &ZendHashTable) -> Result<(), Failure>,
) -> Result<Stored, Failure> {
    let mut scratch = begin(handle)?;
    let pinned = ffi::without_references(items);
    let items = pinned.as_deref().unwrap_or(items);
    encode(&mut scratch, items)?;
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
    let mut scratch = begin(handle)?;
    let pinned = ffi::without_references(items);
    let items = pinned.as_deref().unwrap_or(items);
    encode::put_many(&mut scratch, items, tags, ttl, Put::IfAbsent)?;
    let lost = match handle.call(&mut scratch) {
        Ok(()) => None,
        Err(failure) if failure.is_before_sending() => return Err(failure),
        Err(failure) => Some(failure),
    };
    let keys = Items::of(items).map(|(key, _)| key);
    answer::add_many(keys, scratch.replies.iter(), lost)
}

/// Deletes many keys; returns how many existed.
pub(crate) fn delete_many(handle: &HandleCell, keys: &ZendHashTable) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| encode::delete_many(buffers, keys))?;
    answer::delete_many(keys, scratch.replies.iter())
}
