//! [`Commands`]: request lines, validated and encoded. Nothing invalid gets in, and a refused command leaves the
//! buffer as it was, so whatever is in it can be sent as it is.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::codec::{Compression, Value};

use super::name::{
    InvalidName, NameKind, NameReason, check_key, check_key_behind, check_listed_key, check_tag,
};
use super::namespace::Namespace;
use super::tags::{TagList, TagMatch};
use super::verb::Verb;

/// A place in [`Commands`] to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    verbs: usize,
    texts: usize,
    seeds: usize,
}

/// Request lines ready to be sent, with what is needed to read their replies.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    bytes: Vec<u8>,
    verbs: Vec<Verb>,
    /// The first command whose reply carries stored text.
    first_text: Option<usize>,
    /// How many of the verbs return stored text.
    texts: usize,
    /// How many of the verbs are a [`Verb::Seed`].
    seeds: usize,
    namespace: Option<Arc<Namespace>>,
    compression: Option<Compression>,
}

impl Commands {
    /// Returns an empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the namespace of the commands that follow: its prefix goes before every key and tag, what is stored
    /// carries its hidden tag, and [`Commands::flush`] removes what carries that.
    pub fn set_namespace(&mut self, namespace: Option<Arc<Namespace>>) {
        self.namespace = namespace;
    }

    /// Sets how the values of the commands that follow are compressed; `None` is not at all.
    pub fn set_compression(&mut self, compression: Option<Compression>) {
        self.compression = compression;
    }

    /// Removes all commands; memory up to `keep_bytes` is kept for the next ones. Namespace and compression stay.
    pub fn clear(&mut self, keep_bytes: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(keep_bytes);
        self.verbs.clear();
        self.verbs.shrink_to(keep_bytes / 16);
        self.first_text = None;
        self.texts = 0;
        self.seeds = 0;
    }

    /// Appends copies of all commands of `other`, with what they were encoded with.
    pub fn append(&mut self, other: &Self) {
        let first_text = other.first_text.map(|first| first + self.verbs.len());
        self.first_text = self.first_text.or(first_text);
        self.texts += other.texts;
        self.seeds += other.seeds;
        self.bytes.extend_from_slice(&other.bytes);
        self.verbs.extend_from_slice(&other.verbs);
    }

    /// Returns the place behind the last command.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            verbs: self.verbs.len(),
            texts: self.texts,
            seeds: self.seeds,
        }
    }

    /// Removes the commands behind `mark`, which [`Commands::mark`] gave and nothing has removed since.
    pub fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.verbs.truncate(mark.verbs);
        self.texts = mark.texts;
        self.seeds = mark.seeds;
        self.first_text = self.first_text.filter(|first| *first < mark.verbs);
    }

    /// Returns the number of commands, which is that of their replies.
    #[must_use]
    pub fn len(&self) -> usize {
        self.verbs.len() - self.seeds
    }

    /// Returns the number of lines, each of which the server answers with one.
    pub(crate) fn lines(&self) -> usize {
        self.verbs.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verbs.is_empty()
    }

    /// Returns the size of all commands on the wire, in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the first command for a log: its name, and the key, tag or list of tags behind it (empty if it takes
    /// none).
    #[must_use]
    pub fn first(&self) -> Option<(&'static str, &[u8])> {
        self.line_named(0)
    }

    /// As [`Commands::first`], for line `n`.
    pub(crate) fn line_named(&self, n: usize) -> Option<(&'static str, &[u8])> {
        let verb = self.verbs.get(n)?;
        let line = self.bytes.split(|byte| *byte == b'\n').nth(n)?;
        let name = line.split(|byte| *byte == b'\t').nth(1);
        Some((verb.name(), name.unwrap_or_default()))
    }

    /// Returns the value that the last command stores, as it goes over the wire and as a [`Reply::Value`] brings it
    /// back; `None` if that command stores none.
    ///
    /// [`Reply::Value`]: super::reply::Reply::Value
    #[must_use]
    pub fn last_value(&self) -> Option<&[u8]> {
        let (Verb::Put | Verb::Add) = self.verbs.last()? else {
            return None;
        };
        let lines = self.bytes.strip_suffix(b"\n")?;
        let start = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
        // Verb, key, time to live, tags; the value is the rest, TABs included.
        lines[start..].splitn(5, |byte| *byte == b'\t').nth(4)
    }

    /// Returns how many of the commands return stored text, whose length only the server knows.
    pub(crate) fn texts(&self) -> usize {
        self.texts
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn verbs(&self) -> &[Verb] {
        &self.verbs
    }

    /// Deals the commands to `lanes` buffers and notes for each where it went: lane and place in it. Commands on
    /// the same first argument (a key, a tag, a list of them) go to the same lane, where they keep their order.
    pub(crate) fn deal(&self, lanes: &mut [Self]) -> Vec<(u32, u32)> {
        let hasher = RandomState::new();
        let mut places = Vec::with_capacity(self.len());
        let mut rest = self.bytes();
        for &verb in &self.verbs {
            let end = memchr::memchr(b'\n', rest).expect("BUG: a command ends in LF") + 1;
            let (line, after) = rest.split_at(end);
            let name = line[..end - 1].split(|byte| *byte == b'\t').nth(1);
            let lane = (hasher.hash_one(name) % lanes.len() as u64) as usize;
            if verb != Verb::Seed {
                places.push((lane as u32, lanes[lane].len() as u32));
            }
            lanes[lane].bytes.extend_from_slice(&line[..end - 1]);
            lanes[lane].end(verb);
            rest = after;
        }
        places
    }

    /// Returns whether a reply that carries stored text stands before another reply, which it could push out of
    /// its place (see the module `seal`).
    pub(crate) fn wants_seal(&self) -> bool {
        self.first_text.is_some_and(|at| at + 1 < self.verbs.len())
    }

    /// Stores `value` under `key` and replaces what was there, its tags and its time to live included.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for a key that the protocol can't carry, or that lists of keys could not carry whole.
    pub fn put(
        &mut self,
        key: &[u8],
        ttl_ms: Option<NonZeroU64>,
        tags: &TagList,
        value: Value<'_>,
    ) -> Result<(), InvalidName> {
        self.store(Verb::Put, key, ttl_ms, tags, value)
    }

    /// Stores `value` under `key` if nothing is there.
    ///
    /// # Errors
    ///
    /// As [`Commands::put`].
    pub fn add(
        &mut self,
        key: &[u8],
        ttl_ms: Option<NonZeroU64>,
        tags: &TagList,
        value: Value<'_>,
    ) -> Result<(), InvalidName> {
        self.store(Verb::Add, key, ttl_ms, tags, value)
    }

    /// Reads the value of `key`.
    ///
    /// # Errors
    ///
    /// As [`Commands::put`].
    #[inline]
    pub fn get(&mut self, key: &[u8]) -> Result<(), InvalidName> {
        self.check_key(key)?;
        self.simple(Verb::Get, b"GET\t", key);
        Ok(())
    }

    /// Removes `key`.
    ///
    /// # Errors
    ///
    /// As [`Commands::put`].
    pub fn delete(&mut self, key: &[u8]) -> Result<(), InvalidName> {
        self.check_key(key)?;
        self.simple(Verb::Del, b"DEL\t", key);
        Ok(())
    }

    /// Adds `by` to the integer under `key`, which begins at 0. Without `ttl_ms` the server keeps the time to live
    /// and restarts its clock; without tags it keeps the tags.
    ///
    /// In a namespace and without tags, an ADD of 0 with the hidden tag goes before it, so that a counter that it
    /// makes belongs to the namespace too. That ADD has no reply of its own here.
    ///
    /// # Errors
    ///
    /// As [`Commands::put`].
    pub fn incr(
        &mut self,
        key: &[u8],
        by: i64,
        ttl_ms: Option<NonZeroU64>,
        tags: &TagList,
    ) -> Result<(), InvalidName> {
        self.count(Verb::Incr, key, by, ttl_ms, tags)
    }

    /// Subtracts `by` from the integer under `key`; otherwise as [`Commands::incr`].
    ///
    /// # Errors
    ///
    /// As [`Commands::put`].
    pub fn decr(
        &mut self,
        key: &[u8],
        by: i64,
        ttl_ms: Option<NonZeroU64>,
        tags: &TagList,
    ) -> Result<(), InvalidName> {
        self.count(Verb::Decr, key, by, ttl_ms, tags)
    }

    /// Removes every entry with `tag`.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for a tag that the protocol can't carry.
    pub fn invalidate_tag(&mut self, tag: &[u8]) -> Result<(), InvalidName> {
        check_tag(tag)?;
        self.simple(Verb::InvTag, b"INV_TAG\t", tag);
        Ok(())
    }

    /// Removes the entries with any or all of `tags`.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] if there are no tags.
    pub fn invalidate_tags(&mut self, tags: &TagList, how: TagMatch) -> Result<(), InvalidName> {
        if tags.is_empty() {
            let (what, reason) = (NameKind::Tag, NameReason::Empty);
            return Err(InvalidName {
                what,
                reason,
                offset: 0,
            });
        }
        let verb = match how {
            TagMatch::Any => Verb::InvTagsAny,
            TagMatch::All => Verb::InvTagsAll,
        };
        self.begin(verb);
        match &self.namespace {
            Some(namespace) => tags.write_within(namespace, &mut self.bytes),
            None => tags.write(&mut self.bytes),
        }
        self.end(verb);
        Ok(())
    }

    /// Removes all of `keys` by one command. The server splits it at commas and trims each key, so such keys are
    /// refused here; [`Commands::delete`] takes any.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for such a key, or if there are none.
    pub fn invalidate_keys<'k>(
        &mut self,
        keys: impl IntoIterator<Item = &'k [u8]>,
    ) -> Result<(), InvalidName> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(b"INV_KEYS\t");
        let mut any = false;
        for key in keys {
            if let Err(error) = check_listed_key(key) {
                self.bytes.truncate(start);
                return Err(error);
            }
            if any {
                self.bytes.push(b',');
            }
            any = true;
            self.write_name(key);
        }
        if !any {
            self.bytes.truncate(start);
            let (what, reason) = (NameKind::Key, NameReason::Empty);
            return Err(InvalidName {
                what,
                reason,
                offset: 0,
            });
        }
        self.end(Verb::InvKeys);
        Ok(())
    }

    /// Lists the keys that carry `tag`.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for a tag that the protocol can't carry.
    pub fn keys_by_tag(&mut self, tag: &[u8]) -> Result<(), InvalidName> {
        check_tag(tag)?;
        self.simple(Verb::KeysByTag, b"KEYS_BY_TAG\t", tag);
        Ok(())
    }

    /// Asks for the server's counters.
    pub fn stats(&mut self) {
        self.bytes.extend_from_slice(b"STATS");
        self.end(Verb::Stats);
    }

    /// Removes every entry of the server, or of the namespace if there is one.
    pub fn flush(&mut self) {
        let verb = if let Some(namespace) = &self.namespace {
            self.bytes.extend_from_slice(b"INV_TAG\t");
            self.bytes.extend_from_slice(namespace.hidden_tag());
            Verb::InvTag
        } else {
            self.bytes.extend_from_slice(b"FLUSH");
            Verb::Flush
        };
        self.end(verb);
    }

    /// Appends a command that consists of a verb and a name. `head` is the verb with its TAB, of a length that the
    /// compiler knows.
    #[inline]
    fn simple<const N: usize>(&mut self, verb: Verb, head: &[u8; N], name: &[u8]) {
        self.bytes.reserve(N + name.len() + 1);
        self.bytes.extend_from_slice(head);
        self.write_name(name);
        self.end(verb);
    }

    #[inline]
    fn check_key(&self, key: &[u8]) -> Result<(), InvalidName> {
        match &self.namespace {
            None => check_key(key),
            // Whoever lists keys from around it takes them apart at a shorter prefix.
            Some(namespace) => check_key_behind(namespace.outermost(), key),
        }
    }

    #[inline]
    fn begin(&mut self, verb: Verb) {
        self.bytes.extend_from_slice(verb.name().as_bytes());
        self.bytes.push(b'\t');
    }

    /// Appends a key or tag as the server knows it.
    #[inline]
    fn write_name(&mut self, name: &[u8]) {
        if let Some(namespace) = &self.namespace {
            self.bytes.extend_from_slice(namespace.prefix());
        }
        self.bytes.extend_from_slice(name);
    }

    fn store(
        &mut self,
        verb: Verb,
        key: &[u8],
        ttl_ms: Option<NonZeroU64>,
        tags: &TagList,
        value: Value<'_>,
    ) -> Result<(), InvalidName> {
        self.check_key(key)?;
        match verb {
            Verb::Put => self.bytes.extend_from_slice(b"PUT\t"),
            _ => self.begin(verb),
        }
        self.write_name(key);
        self.write_ttl_and_tags(ttl_ms, tags);
        self.bytes.push(b'\t');
        value.write(self.compression.as_ref(), &mut self.bytes);
        self.end(verb);
        Ok(())
    }

    fn count(
        &mut self,
        verb: Verb,
        key: &[u8],
        by: i64,
        ttl_ms: Option<NonZeroU64>,
        tags: &TagList,
    ) -> Result<(), InvalidName> {
        self.check_key(key)?;
        if self.namespace.is_some() && tags.is_empty() {
            self.store(Verb::Seed, key, ttl_ms, tags, Value::Int(0))?;
        }
        self.begin(verb);
        self.write_name(key);
        self.bytes.push(b'\t');
        self.bytes
            .extend_from_slice(itoa::Buffer::new().format(by).as_bytes());
        self.bytes.push(b'\t');
        self.write_ttl(ttl_ms);
        self.bytes.push(b'\t');
        // No tags keep those that the entry has. The hidden one alone would replace them.
        let namespace = self.namespace.as_deref().filter(|_| !tags.is_empty());
        tags.write_field(namespace, &mut self.bytes);
        self.end(verb);
        Ok(())
    }

    fn write_ttl_and_tags(&mut self, ttl_ms: Option<NonZeroU64>, tags: &TagList) {
        self.bytes.push(b'\t');
        self.write_ttl(ttl_ms);
        self.bytes.push(b'\t');
        tags.write_field(self.namespace.as_deref(), &mut self.bytes);
    }

    fn write_ttl(&mut self, ttl_ms: Option<NonZeroU64>) {
        match ttl_ms {
            Some(ms) => {
                self.bytes
                    .extend_from_slice(itoa::Buffer::new().format(ms.get()).as_bytes());
            }
            None => self.bytes.push(b'-'),
        }
    }

    #[inline]
    fn end(&mut self, verb: Verb) {
        self.bytes.push(b'\n');
        if verb.returns_text() {
            self.texts += 1;
            self.first_text.get_or_insert(self.verbs.len());
        }
        self.seeds += usize::from(verb == Verb::Seed);
        self.verbs.push(verb);
    }
}
