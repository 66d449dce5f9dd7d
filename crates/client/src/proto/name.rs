//! What a key and a tag may contain. Checked before a byte is encoded: the protocol has no quoting, so a TAB ends
//! a field, a line feed ends the command and begins another, and a byte that is not UTF-8 ends the connection.

use std::fmt;

use thiserror::Error;

/// Which argument was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A key.
    Key,
    /// A tag.
    Tag,
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Tag => "tag",
        })
    }
}

/// Why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameReason {
    /// It has no bytes.
    Empty,
    /// It contains TAB, CR, LF or NUL.
    Control(u8),
    /// It is not valid UTF-8 from the offset on.
    NotUtf8,
    /// It contains a comma where the protocol separates by commas.
    Comma,
    /// It contains a comma and behind it the prefix of its namespace: in a list of keys another one would seem to
    /// begin there.
    CommaAndPrefix,
    /// It begins or ends with white space where the server trims it.
    OuterSpace,
}

/// A key or tag that can't go over the wire. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub struct InvalidName {
    /// Key or tag.
    pub what: NameKind,
    /// What is wrong with it.
    pub reason: NameReason,
    /// The byte at which it is wrong, from 0.
    pub offset: usize,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            reason,
            offset,
        } = self;
        match reason {
            NameReason::Empty => return write!(f, "a {what} must not be empty"),
            NameReason::Control(byte) => {
                let name = match byte {
                    0 => "a NUL byte (\\0)",
                    b'\t' => "a TAB (\\t)",
                    b'\n' => "a line feed (\\n)",
                    _ => "a carriage return (\\r)",
                };
                write!(f, "a {what} must not contain {name}: byte {offset}")?;
            }
            NameReason::NotUtf8 => {
                write!(
                    f,
                    "a {what} must be valid UTF-8: it is not from byte {offset} on"
                )?;
            }
            NameReason::Comma => {
                write!(f, "a {what} must not contain a comma here: byte {offset}")?;
            }
            NameReason::CommaAndPrefix => {
                write!(
                    f,
                    "a {what} must not contain a comma followed by the prefix: byte {offset}"
                )?;
            }
            NameReason::OuterSpace => {
                write!(
                    f,
                    "a {what} must not begin or end with white space here: byte {offset}"
                )?;
            }
        }
        f.write_str("; encode it (rawurlencode(), bin2hex()) or choose another")
    }
}

/// Checks a key as every command but INV_KEYS takes it.
#[inline]
pub(crate) fn check_key(key: &[u8]) -> Result<(), InvalidName> {
    if is_printable(key) {
        return Ok(());
    }
    check(key, NameKind::Key)
}

/// Checks a key that stands behind `prefix`. KEYS_BY_TAG separates keys by commas, and every key of a namespace
/// begins with its prefix, so a comma within a key separates nothing unless the prefix is behind it.
#[inline]
pub(crate) fn check_key_behind(prefix: &[u8], key: &[u8]) -> Result<(), InvalidName> {
    check_key(key)?;
    for offset in memchr::memchr_iter(b',', key) {
        if key[offset + 1..].starts_with(prefix) {
            return Err(InvalidName {
                what: NameKind::Key,
                reason: NameReason::CommaAndPrefix,
                offset,
            });
        }
    }
    Ok(())
}

/// Returns whether `name` is printable ASCII, which most names are and which nothing objects to outside lists.
///
/// Looks at eight bytes at a time, after "Determine if a word has a byte less than n" and "greater than n" of
/// S. E. Anderson's "Bit Twiddling Hacks": whether one is below a space, above a tilde or beyond ASCII.
#[inline]
fn is_printable(name: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let strange = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        word.wrapping_sub(EACH * 0x20) | word.wrapping_add(EACH) | word
    };
    let Some(last) = name.last_chunk() else {
        return !name.is_empty() && name.iter().all(|byte| matches!(byte, b' '..=b'~'));
    };
    let (words, _) = name.as_chunks();
    // The last one overlaps its neighbour instead of leaving a rest.
    let found = words
        .iter()
        .fold(strange(last), |found, word| found | strange(word));
    found & (EACH * 0x80) == 0
}

/// Checks a key of INV_KEYS, which splits at commas and trims.
pub(crate) fn check_listed_key(key: &[u8]) -> Result<(), InvalidName> {
    check_key(key)?;
    check_listed(key, NameKind::Key)
}

/// Checks a tag: lists of tags are separated by commas, and INV_TAGS_* trims each.
pub(crate) fn check_tag(tag: &[u8]) -> Result<(), InvalidName> {
    if !is_printable(tag) {
        check(tag, NameKind::Tag)?;
    }
    check_listed(tag, NameKind::Tag)
}

#[cold]
fn check(name: &[u8], what: NameKind) -> Result<(), InvalidName> {
    let refuse = |reason, offset| {
        Err(InvalidName {
            what,
            reason,
            offset,
        })
    };
    if name.is_empty() {
        return refuse(NameReason::Empty, 0);
    }
    if let Some(offset) = name
        .iter()
        .position(|byte| matches!(byte, 0 | b'\t' | b'\n' | b'\r'))
    {
        return refuse(NameReason::Control(name[offset]), offset);
    }
    match std::str::from_utf8(name) {
        Ok(_) => Ok(()),
        Err(error) => refuse(NameReason::NotUtf8, error.valid_up_to()),
    }
}

/// The further rules where names stand in a list. `name` is valid UTF-8 already.
fn check_listed(name: &[u8], what: NameKind) -> Result<(), InvalidName> {
    let refuse = |reason, offset| {
        Err(InvalidName {
            what,
            reason,
            offset,
        })
    };
    if let Some(offset) = memchr::memchr(b',', name) {
        return refuse(NameReason::Comma, offset);
    }
    let text = std::str::from_utf8(name).unwrap_or_default();
    if text.trim_start().len() != text.len() {
        return refuse(NameReason::OuterSpace, 0);
    }
    let trimmed = text.trim_end().len();
    if trimmed != text.len() {
        return refuse(NameReason::OuterSpace, trimmed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_is_every_byte_from_space_to_tilde() {
        for len in 0..=40 {
            let plain = vec![b'a'; len];
            assert_eq!(is_printable(&plain), len > 0, "{len}");
            for at in 0..len {
                for byte in 0..=255 {
                    let mut name = plain.clone();
                    name[at] = byte;
                    assert_eq!(
                        is_printable(&name),
                        (0x20..0x7f).contains(&byte),
                        "{byte} at {at} of {len}"
                    );
                }
            }
        }
    }

    fn key(bytes: &[u8]) -> Option<(NameReason, usize)> {
        check_key(bytes).err().map(|e| (e.reason, e.offset))
    }

    fn tag(bytes: &[u8]) -> Option<(NameReason, usize)> {
        check_tag(bytes).err().map(|e| (e.reason, e.offset))
    }

    #[test]
    fn keys() {
        assert_eq!(key(b""), Some((NameReason::Empty, 0)));
        assert_eq!(key(b"a\tb"), Some((NameReason::Control(b'\t'), 1)));
        assert_eq!(key(b"ab\nFLUSH"), Some((NameReason::Control(b'\n'), 2)));
        assert_eq!(key(b"a\0"), Some((NameReason::Control(0), 1)));
        assert_eq!(key(b"\r"), Some((NameReason::Control(b'\r'), 0)));
        assert_eq!(key(b"a\xff"), Some((NameReason::NotUtf8, 1)));
        for good in ["a", "a,b", " a ", "-", "ü", "a\u{2028}b", "\u{1}"] {
            assert_eq!(key(good.as_bytes()), None, "{good:?}");
        }
    }

    #[test]
    fn keys_behind_a_prefix() {
        let behind = |prefix: &str, key: &str| {
            let checked = check_key_behind(prefix.as_bytes(), key.as_bytes());
            checked.err().map(|error| (error.reason, error.offset))
        };
        for (key, offset) in [("x,p:y", 1), (",p:", 0), ("x,p,p:", 3), ("x,p:,p:", 1)] {
            assert_eq!(
                behind("p:", key),
                Some((NameReason::CommaAndPrefix, offset)),
                "{key}"
            );
        }
        for key in ["x,y", "p:x,p", ",", "x,,p", "x, p:y", "p:p:"] {
            assert_eq!(behind("p:", key), None, "{key}");
        }
        assert_eq!(behind("p:", ""), Some((NameReason::Empty, 0)));
        assert_eq!(behind("ü", "a,ü"), Some((NameReason::CommaAndPrefix, 1)));
    }

    #[test]
    fn tags() {
        assert_eq!(tag(b"a,b"), Some((NameReason::Comma, 1)));
        assert_eq!(tag(b" a"), Some((NameReason::OuterSpace, 0)));
        assert_eq!(
            tag("a\u{3000}".as_bytes()),
            Some((NameReason::OuterSpace, 1))
        );
        assert_eq!(tag("\u{85}a".as_bytes()), Some((NameReason::OuterSpace, 0)));
        for good in ["a", "a b", "-", "ü", "__TC_NULL__"] {
            assert_eq!(tag(good.as_bytes()), None, "{good:?}");
        }
    }

    #[test]
    fn the_message_says_what_where_and_what_to_do() {
        assert_eq!(
            check_key(b"a\nb").unwrap_err().to_string(),
            "a key must not contain a line feed (\\n): byte 1; encode it (rawurlencode(), bin2hex()) or choose another"
        );
    }
}
