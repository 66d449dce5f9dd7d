//! Commands that take several steps. Dropping one in the middle leaves nothing behind: what is
//! done is done.

use std::sync::Arc;

use super::{Begun, Verb, begin_long, count};
use crate::store::{Invalidation, Large, Listing, Store, Tick};

/// Keys removed, or tags gathered, between two looks at the clock.
const LOOK: usize = 64;

/// Bytes of a reply that one step appends.
const PIECE: usize = 64 << 10;

/// The parts of a list, trimmed, without empty ones.
#[derive(Debug)]
pub(crate) struct List {
    text: Large,
    at: usize,
}

impl List {
    pub(super) fn new(text: &[u8], buffer: Option<&Arc<Vec<u8>>>) -> Self {
        Self {
            text: Large::new(text, buffer),
            at: 0,
        }
    }

    fn next(&mut self) -> Option<&[u8]> {
        let (part, used) = next_part(&self.text[self.at..])?;
        let start = self.at + part.start;
        let end = self.at + part.end;
        self.at += used;
        Some(&self.text[start..end])
    }
}

/// Where the first part of `text` is, and where the rest begins; None if there is none.
pub(super) fn next_part(text: &[u8]) -> Option<(std::ops::Range<usize>, usize)> {
    let mut at = 0;
    while at < text.len() {
        let end = memchr::memchr(b',', &text[at..]).map_or(text.len(), |comma| at + comma);
        let raw = &text[at..end];
        // What is no UTF-8 did not come over the wire, and is taken as it is.
        let (lead, len) = match str::from_utf8(raw) {
            Ok(raw) => (raw.len() - raw.trim_start().len(), raw.trim().len()),
            Err(_) => (0, raw.len()),
        };
        if len > 0 {
            let rest = text.len().min(end + 1);
            return Some((at + lead..at + lead + len, rest));
        }
        at = end + 1;
    }
    None
}

#[derive(Debug)]
pub(crate) enum Job {
    /// Remove what carries all tags; those that are still in the list are added first.
    All {
        verb: Verb,
        tags: Option<List>,
        walk: Invalidation,
    },
    /// Remove what carries any tag, one tag after the other.
    Any {
        tags: List,
        walk: Invalidation,
        removed: usize,
    },
    /// Remove keys.
    Keys { keys: List, removed: usize },
    /// List the keys of a tag.
    List { walk: Listing, any: bool },
    /// Write a large value.
    Value { value: Large, at: usize },
    /// A long line, which is to be begun.
    Line(Arc<Vec<u8>>),
}

impl Job {
    /// Goes on until `until`, or until a piece of the reply is there, or a little longer, and
    /// appends to `out`; true when the whole reply is there.
    pub(crate) fn step(&mut self, store: &Store, until: Tick, out: &mut Vec<u8>) -> bool {
        match self {
            Self::All { verb, tags, walk } => {
                if let Some(tags) = tags
                    && !each(tags, store, until, |tag| walk.add(tag, store))
                {
                    return false;
                }
                if !walk.step(store, until) {
                    return false;
                }
                count(out, verb.name(), walk.count());
            }
            Self::Any {
                tags,
                walk,
                removed,
            } => {
                loop {
                    if !walk.step(store, until) {
                        return false;
                    }
                    *removed += walk.count();
                    *walk = Invalidation::default();
                    let Some(tag) = tags.next() else { break };
                    walk.add(tag, store);
                }
                count(out, Verb::InvTagsAny.name(), *removed);
            }
            Self::Keys { keys, removed } => {
                let remove = |key: &[u8]| *removed += usize::from(store.delete(key, store.now()));
                if !each(keys, store, until, remove) {
                    return false;
                }
                count(out, Verb::InvKeys.name(), *removed);
            }
            Self::List { walk, any } => {
                let done = walk.step(store, until, |key| {
                    if std::mem::replace(any, true) {
                        out.push(b',');
                    }
                    out.extend_from_slice(key);
                });
                if !done {
                    return false;
                }
                out.push(b'\n');
            }
            Self::Value { value, at } => {
                let piece = &value[*at..value.len().min(*at + PIECE)];
                out.extend_from_slice(piece);
                *at += piece.len();
                if *at < value.len() {
                    return false;
                }
                out.push(b'\n');
            }
            Self::Line(line) => match begin_long(store, line, out) {
                Begun::Done => {}
                Begun::NotYet => return false,
                Begun::Job(job) => {
                    *self = *job;
                    return self.step(store, until, out);
                }
            },
        }
        true
    }
}

/// Hands the parts that are left to `run`, until `until`; true when none is left.
fn each(list: &mut List, store: &Store, until: Tick, mut run: impl FnMut(&[u8])) -> bool {
    let mut looked = 0;
    while let Some(part) = list.next() {
        run(part);
        looked += 1;
        if looked % LOOK == 0 && store.now() >= until {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_trimmed_and_skips_what_is_empty() {
        let parts = |text: &[u8]| {
            let mut list = List::new(text, None);
            let mut parts = Vec::new();
            while let Some(part) = list.next() {
                parts.push(part.to_vec());
            }
            parts
        };
        let text = " a,, b c ,\u{a0}\u{fc}\u{2003},, \t,d";
        let expected: Vec<Vec<u8>> = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.as_bytes().to_vec())
            .collect();
        assert_eq!(expected.len(), 4);
        assert_eq!(parts(text.as_bytes()), expected);
        assert_eq!(parts(b""), Vec::<Vec<u8>>::new());
        assert_eq!(parts(b" , ,"), Vec::<Vec<u8>>::new());
        assert_eq!(parts(b" \xff,x "), [&b" \xff"[..], b"x"]);
    }
}
