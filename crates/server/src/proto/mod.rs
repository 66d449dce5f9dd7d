//! The line protocol: one request line in, at most one reply line out.
//!
//! A line is UTF-8 without LF; what cuts the stream into lines and checks the encoding is the
//! caller. A line holds up to five fields separated by TAB; the fifth keeps its TABs.

mod fields;
mod job;
mod verb;

use std::io::Write as _;
use std::sync::Arc;

pub use self::verb::Verb;

pub(crate) use self::job::Job;

use self::fields::Fields;
use self::job::{List, next_part};
use crate::store::{IncrError, Invalidation, LARGE, Listing, Store, TagList, Tick, Write};

/// The reply to a line beyond the length limit.
pub(crate) const LINE_TOO_LONG: &[u8] = b"ERR line_too_long\n";

/// The greeting of a connection beyond the limit.
pub(crate) const TOO_MANY_CONNECTIONS: &[u8] = b"ERR too_many_connections\n";

/// How far a line was executed.
#[derive(Debug)]
pub(crate) enum Begun {
    /// To the end: the reply is there, if it has one.
    Done,
    /// Nothing has happened yet, as room is being made: begin again.
    NotYet,
    /// It takes several steps, which write the reply.
    Job(Box<Job>),
}

impl Begun {
    fn job(job: Job) -> Self {
        Self::Job(Box::new(job))
    }
}

/// Executes one request line and appends the whole reply, LF included, to `out`. Trailing CRs do
/// not belong to the line. Returns its verb, or None for a blank line, which has no reply.
///
/// # Examples
///
/// ```
/// use tagcached::proto::{Verb, execute};
/// use tagcached::store::{OnFull, Store};
///
/// let store = Store::new(1 << 20, OnFull::Evict);
/// let mut out = Vec::new();
/// assert_eq!(execute(&store, b"PUT\tk\t-\tred\tv", store.now(), &mut out), Some(Verb::Put));
/// assert_eq!(execute(&store, b"KEYS\tred\r", store.now(), &mut out), Some(Verb::KeysByTag));
/// assert_eq!(out, b"OK\nKEYS\tk\n");
/// ```
pub fn execute(store: &Store, line: &[u8], now: Tick, out: &mut Vec<u8>) -> Option<Verb> {
    let (verb, fields) = cut(line)?;
    loop {
        match begin_verb(store, verb, fields, now, out) {
            Begun::Done => break,
            Begun::NotYet => {}
            Begun::Job(mut job) => {
                while !job.step(store, Tick::NEVER, out) {}
                break;
            }
        }
    }
    if verb == Verb::Flush {
        // Perhaps nobody else is there to do it.
        while store.bury() {}
    }
    Some(verb)
}

/// Begins to execute one request line. Neither a reply nor an effect is there before it says so.
pub(crate) fn begin(store: &Store, line: &[u8], now: Tick, out: &mut Vec<u8>) -> Begun {
    match cut(line) {
        Some((verb, fields)) => begin_verb(store, verb, fields, now, out),
        None => Begun::Done,
    }
}

/// As [`begin`], of a line that a buffer of its own holds, which the store may keep.
fn begin_long(store: &Store, line: &Arc<Vec<u8>>, out: &mut Vec<u8>) -> Begun {
    let Some((verb, mut fields)) = cut(line) else {
        return Begun::Done;
    };
    fields.buffer = Some(line);
    begin_verb(store, verb, fields, store.now(), out)
}

/// The verb of a line and the fields behind it; None for a blank line.
fn cut(line: &[u8]) -> Option<(Verb, Fields<'_>)> {
    let line = match line.last()? {
        b'\r' => {
            let last = line.iter().rposition(|&byte| byte != b'\r')?;
            &line[..=last]
        }
        _ => line,
    };
    Some(Fields::after_verb(line))
}

fn begin_verb(
    store: &Store,
    verb: Verb,
    mut fields: Fields<'_>,
    now: Tick,
    out: &mut Vec<u8>,
) -> Begun {
    let fields = &mut fields;
    match verb {
        Verb::Get => return get(store, fields, now, out),
        Verb::Put => return put(store, fields, now, out),
        Verb::Add => return add(store, fields, now, out),
        Verb::Incr => return increment(store, fields, 1, out),
        Verb::Decr => return increment(store, fields, -1, out),
        Verb::InvTag | Verb::InvTagsAny | Verb::InvTagsAll | Verb::InvKeys | Verb::KeysByTag => {
            return walk(store, verb, fields, out);
        }
        Verb::Del => del(store, fields, now, out),
        Verb::Stats => stats(store, out),
        Verb::Flush => count(out, "FLUSH", store.clear()),
        Verb::Unknown => out.extend_from_slice(b"ERR unknown_command\n"),
    }
    Begun::Done
}

fn get(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) -> Begun {
    let Some(key) = fields.next() else {
        return refuse(out, "missing_key");
    };
    let found = store.get(key, now, |item| {
        if item.value.len() >= LARGE
            && let Some(value) = item.shared()
        {
            out.extend_from_slice(b"VALUE\t");
            return Begun::job(Job::Value { value, at: 0 });
        }
        out.reserve(item.value.len() + 7);
        out.extend_from_slice(b"VALUE\t");
        out.extend_from_slice(item.value);
        out.push(b'\n');
        Begun::Done
    });
    found.unwrap_or_else(|| {
        out.extend_from_slice(b"NF\n");
        Begun::Done
    })
}

fn put(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) -> Begun {
    let Some(key) = key(fields) else {
        return refuse(out, "missing_key");
    };
    let (with, now) = attributes(store, fields, now);
    let value = fields.next().unwrap_or_default();
    match store.try_put(key, value, &with, now) {
        None => return Begun::NotYet,
        Some(Ok(_)) => out.extend_from_slice(b"OK\n"),
        Some(Err(full)) => error(out, full),
    }
    Begun::Done
}

fn add(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) -> Begun {
    let Some(key) = key(fields) else {
        return refuse(out, "missing_key");
    };
    let (with, now) = attributes(store, fields, now);
    let value = fields.next().unwrap_or_default();
    match store.try_add(key, value, &with, now) {
        None => return Begun::NotYet,
        Some(Ok(true)) => out.extend_from_slice(b"ADDED\n"),
        Some(Ok(false)) => out.extend_from_slice(b"EXISTS\n"),
        Some(Err(full)) => error(out, full),
    }
    Begun::Done
}

fn increment(store: &Store, fields: &mut Fields<'_>, sign: i64, out: &mut Vec<u8>) -> Begun {
    let Some(key) = key(fields) else {
        return refuse(out, "missing_key");
    };
    let by = fields.next().and_then(number).unwrap_or(1_i64);
    // The TTL of the entry, if it has one, begins anew.
    let (with, now) = attributes(store, fields, store.now());
    // The least step negated is itself, as in the real server.
    match store.try_increment(key, by.wrapping_mul(sign), &with, now) {
        None => return Begun::NotYet,
        Some(Ok(sum)) => line(out, format_args!("VALUE\t{sum}")),
        Some(Err(IncrError::Full(full))) => error(out, full),
        Some(Err(refused)) => error(out, refused),
    }
    Begun::Done
}

fn del(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) {
    let Some(key) = fields.next() else {
        return error(out, "missing_key");
    };
    let reply: &[u8] = if store.delete(key, now) {
        b"DEL ok\n"
    } else {
        b"DEL nf\n"
    };
    out.extend_from_slice(reply);
}

/// The commands about tags, and about a list of keys. The parts of a list are trimmed, and empty
/// ones skipped.
fn walk(store: &Store, verb: Verb, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Begun {
    let noun = if verb == Verb::InvKeys {
        "keys"
    } else {
        "tags"
    };
    let field = fields.next();
    if let Verb::InvTag | Verb::KeysByTag = verb {
        let Some(tag) = field else {
            return refuse(out, "missing_tag");
        };
        if verb == Verb::KeysByTag {
            out.extend_from_slice(b"KEYS\t");
            let walk = Listing::new(tag, store);
            return Begun::job(Job::List { walk, any: false });
        }
        let mut walk = Invalidation::default();
        walk.add(tag, store);
        return Begun::job(Job::All {
            verb,
            tags: None,
            walk,
        });
    }
    let Some(list) = field.filter(|list| !list.is_empty()) else {
        return refuse(out, format_args!("missing_{noun}"));
    };
    if next_part(list).is_none() {
        return refuse(out, format_args!("empty_{noun}"));
    }
    let (list, walk) = (List::new(list, fields.buffer), Invalidation::default());
    Begun::job(match verb {
        Verb::InvTagsAll => Job::All {
            verb,
            tags: Some(list),
            walk,
        },
        Verb::InvTagsAny => Job::Any {
            tags: list,
            walk,
            removed: 0,
        },
        _ => Job::Keys {
            keys: list,
            removed: 0,
        },
    })
}

fn stats(store: &Store, out: &mut Vec<u8>) {
    let stats = store.stats();
    let (hits, misses, puts) = (stats.hits, stats.misses, stats.puts);
    let (invalidations, ratio) = (stats.invalidations, stats.hit_ratio());
    line(
        out,
        format_args!("STATS\t{hits}\t{misses}\t{puts}\t{invalidations}\t{ratio:.6}"),
    );
}

fn key<'a>(fields: &mut Fields<'a>) -> Option<&'a [u8]> {
    fields.next().filter(|key| !key.is_empty())
}

/// TTL and tags of a write, and the present: a time to live begins when its line is executed, not
/// when the burst came in. A TTL that is not an unsigned 64-bit number means none.
#[inline]
fn attributes<'a>(store: &Store, fields: &mut Fields<'a>, now: Tick) -> (Write<'a>, Tick) {
    let ttl_ms = match fields.next() {
        None | Some(b"-") => None,
        Some(field) => number(field),
    };
    let with = Write {
        tags: TagList::new(fields.next().unwrap_or_default()),
        ttl_ms,
        flags: 0,
        buffer: fields.buffer,
    };
    (with, ttl_ms.map_or(now, |_| store.now()))
}

fn number<N: std::str::FromStr>(field: &[u8]) -> Option<N> {
    str::from_utf8(field).ok()?.parse().ok()
}

fn count(out: &mut Vec<u8>, verb: &str, count: usize) {
    line(out, format_args!("{verb}\t{count}"));
}

fn refuse(out: &mut Vec<u8>, what: impl std::fmt::Display) -> Begun {
    error(out, what);
    Begun::Done
}

fn error(out: &mut Vec<u8>, what: impl std::fmt::Display) {
    line(out, format_args!("ERR {what}"));
}

fn line(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OnFull;

    fn replies(store: &Store, lines: &[&str]) -> String {
        let mut out = Vec::new();
        for line in lines {
            execute(store, line.as_bytes(), store.now(), &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fresh_stats_count_from_zero() {
        let store = Store::new(1 << 20, OnFull::Evict);
        assert_eq!(replies(&store, &["STATS"]), "STATS\t0\t0\t0\t0\t0.000000\n");
        replies(
            &store,
            &[
                "PUT\ta\t-\tt\tv",
                "GET\ta",
                "GET\ta",
                "GET\tb",
                "INV_TAG\tt",
            ],
        );
        assert_eq!(replies(&store, &["STATS"]), "STATS\t2\t1\t1\t1\t0.666667\n");
        replies(&store, &["ADD\ta", "ADD\ta", "INCR\tn", "DEL\ta", "FLUSH"]);
        assert_eq!(replies(&store, &["STATS"]), "STATS\t2\t1\t3\t3\t0.666667\n");
    }

    #[test]
    fn a_fifth_field_keeps_its_tabs_also_where_it_is_a_tag_list() {
        let store = Store::new(1 << 20, OnFull::Evict);
        assert_eq!(
            replies(&store, &["PUT\tk\t-\t-\ta\tb", "GET\tk"]),
            "OK\nVALUE\ta\tb\n"
        );
        replies(&store, &["INCR\tn\t1\t-\ta\tb"]);
        let mut keys = Vec::new();
        store.keys_by_tag(b"a\tb", |key| keys.push(key.to_vec()));
        assert_eq!(keys, [b"n"]);
    }

    #[test]
    fn what_does_not_fit_is_an_error_for_every_verb_that_writes() {
        let store = Store::new(4096, OnFull::Error);
        let long = "x".repeat(5000);
        let (put, add) = (
            format!("PUT\tk\t-\t-\t{long}"),
            format!("ADD\tk\t-\t-\t{long}"),
        );
        let incr = format!("INCR\t{long}");
        assert_eq!(
            replies(&store, &[&put, &add, &incr]),
            "ERR out_of_memory\n".repeat(3)
        );
        assert_eq!(
            replies(&store, &["PUT\tk\t-\t-\tv", "GET\tk"]),
            "OK\nVALUE\tv\n"
        );
    }

    #[test]
    fn a_put_replaces_all_tags_whatever_they_were() {
        let lists = ["-", "a", "b", "a,b", "b,a", "a,b,c", "c,a,a", "b,"];
        let store = Store::new(1 << 20, OnFull::Evict);
        for before in lists {
            for after in lists {
                replies(&store, &[&format!("PUT\tk\t-\t{before}\tv")]);
                replies(&store, &[&format!("PUT\tk\t-\t{after}\tw")]);
                for tag in ["a", "b", "c"] {
                    let has = TagList::new(after.as_bytes())
                        .iter()
                        .any(|other| other == tag.as_bytes());
                    let expected = if has { "KEYS\tk\n" } else { "KEYS\t\n" };
                    let got = replies(&store, &[&format!("KEYS\t{tag}")]);
                    assert_eq!(got, expected, "{before} then {after}: {tag}");
                }
                store.check().unwrap();
            }
        }
    }
}
