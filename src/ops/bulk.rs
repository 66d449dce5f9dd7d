//! Many keys in one exchange.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::Reply;

use super::{Ttl, ask, fill_tags, key_named, refused, strange, value_named, with_name};
use crate::error::Failure;
use crate::ffi::{self, Items, Key};
use crate::handle::HandleCell;
use crate::scratch::{Buffers, Scratch};
use crate::value::{self, PreparedItems};

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
    let scratch = ask(handle, |buffers| {
        for (position, (_, key)) in Items::of(keys).enumerate() {
            with_name(key, "keys", position, |key| {
                Ok(buffers.commands.get(key)?)
            })?;
        }
        Ok(())
    })?;
    let mut found = ZendHashTable::new();
    for ((_, key), reply) in Items::of(keys).zip(scratch.replies.iter()) {
        match reply {
            Reply::NotFound => {}
            Reply::Value(wire) => {
                let mut value = Zval::new();
                value::read(wire, &mut value).map_err(|why| why.of(|| value_named(&bytes(key))))?;
                ffi::insert(&mut found, key, value);
            }
            Reply::Error(text) => return Err(refused("GET", &bytes(key), text)),
            other => return Err(strange(&other)),
        }
    }
    Ok(found)
}

/// Stores many values. *May bail out.*
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
    handle.check()?;
    let pinned = ffi::without_references(items);
    let items = pinned.as_deref().unwrap_or(items);
    let prepared = PreparedItems::of(items, |key| key_named(&bytes(key)))?;
    let mut scratch = Scratch::take();
    let Buffers {
        commands,
        tags: list,
        ..
    } = &mut **scratch;
    fill_tags(list, tags)?;
    prepared.each(|key, value| {
        let put = match Key::from_zval(key) {
            Some(Key::Str(key)) => commands.put(key, ttl, list, value),
            _ => commands.put(&bytes(key), ttl, list, value),
        };
        put.map_err(|why| {
            Failure::from(why).of(|| format!("key {}", crate::options::quoted(&bytes(key))))
        })
    })?;
    let sent = handle.call(&mut scratch);
    let mut stored = Stored {
        count: 0,
        failure: sent.err(),
    };
    for ((key, _), reply) in Items::of(items).zip(scratch.replies.iter()) {
        match reply {
            Reply::Ok => stored.count += 1,
            Reply::Error(text) => {
                stored
                    .failure
                    .get_or_insert_with(|| refused("PUT", &bytes(&key), text));
            }
            other => return Err(strange(&other)),
        }
    }
    Ok(stored)
}

/// Deletes many keys; returns how many existed.
pub(crate) fn delete_many(handle: &HandleCell, keys: &ZendHashTable) -> Result<i64, Failure> {
    let scratch = ask(handle, |buffers| {
        for (position, (_, key)) in Items::of(keys).enumerate() {
            with_name(key, "keys", position, |key| {
                Ok(buffers.commands.delete(key)?)
            })?;
        }
        Ok(())
    })?;
    let mut existed = 0;
    for ((_, key), reply) in Items::of(keys).zip(scratch.replies.iter()) {
        match reply {
            Reply::Deleted(was_there) => existed += i64::from(was_there),
            Reply::Error(text) => return Err(refused("DEL", &bytes(key), text)),
            other => return Err(strange(&other)),
        }
    }
    Ok(existed)
}

/// Returns the bytes of a key that was found to be a string or an integer.
fn bytes(key: &Zval) -> Vec<u8> {
    match Key::from_zval(key) {
        Some(Key::Str(text)) => text.to_vec(),
        Some(Key::Int(number)) => number.to_string().into_bytes(),
        None => Vec::new(),
    }
}
