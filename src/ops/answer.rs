//! From the replies to a call to what it returns: at once, or later for what was asked in a
//! pipeline or batch.

use std::borrow::Borrow;
use std::ops::Range;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::{Replies, Reply, ServerStats, TagMatch};

use super::{Count, Put, bytes, tags, value_named};
use crate::error::Failure;
use crate::ffi;
use crate::options::{quoted, shown};
use crate::report;
use crate::value::{self, Rules};

/// What the replies to a call become. The call is *about* a value that it needs again to read
/// them: a key or a tag (for messages), a list of keys (for the result), or null.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Of `set()` and `add()`.
    Put(Put),
    /// Of `get()`.
    Get,
    /// Of `has()`.
    Has,
    /// Of `delete()`.
    Delete,
    /// Of `increment()` and `decrement()`.
    Count(Count),
    /// Of what removes by tag or all, by its verb.
    Removed(&'static str),
    /// Of `keysByTag()`.
    KeysByTag,
    /// Of `searchAny()` and `searchAll()`.
    Search(TagMatch),
    /// Of `mGet()`.
    GetMany,
    /// Of `mSet()` and `mSetItems()`.
    PutMany,
    /// Of `mAdd()`.
    AddMany,
    /// Of `mDelete()`.
    DeleteMany,
    /// Of `stats()`.
    Stats,
}

impl Answer {
    /// Makes a value of `count` replies from `first` on, all of which are in. `default` is what
    /// a miss of `get()` gives. *May bail out.*
    pub(crate) fn read(
        self,
        replies: &Replies,
        (first, count): (usize, usize),
        about: &Zval,
        default: Option<&Zval>,
        rules: &Rules,
        into: &mut Zval,
    ) -> Result<(), Failure> {
        let span = || (first..first + count).map(|n| replies.get(n));
        let key = about.zend_str().map_or(&b""[..], |text| text.as_bytes());
        let keys = || about.array().expect("BUG: a bulk call is about a list");
        match self {
            Self::Put(how) => into.set_bool(put(replies.get(first), key, how)?),
            Self::Get => {
                if !get(replies.get(first), key, rules, into)? {
                    *into = default.map_or_else(Zval::null, Zval::shallow_clone);
                }
            }
            Self::Has => into.set_bool(has(replies.get(first), key)?),
            Self::Delete => into.set_bool(delete(replies.get(first), key)?),
            Self::Count(direction) => {
                into.set_long(self::count(replies.get(first), key, direction)?)
            }
            Self::Removed(_) if count == 0 => into.set_long(0),
            Self::Removed(verb) => into.set_long(removed(replies.get(first), verb, key)?),
            Self::KeysByTag => into.set_hashtable(tags::keys(replies.get(first), key, rules)?),
            Self::Search(how) => {
                into.set_hashtable(tags::found(replies, first, count, how, rules)?)
            }
            Self::GetMany => {
                let mut found = None;
                find(
                    &mut found,
                    ffi::values(keys()),
                    rules,
                    replies,
                    first..first + count,
                )?;
                into.set_hashtable(found.unwrap_or_else(ZendHashTable::new));
            }
            Self::PutMany => {
                let key = |n| ffi::values(keys()).nth(n).map(bytes).unwrap_or_default();
                let (stored, failure) = put_many(span(), key)?;
                match failure {
                    None => into.set_long(stored),
                    Some(failure) => return Err(failure.after(stored, count)),
                }
            }
            Self::AddMany => {
                let mut results = ffi::list(count)?;
                added(&mut results, ffi::values(keys()), span())?;
                into.set_hashtable(results);
            }
            Self::DeleteMany => into.set_long(deleted(ffi::values(keys()), span())?),
            Self::Stats => into.set_hashtable(report::server(&stats(replies.get(first))?)),
        }
        Ok(())
    }
}

/// Whether it was stored: false only for [`Put::IfAbsent`] when the key exists.
pub(super) fn put(reply: Reply<'_>, key: &[u8], how: Put) -> Result<bool, Failure> {
    match reply {
        Reply::Ok | Reply::Added => Ok(true),
        Reply::Exists => Ok(false),
        Reply::Error(text) => Err(refused(how.verb(), key, text)),
        other => Err(strange(&other)),
    }
}

/// Makes a value in `into`; false if there is none. *May bail out.*
pub(super) fn get(
    reply: Reply<'_>,
    key: &[u8],
    rules: &Rules,
    into: &mut Zval,
) -> Result<bool, Failure> {
    get_by(value::read, reply, key, rules, into)
}

/// As [`get`], for text only. *May bail out.*
pub(super) fn get_text(
    reply: Reply<'_>,
    key: &[u8],
    rules: &Rules,
    into: &mut Zval,
) -> Result<bool, Failure> {
    get_by(value::read_text, reply, key, rules, into)
}

fn get_by(
    read: fn(&[u8], &Rules, &mut Zval) -> Result<(), Failure>,
    reply: Reply<'_>,
    key: &[u8],
    rules: &Rules,
    into: &mut Zval,
) -> Result<bool, Failure> {
    match reply {
        Reply::Value(wire) => {
            read(wire, rules, into).map_err(|why| why.of(|| value_named(key)))?;
            Ok(true)
        }
        Reply::NotFound => Ok(false),
        Reply::Error(text) => Err(refused("GET", key, text)),
        other => Err(strange(&other)),
    }
}

/// Whether there was a value.
pub(super) fn has(reply: Reply<'_>, key: &[u8]) -> Result<bool, Failure> {
    match reply {
        Reply::Value(_) | Reply::LeftOut => Ok(true),
        Reply::NotFound => Ok(false),
        Reply::Error(text) => Err(refused("GET", key, text)),
        other => Err(strange(&other)),
    }
}

/// Whether there was something to delete.
pub(super) fn delete(reply: Reply<'_>, key: &[u8]) -> Result<bool, Failure> {
    match reply {
        Reply::Deleted(existed) => Ok(existed),
        Reply::Error(text) => Err(refused("DEL", key, text)),
        other => Err(strange(&other)),
    }
}

/// The new number.
pub(super) fn count(reply: Reply<'_>, key: &[u8], direction: Count) -> Result<i64, Failure> {
    match reply {
        Reply::Integer(number) => Ok(number),
        Reply::Error(text) => Err(refused(direction.verb(), key, text)),
        other => Err(strange(&other)),
    }
}

/// How many entries went.
pub(super) fn removed(reply: Reply<'_>, verb: &str, subject: &[u8]) -> Result<i64, Failure> {
    match reply {
        Reply::Count(count) => Ok(i64::try_from(count).unwrap_or(i64::MAX)),
        Reply::Error(text) => Err(refused(verb, subject, text)),
        other => Err(strange(&other)),
    }
}

/// The counters of the server.
pub(super) fn stats(reply: Reply<'_>) -> Result<ServerStats, Failure> {
    match reply {
        Reply::Stats(stats) => Ok(stats),
        Reply::Error(text) => Err(refused("STATS", b"", text)),
        other => Err(strange(&other)),
    }
}

/// Adds the values of `keys`, which the replies `asked` answer, to what has been found. *May bail out.*
pub(super) fn find<'k>(
    found: &mut Option<ZBox<ZendHashTable>>,
    keys: impl Iterator<Item = &'k Zval>,
    rules: &Rules,
    replies: &Replies,
    asked: Range<usize>,
) -> Result<(), Failure> {
    let found = match found {
        Some(found) => found,
        None => {
            let values = asked.clone().filter(|n| replies.value(*n).is_some());
            found.insert(ffi::list(values.count())?)
        }
    };
    for (n, key) in asked.zip(keys) {
        if let Some(wire) = replies.value(n) {
            let mut value = Zval::new();
            if let Err(why) = value::read(wire, rules, &mut value) {
                return Err(why.of(|| value_named(&bytes(key))));
            }
            ffi::insert(found, key, value);
            continue;
        }
        match replies.get(n) {
            Reply::NotFound => {}
            Reply::Error(text) => return Err(refused("GET", &bytes(key), text)),
            other => return Err(strange(&other)),
        }
    }
    Ok(())
}

/// How many values are known to be stored, and the first refusal; `key` returns key n.
pub(super) fn put_many<'r>(
    replies: impl Iterator<Item = Reply<'r>>,
    key: impl Fn(usize) -> Vec<u8>,
) -> Result<(i64, Option<Failure>), Failure> {
    let (mut stored, mut failure) = (0, None);
    for (n, reply) in replies.enumerate() {
        match reply {
            Reply::Ok => stored += 1,
            Reply::Error(text) => {
                failure.get_or_insert_with(|| refused("PUT", &key(n), text));
            }
            other => return Err(strange(&other)),
        }
    }
    Ok((stored, failure))
}

/// Adds for each of `keys` that has a reply whether it was stored, or the exception that says why not.
/// Takes no more keys than there are replies. *May bail out.*
pub(super) fn added<'r>(
    results: &mut ZendHashTable,
    mut keys: impl Iterator<Item = impl Borrow<Zval>>,
    replies: impl Iterator<Item = Reply<'r>>,
) -> Result<(), Failure> {
    for reply in replies {
        let key = keys.next().expect("BUG: more replies than keys");
        let key = key.borrow();
        let mut value = Zval::new();
        match reply {
            Reply::Added => value.set_bool(true),
            Reply::Exists => value.set_bool(false),
            Reply::Error(text) => value = refused("ADD", &bytes(key), text).into_exception()?,
            other => return Err(strange(&other)),
        }
        ffi::insert(results, key, value);
    }
    Ok(())
}

/// How many of `keys` existed.
pub(super) fn deleted<'k, 'r>(
    keys: impl Iterator<Item = &'k Zval>,
    replies: impl Iterator<Item = Reply<'r>>,
) -> Result<i64, Failure> {
    let mut existed = 0;
    for (key, reply) in keys.zip(replies) {
        match reply {
            Reply::Deleted(was_there) => existed += i64::from(was_there),
            Reply::Error(text) => return Err(refused("DEL", &bytes(key), text)),
            other => return Err(strange(&other)),
        }
    }
    Ok(existed)
}

/// Returns the failure for a refusal of the server, with what to do where we know it.
pub(super) fn refused(verb: &str, subject: &[u8], text: &[u8]) -> Failure {
    let text = shown(text);
    let advice = match &*text {
        "value is not an integer" => {
            "; increment() and decrement() change only what was stored as an integer: store 5, not \
             \"5\""
        }
        "line_too_long" => {
            "; the value is larger than the server takes (the option --max-line of tagcached)"
        }
        "out_of_memory" => {
            "; the server is full and keeps what it has (--max-memory and --on-full of tagcached)"
        }
        "too_many_connections" => {
            "; lower 'pool_size' or raise what the server allows (--max-connections of tagcached)"
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

/// Returns the failure for a reply for which there was no room; any other is of a kind that the client promises not to
/// give.
pub(super) fn strange(reply: &Reply<'_>) -> Failure {
    if matches!(reply, Reply::LeftOut) {
        return Failure::left_out();
    }
    unreachable!("BUG: the client let {reply:?} pass for another kind of reply")
}
