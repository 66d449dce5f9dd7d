//! The line protocol: one request line in, at most one reply line out.
//!
//! A line is UTF-8 without LF; what cuts the stream into lines and checks the encoding is the
//! caller. A line holds up to five fields separated by TAB; the fifth keeps its TABs.

mod fields;
mod verb;

use std::io::Write;

pub use self::verb::Verb;

use self::fields::Fields;
use crate::store::{IncrError, Store, TagList, Tick};

/// The reply to a line beyond the length limit.
pub(crate) const LINE_TOO_LONG: &[u8] = b"ERR line_too_long\n";

/// The greeting of a connection beyond the limit.
pub(crate) const TOO_MANY_CONNECTIONS: &[u8] = b"ERR too_many_connections\n";

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
/// assert_eq!(execute(&store, "PUT\tk\t-\tred\tv", store.now(), &mut out), Some(Verb::Put));
/// assert_eq!(execute(&store, "KEYS\tred\r", store.now(), &mut out), Some(Verb::KeysByTag));
/// assert_eq!(out, b"OK\nKEYS\tk\n");
/// ```
pub fn execute(store: &Store, line: &str, now: Tick, out: &mut Vec<u8>) -> Option<Verb> {
    let line = match line.as_bytes().last() {
        None => return None,
        Some(b'\r') => line.trim_end_matches('\r'),
        Some(_) => line,
    };
    if line.is_empty() {
        return None;
    }
    let (verb, mut fields) = Fields::after_verb(line);
    let fields = &mut fields;
    match verb {
        Verb::Get => get(store, fields, now, out),
        Verb::Put => put(store, fields, now, out),
        Verb::Add => add(store, fields, now, out),
        Verb::Incr => increment(store, fields, 1, out),
        Verb::Decr => increment(store, fields, -1, out),
        Verb::Del => del(store, fields, now, out),
        Verb::InvTag => inv_tag(store, fields, now, out),
        Verb::InvTagsAny => inv_list(verb, fields, out, |tags| {
            tags.iter().map(|tag| store.invalidate_tag(tag, now)).sum()
        }),
        Verb::InvTagsAll => {
            inv_list(verb, fields, out, |tags| store.invalidate_all_of(tags, now));
        }
        Verb::InvKeys => inv_list(verb, fields, out, |keys| {
            keys.iter().filter(|key| store.delete(key, now)).count()
        }),
        Verb::KeysByTag => keys_by_tag(store, fields, now, out),
        Verb::Stats => stats(store, out),
        Verb::Flush => count(out, "FLUSH", store.flush()),
        Verb::Unknown => out.extend_from_slice(b"ERR unknown_command\n"),
    }
    Some(verb)
}

fn get(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) {
    let Some(key) = fields.next() else {
        return error(out, "missing_key");
    };
    let found = store.get(key, now, |value| {
        out.reserve(value.len() + 7);
        out.extend_from_slice(b"VALUE\t");
        out.extend_from_slice(value);
        out.push(b'\n');
    });
    if found.is_none() {
        out.extend_from_slice(b"NF\n");
    }
}

fn put(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) {
    let Some(key) = key(fields) else {
        return error(out, "missing_key");
    };
    let (ttl_ms, tags) = (ttl_ms(fields), tags(fields));
    let now = present(store, ttl_ms, now);
    let value = fields.next().unwrap_or_default();
    match store.put(key, value, tags, ttl_ms, now) {
        Ok(()) => out.extend_from_slice(b"OK\n"),
        Err(full) => error(out, full),
    }
}

fn add(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) {
    let Some(key) = key(fields) else {
        return error(out, "missing_key");
    };
    let (ttl_ms, tags) = (ttl_ms(fields), tags(fields));
    let now = present(store, ttl_ms, now);
    let value = fields.next().unwrap_or_default();
    match store.add(key, value, tags, ttl_ms, now) {
        Ok(true) => out.extend_from_slice(b"ADDED\n"),
        Ok(false) => out.extend_from_slice(b"EXISTS\n"),
        Err(full) => error(out, full),
    }
}

fn increment(store: &Store, fields: &mut Fields<'_>, sign: i64, out: &mut Vec<u8>) {
    let Some(key) = key(fields) else {
        return error(out, "missing_key");
    };
    let by = fields
        .next()
        .and_then(|by| by.parse::<i64>().ok())
        .unwrap_or(1);
    let (ttl_ms, tags) = (ttl_ms(fields), tags(fields));
    // That of the entry, if it has one, begins anew.
    let now = store.now();
    // The least step negated is itself, as in the real server.
    match store.increment(key, by.wrapping_mul(sign), tags, ttl_ms, now) {
        Ok(sum) => line(out, format_args!("VALUE\t{sum}")),
        Err(IncrError::Full(full)) => error(out, full),
        Err(refused) => error(out, refused),
    }
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

fn inv_tag(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) {
    let Some(tag) = fields.next() else {
        return error(out, "missing_tag");
    };
    count(out, Verb::InvTag.name(), store.invalidate_tag(tag, now));
}

/// The three commands that take a list: its parts are trimmed and empty ones skipped.
fn inv_list(
    verb: Verb,
    fields: &mut Fields<'_>,
    out: &mut Vec<u8>,
    run: impl FnOnce(&[&str]) -> usize,
) {
    let noun = if verb == Verb::InvKeys {
        "keys"
    } else {
        "tags"
    };
    let Some(list) = fields.next().filter(|list| !list.is_empty()) else {
        return error(out, format_args!("missing_{noun}"));
    };
    let parts: Vec<&str> = list
        .split(',')
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .collect();
    if parts.is_empty() {
        return error(out, format_args!("empty_{noun}"));
    }
    count(out, verb.name(), run(&parts));
}

fn keys_by_tag(store: &Store, fields: &mut Fields<'_>, now: Tick, out: &mut Vec<u8>) {
    let Some(tag) = fields.next() else {
        return error(out, "missing_tag");
    };
    out.extend_from_slice(b"KEYS\t");
    let start = out.len();
    store.keys_by_tag(tag, now, |key| {
        if out.len() > start {
            out.push(b',');
        }
        out.extend_from_slice(key.as_bytes());
    });
    out.push(b'\n');
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

fn key<'a>(fields: &mut Fields<'a>) -> Option<&'a str> {
    fields.next().filter(|key| !key.is_empty())
}

/// A TTL field; whatever is not an unsigned 64-bit number means none.
fn ttl_ms(fields: &mut Fields<'_>) -> Option<u64> {
    match fields.next() {
        None | Some("-") => None,
        Some(field) => field.parse().ok(),
    }
}

/// A time to live begins when its line is executed, not when the burst came in.
fn present(store: &Store, ttl_ms: Option<u64>, burst: Tick) -> Tick {
    ttl_ms.map_or(burst, |_| store.now())
}

fn tags<'a>(fields: &mut Fields<'a>) -> TagList<'a> {
    TagList::new(fields.next().unwrap_or_default())
}

fn count(out: &mut Vec<u8>, verb: &str, count: usize) {
    line(out, format_args!("{verb}\t{count}"));
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
            execute(store, line, store.now(), &mut out);
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
        store.keys_by_tag("a\tb", store.now(), |key| keys.push(key.to_owned()));
        assert_eq!(keys, ["n"]);
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
                    let has = TagList::new(after).iter().any(|other| other == tag);
                    let expected = if has { "KEYS\tk\n" } else { "KEYS\t\n" };
                    let got = replies(&store, &[&format!("KEYS\t{tag}")]);
                    assert_eq!(got, expected, "{before} then {after}: {tag}");
                }
                store.check().unwrap();
            }
        }
    }
}
