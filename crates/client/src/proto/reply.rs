//! [`Replies`]: what the server answered, each reply checked against the command it answers.

use std::time::Duration;

use super::verb::Verb;

/// The counters of the server, as STATS gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServerStats {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Writes.
    pub puts: u64,
    /// Entries removed by invalidation.
    pub invalidations: u64,
    /// Hits of all reads, 0 to 1.
    pub hit_ratio: f64,
}

/// One reply.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// PUT: stored.
    Ok,
    /// ADD: stored.
    Added,
    /// ADD: there was something already.
    Exists,
    /// GET: nothing there.
    NotFound,
    /// GET: the bytes as they are on the wire; [`decode`](crate::decode) makes a value of them.
    Value(&'a [u8]),
    /// INCR, DECR: the new number.
    Integer(i64),
    /// DEL: whether there was something.
    Deleted(bool),
    /// INV_*, FLUSH: how many entries were removed.
    Count(u64),
    /// KEYS_BY_TAG: the keys, separated by commas; empty for none.
    Keys(&'a [u8]),
    /// STATS.
    Stats(ServerStats),
    /// The server refused the command; the text behind `ERR `.
    Error(&'a [u8]),
    /// GET, KEYS_BY_TAG: something was there, which was not kept, as the replies have become longer than
    /// [`max_call_bytes`](crate::CallLimits::max_call_bytes).
    LeftOut,
}

/// What a kept line is. Numbers are read again from the line when they are asked for: a kept reply stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Ok,
    Added,
    Exists,
    NotFound,
    Deleted,
    NotDeleted,
    Value,
    Integer,
    Count,
    Keys,
    Stats,
    Error,
    LeftOut,
}

/// A reply as it is kept: what it is, and where its text stands.
#[derive(Clone, Copy, Debug)]
struct Item {
    start: usize,
    len: u32,
    kept: Kept,
}

/// The replies of one exchange, in the order of its commands. Owns their bytes; meant to be used again.
#[derive(Debug, Default)]
pub struct Replies {
    pub(crate) bytes: Vec<u8>,
    items: Vec<Item>,
    timing: Timing,
    /// How many lines were replies to a [`Verb::Seed`], which nobody asked for.
    seeds: usize,
    /// The first reply that was left out.
    left_out: Option<usize>,
    /// How long replies were, on average, in the last exchange with enough of stored text to tell; 0 if there was none.
    usual: usize,
}

/// How long a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Waiting for a connection of the pool.
    pub wait: Duration,
    /// From then on until the last reply was in (or the call failed), opening a connection included.
    pub wire: Duration,
}

impl Timing {
    /// Returns how long the whole call took.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.wait + self.wire
    }
}

impl Replies {
    /// Returns an empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes all replies; memory up to `keep_bytes` is kept for the next ones.
    pub fn clear(&mut self, keep_bytes: usize) {
        self.void();
        self.bytes.shrink_to(keep_bytes);
        self.items.shrink_to(keep_bytes / 64);
    }

    /// Removes all replies.
    pub(crate) fn void(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.seeds = 0;
        self.left_out = None;
    }

    /// Notes the reply to a [`Verb::Seed`].
    pub(crate) fn keep_seed(&mut self) {
        self.seeds += 1;
    }

    /// Returns the number of lines that have been noted.
    pub(crate) fn lines(&self) -> usize {
        self.items.len() + self.seeds
    }

    /// Notes how long replies are, by `texts` of stored text that are here.
    pub(crate) fn keep_usual(&mut self, texts: usize) {
        self.usual = self.bytes.len() / texts.max(1);
    }

    /// Returns how long replies were lately, on average; 0 if that is not known.
    pub(crate) fn usual(&self) -> usize {
        self.usual
    }

    /// Notes a reply whose text is `bytes[start..end]`.
    pub(crate) fn keep(&mut self, kept: Kept, start: usize, end: usize) {
        let len = u32::try_from(end - start).expect("BUG: a reply longer than max_reply_bytes");
        self.items.push(Item { start, len, kept });
    }

    /// Notes a reply whose text is not kept.
    pub(crate) fn leave_out(&mut self) {
        self.left_out.get_or_insert(self.items.len());
        self.keep(Kept::LeftOut, 0, 0);
    }

    /// Appends a copy of reply `n` of `other`.
    pub(crate) fn copy_from(&mut self, other: &Self, n: usize) {
        let item = other.items[n];
        if item.kept == Kept::LeftOut {
            return self.leave_out();
        }
        let start = self.bytes.len();
        self.bytes
            .extend_from_slice(&other.bytes[item.start..item.start + item.len as usize]);
        self.items.push(Item { start, ..item });
    }

    /// Returns how long the last [`call()`](crate::call()) into this buffer took, whether it succeeded or not.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.timing
    }

    pub(crate) fn took(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// Returns how many commands the server refused, and what it said to the first of them.
    #[must_use]
    pub fn refusals(&self) -> Option<(usize, &[u8])> {
        let mut refused = self.iter().filter_map(|reply| match reply {
            Reply::Error(text) => Some(text),
            _ => None,
        });
        let first = refused.next()?;
        Some((1 + refused.count(), first))
    }

    /// Returns the number of replies.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns how many replies there are before the first that was [left out](Reply::LeftOut).
    #[must_use]
    pub fn whole(&self) -> usize {
        self.left_out.unwrap_or(self.items.len())
    }

    /// Returns the size of all replies on the wire, in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns reply `n`, from 0.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many.
    #[must_use]
    pub fn get(&self, n: usize) -> Reply<'_> {
        const CHECKED: &str = "BUG: the line was checked by `parse`";
        let Item { start, len, kept } = self.items[n];
        let text = &self.bytes[start..start + len as usize];
        match kept {
            Kept::Ok => Reply::Ok,
            Kept::Added => Reply::Added,
            Kept::Exists => Reply::Exists,
            Kept::NotFound => Reply::NotFound,
            Kept::Deleted => Reply::Deleted(true),
            Kept::NotDeleted => Reply::Deleted(false),
            Kept::Value => Reply::Value(text),
            Kept::Integer => Reply::Integer(integer(text).expect(CHECKED)),
            Kept::Count => Reply::Count(count(text).expect(CHECKED)),
            Kept::Keys => Reply::Keys(text),
            Kept::Stats => Reply::Stats(stats(text).expect(CHECKED)),
            Kept::Error => Reply::Error(text),
            Kept::LeftOut => Reply::LeftOut,
        }
    }

    /// Returns reply `n` if it is a [`Reply::Value`], as nearly all replies of a bulk are.
    ///
    /// # Panics
    ///
    /// As [`Replies::get`].
    #[inline]
    #[must_use]
    pub fn value(&self, n: usize) -> Option<&[u8]> {
        let Item { start, len, kept } = self.items[n];
        (kept == Kept::Value).then(|| &self.bytes[start..start + len as usize])
    }

    /// Returns the replies in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Reply<'_>> + Clone {
        (0..self.len()).map(|n| self.get(n))
    }
}

/// A line that can't be the reply to its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads one reply line (without its LF) to `verb`. Returns what it is and how many bytes stand before its text.
#[inline]
pub(crate) fn parse(verb: Verb, line: &[u8]) -> Result<(Kept, usize), Malformed> {
    match verb {
        Verb::Get if line.starts_with(b"VALUE\t") => Ok((Kept::Value, 6)),
        Verb::Put if line == b"OK" => Ok((Kept::Ok, 2)),
        _ => parse_any(verb, line),
    }
}

fn parse_any(verb: Verb, line: &[u8]) -> Result<(Kept, usize), Malformed> {
    if let Some(rest) = line.strip_prefix(b"ERR") {
        return match rest.first() {
            None => Ok((Kept::Error, 3)),
            Some(b' ') => Ok((Kept::Error, 4)),
            Some(_) => Err(Malformed),
        };
    }
    match verb {
        Verb::Get => match line {
            b"NF" => Ok((Kept::NotFound, 2)),
            _ if line.starts_with(b"VALUE\t") => Ok((Kept::Value, 6)),
            _ => Err(Malformed),
        },
        Verb::Put => exactly(line, b"OK", Kept::Ok),
        Verb::Add | Verb::Seed => {
            exactly(line, b"ADDED", Kept::Added).or_else(|_| exactly(line, b"EXISTS", Kept::Exists))
        }
        Verb::Del => exactly(line, b"DEL ok", Kept::Deleted)
            .or_else(|_| exactly(line, b"DEL nf", Kept::NotDeleted)),
        Verb::Incr | Verb::Decr => {
            let digits = line.strip_prefix(b"VALUE\t").ok_or(Malformed)?;
            integer(digits)?;
            Ok((Kept::Integer, line.len() - digits.len()))
        }
        Verb::InvTag | Verb::InvTagsAny | Verb::InvTagsAll | Verb::InvKeys | Verb::Flush => {
            let rest = line.strip_prefix(verb.name().as_bytes()).ok_or(Malformed)?;
            let digits = rest.strip_prefix(b"\t").ok_or(Malformed)?;
            count(digits)?;
            Ok((Kept::Count, line.len() - digits.len()))
        }
        Verb::KeysByTag if line.starts_with(b"KEYS\t") => Ok((Kept::Keys, 5)),
        Verb::KeysByTag => Err(Malformed),
        Verb::Stats => {
            let fields = line.strip_prefix(b"STATS\t").ok_or(Malformed)?;
            stats(fields)?;
            Ok((Kept::Stats, line.len() - fields.len()))
        }
    }
}

fn exactly(line: &[u8], want: &[u8], kept: Kept) -> Result<(Kept, usize), Malformed> {
    if line == want {
        Ok((kept, line.len()))
    } else {
        Err(Malformed)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

fn count(digits: &[u8]) -> Result<u64, Malformed> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    text(digits)?.parse().map_err(|_| Malformed)
}

fn integer(bytes: &[u8]) -> Result<i64, Malformed> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    text(bytes)?.parse().map_err(|_| Malformed)
}

fn stats(fields: &[u8]) -> Result<ServerStats, Malformed> {
    let mut fields = fields.split(|byte| *byte == b'\t');
    let mut next = || fields.next().ok_or(Malformed);
    let found = ServerStats {
        hits: count(next()?)?,
        misses: count(next()?)?,
        puts: count(next()?)?,
        invalidations: count(next()?)?,
        hit_ratio: text(next()?)?.parse().map_err(|_| Malformed)?,
    };
    // A later server may append fields; those that are known keep their meaning.
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(verb: Verb, line: &[u8]) -> Option<Kept> {
        parse(verb, line).ok().map(|(kept, _)| kept)
    }

    #[test]
    fn each_command_takes_its_own_replies_only() {
        assert_eq!(kept(Verb::Get, b"VALUE\t"), Some(Kept::Value));
        assert_eq!(kept(Verb::Get, b"NF"), Some(Kept::NotFound));
        assert_eq!(kept(Verb::Get, b"OK"), None);
        assert_eq!(kept(Verb::Get, b"VALUE"), None);
        assert_eq!(kept(Verb::Put, b"OK"), Some(Kept::Ok));
        assert_eq!(kept(Verb::Put, b"VALUE\tSTOLEN"), None);
        assert_eq!(kept(Verb::Add, b"ADDED"), Some(Kept::Added));
        assert_eq!(kept(Verb::Add, b"EXISTS"), Some(Kept::Exists));
        assert_eq!(kept(Verb::Del, b"DEL ok"), Some(Kept::Deleted));
        assert_eq!(kept(Verb::Del, b"DEL nf"), Some(Kept::NotDeleted));
        assert_eq!(
            kept(Verb::Incr, b"VALUE\t-9223372036854775808"),
            Some(Kept::Integer)
        );
        assert_eq!(kept(Verb::Incr, b"VALUE\t9223372036854775808"), None);
        assert_eq!(kept(Verb::Incr, b"VALUE\tx"), None);
        assert_eq!(kept(Verb::InvTag, b"INV_TAG\t3"), Some(Kept::Count));
        assert_eq!(kept(Verb::InvTag, b"INV_TAGS_ANY\t3"), None);
        assert_eq!(kept(Verb::InvTag, b"INV_TAG\t+3"), None);
        assert_eq!(kept(Verb::Flush, b"FLUSH\t18446744073709551616"), None);
        assert_eq!(kept(Verb::KeysByTag, b"KEYS\t"), Some(Kept::Keys));
        assert_eq!(kept(Verb::KeysByTag, b"KEYS"), None);
    }

    #[test]
    fn an_error_answers_any_command() {
        assert_eq!(parse(Verb::Get, b"ERR missing_key"), Ok((Kept::Error, 4)));
        assert_eq!(parse(Verb::Stats, b"ERR"), Ok((Kept::Error, 3)));
        assert_eq!(parse(Verb::Get, b"ERRATIC"), Err(Malformed));
    }

    #[test]
    fn stats_are_read_and_later_fields_ignored() {
        let want = ServerStats {
            hits: 1,
            misses: 2,
            puts: 3,
            invalidations: 4,
            hit_ratio: 0.5,
        };
        assert_eq!(stats(b"1\t2\t3\t4\t0.500000"), Ok(want));
        assert_eq!(stats(b"1\t2\t3\t4\t0.5\tx"), Ok(want));
        assert_eq!(kept(Verb::Stats, b"STATS\t1\t2\t3\t4"), None);
    }

    #[test]
    fn what_is_kept_is_what_comes_back() {
        let mut replies = Replies::new();
        for (verb, line, want) in [
            (Verb::Get, &b"VALUE\ta\tb"[..], Reply::Value(b"a\tb")),
            (Verb::Get, b"VALUE\t", Reply::Value(b"")),
            (Verb::Decr, b"VALUE\t-7", Reply::Integer(-7)),
            (Verb::Flush, b"FLUSH\t18", Reply::Count(18)),
            (Verb::KeysByTag, b"KEYS\ta,b", Reply::Keys(b"a,b")),
            (Verb::Put, b"ERR no room", Reply::Error(b"no room")),
            (Verb::Put, b"ERR", Reply::Error(b"")),
        ] {
            let start = replies.bytes.len();
            replies.bytes.extend_from_slice(line);
            let (kept, skip) = parse(verb, line).unwrap();
            replies.keep(kept, start + skip, start + line.len());
            assert_eq!(replies.iter().last(), Some(want));
        }
    }
}
