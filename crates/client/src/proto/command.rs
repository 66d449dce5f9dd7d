//! [`Commands`]: request lines, validated and encoded. Nothing invalid gets in, and a refused command leaves the
//! buffer as it was, so whatever is in it can be sent as it is.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::codec::{Compression, Value};

use super::name::{InvalidName, NameKind, NameReason, check_key, check_listed_key, check_tag};
use super::namespace::Namespace;

/// The commands of the protocol, as far as their replies differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verb {
    Put,
    Add,
    /// An ADD that goes before an INCR or DECR on its own account; see [`Commands::incr`].
    Seed,
    Get,
    Del,
    Incr,
    Decr,
    InvTag,
    InvTagsAny,
    InvTagsAll,
    InvKeys,
    KeysByTag,
    Stats,
    Flush,
}

impl Verb {
    #[inline]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Add | Self::Seed => "ADD",
            Self::Get => "GET",
            Self::Del => "DEL",
            Self::Incr => "INCR",
            Self::Decr => "DECR",
            Self::InvTag => "INV_TAG",
            Self::InvTagsAny => "INV_TAGS_ANY",
            Self::InvTagsAll => "INV_TAGS_ALL",
            Self::InvKeys => "INV_KEYS",
            Self::KeysByTag => "KEYS_BY_TAG",
            Self::Stats => "STATS",
            Self::Flush => "FLUSH",
        }
    }

    /// Returns whether the command may be sent again after bytes of it were accepted. Only what reads: a late
    /// second PUT, DEL, INV_* or FLUSH would undo a newer write or revive what was invalidated.
    pub(crate) fn replays(self) -> bool {
        matches!(self, Self::Get | Self::KeysByTag | Self::Stats)
    }

    /// Returns whether the reply carries text that somebody stored.
    fn returns_text(self) -> bool {
        matches!(self, Self::Get | Self::KeysByTag)
    }
}

/// Which entries [`Commands::invalidate_tags`] removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagMatch {
    /// Those with at least one of the tags.
    Any,
    /// Those with all of them.
    All,
}

/// A list of tags, checked and encoded once and used for as many commands as one likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagList {
    joined: Vec<u8>,
    count: usize,
}

impl TagList {
    /// Returns the empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a tag.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] for what the protocol can't carry; the list is unchanged then.
    pub fn push(&mut self, tag: &[u8]) -> Result<(), InvalidName> {
        check_tag(tag)?;
        if self.count > 0 {
            self.joined.push(b',');
        }
        self.joined.extend_from_slice(tag);
        self.count += 1;
        Ok(())
    }

    /// Empties the list, keeping its memory.
    pub fn clear(&mut self) {
        self.joined.clear();
        self.count = 0;
    }

    /// Returns the number of tags.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Appends the field of PUT, ADD, INCR and DECR, in which a lone `-` means "none": the tag `-` gets a comma
    /// behind it, the server drops the empty tag that follows.
    fn write_field(&self, namespace: Option<&Namespace>, out: &mut Vec<u8>) {
        if let Some(namespace) = namespace {
            self.write_within(namespace, out);
            if self.count > 0 {
                out.push(b',');
            }
            out.extend_from_slice(namespace.hidden_tag());
        } else if self.count == 0 {
            out.push(b'-');
        } else {
            out.extend_from_slice(&self.joined);
            if self.joined == b"-" {
                out.push(b',');
            }
        }
    }
}

impl TagList {
    /// Appends the tags, each behind the prefix.
    fn write_within(&self, namespace: &Namespace, out: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        for (n, tag) in self.joined.split(|byte| *byte == b',').enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend_from_slice(namespace.prefix());
            out.extend_from_slice(tag);
        }
    }
}

/// A place in [`Commands`] to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    verbs: usize,
    seeds: usize,
}

/// Request lines ready to be sent, with what is needed to read their replies.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    bytes: Vec<u8>,
    verbs: Vec<Verb>,
    /// The first command whose reply carries stored text.
    first_text: Option<usize>,
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
        self.seeds = 0;
    }

    /// Appends copies of all commands of `other`, with what they were encoded with.
    pub fn append(&mut self, other: &Self) {
        let first_text = other.first_text.map(|first| first + self.verbs.len());
        self.first_text = self.first_text.or(first_text);
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
            seeds: self.seeds,
        }
    }

    /// Removes the commands behind `mark`, which [`Commands::mark`] gave and nothing has removed since.
    pub fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.verbs.truncate(mark.verbs);
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
        let verb = self.verbs.first()?;
        let line = &self.bytes[..memchr::memchr(b'\n', &self.bytes)?];
        let name = line.split(|byte| *byte == b'\t').nth(1);
        Some((verb.name(), name.unwrap_or_default()))
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
    /// [`InvalidName`] for a key that the protocol can't carry.
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
        check_key(key)?;
        self.simple(Verb::Get, b"GET\t", key);
        Ok(())
    }

    /// Removes `key`.
    ///
    /// # Errors
    ///
    /// As [`Commands::put`].
    pub fn delete(&mut self, key: &[u8]) -> Result<(), InvalidName> {
        check_key(key)?;
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
            None => self.bytes.extend_from_slice(&tags.joined),
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
        check_key(key)?;
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
        check_key(key)?;
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
        if self.first_text.is_none() && verb.returns_text() {
            self.first_text = Some(self.verbs.len());
        }
        self.seeds += usize::from(verb == Verb::Seed);
        self.verbs.push(verb);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(list: &[&str]) -> TagList {
        let mut tags = TagList::new();
        for tag in list {
            tags.push(tag.as_bytes()).unwrap();
        }
        tags
    }

    fn line(fill: impl FnOnce(&mut Commands)) -> String {
        let mut commands = Commands::new();
        fill(&mut commands);
        assert_eq!(commands.len(), 1);
        String::from_utf8(commands.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_namespace_stands_before_every_name() {
        let shop = Namespace::new(b"shop:").unwrap();
        let within = |fill: &dyn Fn(&mut Commands)| {
            let mut commands = Commands::new();
            commands.set_namespace(Some(Arc::new(shop.clone())));
            fill(&mut commands);
            assert_eq!(commands.len(), 1);
            String::from_utf8(commands.bytes().to_vec()).unwrap()
        };
        let (none, two) = (TagList::new(), tags(&["a", "-"]));
        type Case<'a> = (&'a dyn Fn(&mut Commands), &'a str);
        let cases: [Case<'_>; 12] = [
            (
                &|c| c.put(b"k", None, &none, Value::Null).unwrap(),
                "PUT\tshop:k\t-\t__TC_NS__shop:\t__TC_NULL__\n",
            ),
            (
                &|c| c.add(b"k", None, &two, Value::Null).unwrap(),
                "ADD\tshop:k\t-\tshop:a,shop:-,__TC_NS__shop:\t__TC_NULL__\n",
            ),
            (&|c| c.get(b"k").unwrap(), "GET\tshop:k\n"),
            (&|c| c.delete(b"k").unwrap(), "DEL\tshop:k\n"),
            (
                &|c| c.incr(b"k", 2, None, &two).unwrap(),
                "INCR\tshop:k\t2\t-\tshop:a,shop:-,__TC_NS__shop:\n",
            ),
            (
                &|c| c.decr(b"k", 2, NonZeroU64::new(9), &none).unwrap(),
                "ADD\tshop:k\t9\t__TC_NS__shop:\t0\nDECR\tshop:k\t2\t9\t-\n",
            ),
            (&|c| c.invalidate_tag(b"a").unwrap(), "INV_TAG\tshop:a\n"),
            (
                &|c| c.invalidate_tags(&two, TagMatch::All).unwrap(),
                "INV_TAGS_ALL\tshop:a,shop:-\n",
            ),
            (
                &|c| c.invalidate_keys([&b"x"[..], b"y"]).unwrap(),
                "INV_KEYS\tshop:x,shop:y\n",
            ),
            (&|c| c.keys_by_tag(b"a").unwrap(), "KEYS_BY_TAG\tshop:a\n"),
            (&Commands::stats, "STATS\n"),
            (&Commands::flush, "INV_TAG\t__TC_NS__shop:\n"),
        ];
        for (fill, expected) in cases {
            assert_eq!(within(fill), expected);
        }
    }

    #[test]
    fn a_seed_is_no_command_of_its_own() {
        let mut commands = Commands::new();
        commands.set_namespace(Some(Arc::new(Namespace::new(b"p:").unwrap())));
        commands.incr(b"a", 1, None, &TagList::new()).unwrap();
        let mark = commands.mark();
        commands.incr(b"b", 1, None, &TagList::new()).unwrap();
        assert_eq!((commands.len(), commands.lines()), (2, 4));
        let mut lanes = vec![Commands::new(); 2];
        let places = commands.deal(&mut lanes);
        assert_eq!(places.len(), 2);
        assert_eq!(lanes.iter().map(Commands::len).sum::<usize>(), 2);
        for (lane, place) in places {
            assert!((place as usize) < lanes[lane as usize].len());
        }
        commands.rewind(mark);
        assert_eq!((commands.len(), commands.lines()), (1, 2));
        commands.clear(0);
        assert_eq!((commands.len(), commands.lines()), (0, 0));
    }

    #[test]
    fn rewinding_leaves_what_was_there() {
        let mut commands = Commands::new();
        commands.delete(b"a").unwrap();
        let mark = commands.mark();
        commands.get(b"b").unwrap();
        commands.stats();
        assert!(commands.wants_seal());
        commands.rewind(mark);
        assert_eq!((commands.len(), commands.bytes()), (1, &b"DEL\ta\n"[..]));
        commands.stats();
        assert!(!commands.wants_seal(), "the reader of text is gone");
        commands.get(b"c").unwrap();
        let mark = commands.mark();
        commands.stats();
        commands.rewind(mark);
        commands.flush();
        assert!(commands.wants_seal(), "the reader of text has stayed");
    }

    #[test]
    fn appended_commands_keep_their_order_and_what_they_read() {
        let (mut all, mut more) = (Commands::new(), Commands::new());
        all.delete(b"a").unwrap();
        more.get(b"b").unwrap();
        all.append(&more);
        assert_eq!((all.len(), all.bytes()), (2, &b"DEL\ta\nGET\tb\n"[..]));
        assert!(!all.wants_seal(), "the reader of text is the last");
        all.append(&Commands::new());
        assert!(!all.wants_seal());
        more.clear(0);
        more.stats();
        all.append(&more);
        assert!(all.wants_seal());
        assert_eq!(all.verbs(), [Verb::Del, Verb::Get, Verb::Stats]);
    }

    #[test]
    fn every_command_is_one_line_of_the_protocol() {
        let two = tags(&["a", "b"]);
        let none = TagList::new();
        let ttl = NonZeroU64::new(5000);
        assert_eq!(
            line(|c| c.put(b"k", None, &none, Value::Str(b"v")).unwrap()),
            "PUT\tk\t-\t-\tv\n"
        );
        assert_eq!(
            line(|c| c.put(b"k", ttl, &two, Value::Int(7)).unwrap()),
            "PUT\tk\t5000\ta,b\t7\n"
        );
        assert_eq!(
            line(|c| c.add(b"k", ttl, &none, Value::Null).unwrap()),
            "ADD\tk\t5000\t-\t__TC_NULL__\n"
        );
        assert_eq!(line(|c| c.get(b"k,1").unwrap()), "GET\tk,1\n");
        assert_eq!(line(|c| c.delete(b" k ").unwrap()), "DEL\t k \n");
        assert_eq!(
            line(|c| c.incr(b"n", -3, None, &none).unwrap()),
            "INCR\tn\t-3\t-\t-\n"
        );
        assert_eq!(
            line(|c| c.decr(b"n", i64::MIN, ttl, &two).unwrap()),
            "DECR\tn\t-9223372036854775808\t5000\ta,b\n"
        );
        assert_eq!(line(|c| c.invalidate_tag(b"-").unwrap()), "INV_TAG\t-\n");
        assert_eq!(
            line(|c| c.invalidate_tags(&two, TagMatch::Any).unwrap()),
            "INV_TAGS_ANY\ta,b\n"
        );
        assert_eq!(
            line(|c| c.invalidate_tags(&two, TagMatch::All).unwrap()),
            "INV_TAGS_ALL\ta,b\n"
        );
        assert_eq!(
            line(|c| c.invalidate_keys([&b"a"[..], b"b"]).unwrap()),
            "INV_KEYS\ta,b\n"
        );
        assert_eq!(line(|c| c.keys_by_tag(b"t").unwrap()), "KEYS_BY_TAG\tt\n");
        assert_eq!(line(Commands::stats), "STATS\n");
        assert_eq!(line(Commands::flush), "FLUSH\n");
    }

    #[test]
    fn the_tag_dash_is_a_tag() {
        assert_eq!(
            line(|c| c.put(b"k", None, &tags(&["-"]), Value::Str(b"v")).unwrap()),
            "PUT\tk\t-\t-,\tv\n"
        );
        assert_eq!(
            line(|c| c
                .put(b"k", None, &tags(&["-", "x"]), Value::Str(b"v"))
                .unwrap()),
            "PUT\tk\t-\t-,x\tv\n"
        );
    }

    #[test]
    fn a_refused_command_leaves_nothing_behind() {
        let mut commands = Commands::new();
        commands.get(b"first").unwrap();
        let before = commands.bytes().to_vec();
        assert!(commands.get(b"a\nFLUSH").is_err());
        assert!(
            commands
                .put(b"", None, &TagList::new(), Value::Str(b"v"))
                .is_err()
        );
        assert!(commands.invalidate_tag(b"a,b").is_err());
        assert!(commands.invalidate_keys([&b"ok"[..], b"a,b"]).is_err());
        assert!(commands.invalidate_keys([]).is_err());
        assert!(
            commands
                .invalidate_tags(&TagList::new(), TagMatch::Any)
                .is_err()
        );
        assert_eq!((commands.bytes(), commands.len()), (&before[..], 1));
    }

    #[test]
    fn no_value_makes_a_second_line() {
        for value in [
            &b"a\nb"[..],
            b"a\r",
            b"\n",
            b"\xff\xfe",
            b"",
            b"__TC_NULL__",
            b"a\0",
        ] {
            let bytes = line(|c| {
                c.put(b"k", None, &TagList::new(), Value::Str(value))
                    .unwrap()
            });
            assert_eq!(bytes.matches(['\n', '\r']).count(), 1, "{value:?}");
        }
    }
}
