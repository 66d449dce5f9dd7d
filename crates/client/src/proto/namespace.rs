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
    /// The hidden tag, which ends with the prefix.
    tag: Box<[u8]>,
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
            tag: [HIDDEN, prefix].concat().into(),
        })
    }

    /// Returns the prefix.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.tag[HIDDEN.len()..]
    }

    /// Returns the tag that every entry of the namespace carries.
    #[must_use]
    pub fn hidden_tag(&self) -> &[u8] {
        &self.tag
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
