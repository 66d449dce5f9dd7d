//! [`Namespace`]: what stands before every key and tag of one tenant, and the tag that all of its entries carry.

use std::fmt;

use thiserror::Error;

use super::name::{InvalidName, NameReason, check_key, check_tag};

/// What the hidden tag begins with. No namespace begins so, hence no tag of a namespace is a hidden one.
const HIDDEN: &[u8] = b"__TC_NS__";
/// What no prefix may begin with, nor be the beginning of.
const RESERVED: &[u8] = b"__TC_";

/// A prefix of keys and tags, and the hidden tag of all entries below it.
#[derive(Clone, PartialEq, Eq)]
pub struct Namespace {
    /// The hidden tags of what it lies in and its own, which ends with the prefix; separated by commas.
    tags: Box<[u8]>,
    /// Where its own begins.
    own: usize,
}

/// A prefix that can't be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPrefix {
    /// A key or tag that begins with it would be refused.
    #[error("with it {0}")]
    Name(InvalidName),
    /// It could make a tag that is a hidden one.
    #[error(
        "names that begin with __TC_ are reserved, so it must not begin so, nor end within that"
    )]
    Reserved,
}

impl Namespace {
    /// Returns the namespace of `prefix`.
    ///
    /// # Errors
    ///
    /// [`InvalidPrefix`] for one that no key or no tag can begin with.
    pub fn new(prefix: &[u8]) -> Result<Self, InvalidPrefix> {
        check_key(prefix).map_err(InvalidPrefix::Name)?;
        match check_tag(prefix) {
            // White space at its end is within every tag.
            Err(error) if error.reason != NameReason::OuterSpace || error.offset == 0 => {
                return Err(InvalidPrefix::Name(error));
            }
            _ => {}
        }
        if prefix.starts_with(RESERVED) || RESERVED.starts_with(prefix) {
            return Err(InvalidPrefix::Reserved);
        }
        Ok(Self {
            tags: [HIDDEN, prefix].concat().into(),
            own: 0,
        })
    }

    /// Returns the namespace of `prefix` within this one: what it stores belongs to both.
    ///
    /// # Errors
    ///
    /// [`InvalidPrefix`] as [`Namespace::new`], with the offset in `prefix`.
    pub fn within(&self, prefix: &[u8]) -> Result<Self, InvalidPrefix> {
        let outer = self.prefix();
        if prefix.is_empty() {
            return Self::new(prefix);
        }
        let inner = Self::new(&[outer, prefix].concat()).map_err(|why| match why {
            InvalidPrefix::Name(name) => InvalidPrefix::Name(InvalidName {
                offset: name.offset.saturating_sub(outer.len()),
                ..name
            }),
            InvalidPrefix::Reserved => why,
        })?;
        Ok(Self {
            tags: [&self.tags, &b","[..], &inner.tags].concat().into(),
            own: self.tags.len() + 1,
        })
    }

    /// Returns the prefix.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.hidden_tag()[HIDDEN.len()..]
    }

    /// Returns the tag that every entry of the namespace carries.
    #[must_use]
    pub fn hidden_tag(&self) -> &[u8] {
        &self.tags[self.own..]
    }

    /// Returns the prefix of the outermost namespace that this one is in, with which its own begins.
    pub(super) fn outermost(&self) -> &[u8] {
        let end = memchr::memchr(b',', &self.tags).unwrap_or(self.tags.len());
        &self.tags[HIDDEN.len()..end]
    }

    /// Returns all hidden tags of an entry, also those of the namespaces that this one is in, separated by commas.
    pub(super) fn hidden_tags(&self) -> &[u8] {
        &self.tags
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Namespace({})", self.prefix().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_the_beginning_of_a_key_and_of_a_tag() {
        let namespace = Namespace::new("shop ü:".as_bytes()).unwrap();
        assert_eq!(namespace.prefix(), "shop ü:".as_bytes());
        assert_eq!(namespace.hidden_tag(), "__TC_NS__shop ü:".as_bytes());
        for bad in [&b""[..], b"a,b", b" a", b"a\n", b"a\tb", b"\xff", b"a\0"] {
            assert!(
                matches!(Namespace::new(bad), Err(InvalidPrefix::Name(_))),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn one_within_another_belongs_to_both() {
        let shop = Namespace::new("shop é:".as_bytes()).unwrap();
        let room = shop.within(b"room:").unwrap();
        assert_eq!(room.prefix(), "shop é:room:".as_bytes());
        assert_eq!(room.hidden_tag(), "__TC_NS__shop é:room:".as_bytes());
        let both = "__TC_NS__shop é:,__TC_NS__shop é:room:";
        assert_eq!(room.hidden_tags(), both.as_bytes());
        let third = room.within(b" __TC_").unwrap();
        assert_eq!(third.prefix(), "shop é:room: __TC_".as_bytes());
        assert_eq!(
            third.hidden_tags(),
            format!("{both},__TC_NS__shop é:room: __TC_").as_bytes()
        );
        assert_eq!(shop.hidden_tags(), shop.hidden_tag());
        for one in [&shop, &room, &third] {
            assert_eq!(one.outermost(), shop.prefix());
        }
        for (bad, offset) in [(&b""[..], 0), (b"a,b", 1), (b"ab\n", 2), (b"abc\xff", 3)] {
            match shop.within(bad) {
                Err(InvalidPrefix::Name(name)) => assert_eq!(name.offset, offset, "{bad:?}"),
                other => panic!("{bad:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn no_prefix_leads_to_a_hidden_tag() {
        for bad in ["_", "__", "__TC_", "__TC_NS__", "__TC_x"] {
            assert_eq!(
                Namespace::new(bad.as_bytes()),
                Err(InvalidPrefix::Reserved),
                "{bad}"
            );
        }
        for good in ["_a", "__x:", "tc", "-", "a "] {
            assert!(Namespace::new(good.as_bytes()).is_ok(), "{good}");
        }
    }
}
