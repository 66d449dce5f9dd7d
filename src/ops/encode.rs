//! From the arguments of a call to its commands. What fails here has sent nothing.
//!
//! The functions that take values serialize them, which runs code of the user, and may bail out:
//! their buffers are guarded against that (see [`Scratch`](crate::scratch::Scratch)). Buffers
//! come empty.

use std::num::NonZeroU64;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::{TagList, TagMatch, Value};

use super::{Count, Put, Ttl, bytes, key_named};
use crate::error::Failure;
use crate::ffi::{self, Items, Key};
use crate::options::quoted;
use crate::scratch::Buffers;
use crate::value::{self, PreparedItems};

/// Encodes a value under a key. *May bail out.*
pub(crate) fn put(
    buffers: &mut Buffers,
    key: &[u8],
    value: &Zval,
    tags: Option<&ZendHashTable>,
    ttl: Ttl,
    how: Put,
) -> Result<(), Failure> {
    let prepared =
        value::prepare(value, &buffers.rules).map_err(|why| why.of(|| key_named(key)))?;
    fill_tags(&mut buffers.tags, tags)?;
    one(buffers, key, prepared.value(), ttl, how)
}

/// Encodes a value with the tags that are in `buffers`.
fn one(
    buffers: &mut Buffers,
    key: &[u8],
    value: Value<'_>,
    ttl: Ttl,
    how: Put,
) -> Result<(), Failure> {
    let Buffers { commands, tags, .. } = buffers;
    match how {
        Put::Always => commands.put(key, ttl, tags, value)?,
        Put::IfAbsent => commands.add(key, ttl, tags, value)?,
    }
    Ok(())
}

/// Encodes the question for a value.
pub(crate) fn get(buffers: &mut Buffers, key: &[u8]) -> Result<(), Failure> {
    Ok(buffers.commands.get(key)?)
}

/// Encodes the end of a key.
pub(crate) fn delete(buffers: &mut Buffers, key: &[u8]) -> Result<(), Failure> {
    Ok(buffers.commands.delete(key)?)
}

/// Encodes a count.
pub(crate) fn count(
    buffers: &mut Buffers,
    key: &[u8],
    by: i64,
    ttl: Ttl,
    tags: Option<&ZendHashTable>,
    direction: Count,
) -> Result<(), Failure> {
    if direction == Count::Down && by == i64::MIN {
        return Err(Failure::Invalid(
            "$by must be at least PHP_INT_MIN + 1: its negative does not fit into 64 bits"
                .to_owned(),
        ));
    }
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
}

/// Encodes the end of what carries a tag.
pub(crate) fn invalidate_tag(buffers: &mut Buffers, tag: &[u8]) -> Result<(), Failure> {
    Ok(buffers.commands.invalidate_tag(tag)?)
}

/// Encodes the end of what carries any or all of the tags; nothing if there are none.
pub(crate) fn invalidate_tags(
    buffers: &mut Buffers,
    tags: &ZendHashTable,
    how: TagMatch,
) -> Result<(), Failure> {
    if tags.is_empty() {
        return Ok(());
    }
    each_name(tags, &TAGS, |tag| Ok(buffers.tags.push(tag)?))?;
    Ok(buffers.commands.invalidate_tags(&buffers.tags, how)?)
}

/// Encodes the question for the keys of a tag.
pub(crate) fn keys_by_tag(buffers: &mut Buffers, tag: &[u8]) -> Result<(), Failure> {
    Ok(buffers.commands.keys_by_tag(tag)?)
}

/// Encodes the question for the keys of each tag.
pub(crate) fn search(buffers: &mut Buffers, tags: &ZendHashTable) -> Result<(), Failure> {
    each_name(tags, &TAGS, |tag| keys_by_tag(buffers, tag))
}

/// Encodes the question for many values.
pub(crate) fn get_many(buffers: &mut Buffers, keys: &ZendHashTable) -> Result<(), Failure> {
    each_name(keys, &KEYS, |key| get(buffers, key))
}

/// Encodes the end of many keys.
pub(crate) fn delete_many(buffers: &mut Buffers, keys: &ZendHashTable) -> Result<(), Failure> {
    each_name(keys, &KEYS, |key| delete(buffers, key))
}

/// Encodes many values, with the same tags and time to live. `items` has no references. *May
/// bail out.*
pub(crate) fn put_many(
    buffers: &mut Buffers,
    items: &ZendHashTable,
    tags: Option<&ZendHashTable>,
    ttl: Ttl,
    how: Put,
) -> Result<(), Failure> {
    let prepared = prepare_many(buffers, items, tags)?;
    prepared.each(|key, value| put_one(buffers, key, value, ttl, how))
}

/// Serializes many values and encodes the tags, for [`put_one`]. `items` has no references. *May bail
/// out.*
pub(super) fn prepare_many<'a>(
    buffers: &mut Buffers,
    items: &'a ZendHashTable,
    tags: Option<&ZendHashTable>,
) -> Result<PreparedItems<'a>, Failure> {
    let prepared = PreparedItems::of(items, &buffers.rules, |key| key_named(&bytes(key)))?;
    fill_tags(&mut buffers.tags, tags)?;
    Ok(prepared)
}

/// Encodes one of many values with the tags that are in `buffers`.
pub(super) fn put_one(
    buffers: &mut Buffers,
    key: Key<'_>,
    value: Value<'_>,
    ttl: Ttl,
    how: Put,
) -> Result<(), Failure> {
    let encoded = key.with(|key| one(buffers, key, value, ttl, how));
    if let Err(why) = encoded {
        return Err(why.of(|| format!("key {}", key.with(quoted))));
    }
    Ok(())
}

/// Encodes many values, each with its own tags and time to live:
/// `key => ['value' => ..., 'tags' => [...], 'ttl_ms' => ...]`. `items` has no references. *May
/// bail out.*
pub(crate) fn put_items(buffers: &mut Buffers, items: &ZendHashTable) -> Result<(), Failure> {
    for (key, item) in Items::of(items) {
        put_item(buffers, &key, item)
            .map_err(|why| why.of(|| format!("item {}", quoted(&bytes(&key)))))?;
    }
    Ok(())
}

fn put_item(buffers: &mut Buffers, key: &Zval, item: &Zval) -> Result<(), Failure> {
    const FORM: &str = "must be an array ['value' => ..., 'tags' => [...], 'ttl_ms' => ...] of \
                        which only 'value' is required";
    let Some(item) = item.array() else {
        return Err(Failure::Invalid(format!("it {FORM}")));
    };
    let (mut value, mut tags, mut ttl) = (None, None, None);
    for (name, field) in Items::of(item) {
        // Own references: code of the user may change what a reference refers to.
        let field = field.dereference().shallow_clone();
        match Key::from_zval(&name) {
            Some(Key::Str(b"value")) => value = Some(field),
            Some(Key::Str(b"tags")) if field.array().is_some() => tags = Some(field),
            Some(Key::Str(b"tags")) => {
                return Err(Failure::Invalid("its 'tags' must be an array".to_owned()));
            }
            Some(Key::Str(b"ttl_ms")) if field.is_null() => {}
            Some(Key::Str(b"ttl_ms")) => match field.long() {
                Some(ms) => ttl = Some(positive(ms)?),
                None => {
                    return Err(Failure::Invalid(
                        "its 'ttl_ms' must be an integer or null".to_owned(),
                    ));
                }
            },
            _ => {
                return Err(Failure::Invalid(format!(
                    "it has a field {}; it {FORM}",
                    quoted(&bytes(&name))
                )));
            }
        }
    }
    let Some(value) = value else {
        return Err(Failure::Invalid(format!("it has no 'value'; it {FORM}")));
    };
    let prepared = value::prepare(&value, &buffers.rules)?;
    buffers.tags.clear();
    fill_tags(&mut buffers.tags, tags.as_ref().and_then(Zval::array))?;
    with_key(key, |key| {
        one(buffers, key, prepared.value(), ttl, Put::Always)
    })
}

/// Encodes the question for the counters.
pub(crate) fn stats(buffers: &mut Buffers) {
    buffers.commands.stats();
}

/// Encodes the end of everything.
pub(crate) fn flush(buffers: &mut Buffers) {
    buffers.commands.flush();
}

/// Returns a list of the keys of `items`, which are then not needed to read the answers. *May
/// bail out.*
pub(crate) fn keys_of(items: &ZendHashTable) -> ZBox<ZendHashTable> {
    let mut keys = ZendHashTable::with_capacity(u32::try_from(items.len()).unwrap_or(0));
    for (key, _) in Items::of(items) {
        ffi::append(&mut keys, key);
    }
    keys
}

/// Reads a time to live as the methods take it.
pub(crate) fn ttl(ms: Option<i64>) -> Result<Ttl, Failure> {
    ms.map(positive).transpose()
}

fn positive(ms: i64) -> Result<NonZeroU64, Failure> {
    match u64::try_from(ms).ok().and_then(NonZeroU64::new) {
        Some(ms) => Ok(ms),
        None => Err(Failure::Invalid(format!(
            "$ttl_ms must be 1 or more milliseconds, or null for no limit, {ms} given"
        ))),
    }
}

/// Fills `list` with the tags of an entry.
fn fill_tags(list: &mut TagList, tags: Option<&ZendHashTable>) -> Result<(), Failure> {
    let Some(tags) = tags else { return Ok(()) };
    each_name(tags, &TAGS_OF_ENTRY, |tag| Ok(list.push(tag)?))
}

/// Refuses what [`put`] would refuse of these tags, for who has something to do before it puts.
pub(crate) fn check_tags(tags: Option<&ZendHashTable>) -> Result<(), Failure> {
    fill_tags(&mut TagList::new(), tags)
}

/// An argument that is a list.
#[derive(Debug)]
pub(super) struct List {
    name: &'static str,
    /// What somebody may have meant who gives an array with names.
    advice: &'static str,
}

pub(super) const KEYS: List = List {
    name: "keys",
    advice: "array_keys() makes a list of the keys of an array, array_values() one of its values",
};
const TAGS: List = List {
    name: "tags",
    advice: "array_values() makes one of an array",
};
const TAGS_OF_ENTRY: List = List {
    name: "tags",
    advice: "a time to live is an argument of its own, as in set($key, $value, ttl_ms: 60_000), and \
             what stores only if nothing is there is add()",
};

/// Gives `use_it` the bytes of each element, which must be a string or an integer.
fn each_name(
    elements: &ZendHashTable,
    list: &List,
    mut use_it: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    check_list(elements, list)?;
    for (position, element) in ffi::values(elements).enumerate() {
        name(position, element, list, &mut use_it)?;
    }
    Ok(())
}

/// Refuses an array that has a string for a key: it is no list, and was meant to say something else.
pub(super) fn check_list(elements: &ZendHashTable, list: &List) -> Result<(), Failure> {
    match ffi::first_name(elements) {
        None => Ok(()),
        Some(key) => Err(Failure::Invalid(format!(
            "${} must be a list, it has the key {}; {}",
            list.name,
            quoted(key),
            list.advice
        ))),
    }
}

/// Gives `use_it` the bytes of element `position` of a list, which must be a string or an integer.
#[inline]
pub(super) fn name(
    position: usize,
    element: &Zval,
    list: &List,
    use_it: impl FnOnce(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let used = match Key::from_zval(element) {
        Some(Key::Str(text)) => use_it(text),
        Some(Key::Int(_)) => use_it(&bytes(element)),
        None => {
            return Err(Failure::Invalid(format!(
                "${} must hold strings and integers only; element {position} is neither",
                list.name
            )));
        }
    };
    if let Err(why) = used {
        return Err(why.of(|| format!("element {position} of ${}", list.name)));
    }
    Ok(())
}

/// Gives `use_it` the bytes of a string or an integer.
fn with_key<R>(key: &Zval, use_it: impl FnOnce(&[u8]) -> R) -> R {
    match Key::from_zval(key) {
        Some(Key::Str(text)) => use_it(text),
        _ => use_it(&bytes(key)),
    }
}
