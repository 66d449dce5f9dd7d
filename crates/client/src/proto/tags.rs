//! [`TagList`]: tags, checked and encoded once.

use super::name::{InvalidName, check_tag};
use super::namespace::Namespace;

/// Which entries [`Commands::invalidate_tags`](super::Commands::invalidate_tags) removes.
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
    pub(super) fn write_field(&self, namespace: Option<&Namespace>, out: &mut Vec<u8>) {
        if let Some(namespace) = namespace {
            self.write_within(namespace, out);
            if self.count > 0 {
                out.push(b',');
            }
            out.extend_from_slice(namespace.hidden_tags());
        } else if self.count == 0 {
            out.push(b'-');
        } else {
            out.extend_from_slice(&self.joined);
            if self.joined == b"-" {
                out.push(b',');
            }
        }
    }

    /// Appends the tags as they are, separated by commas.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.joined);
    }

    /// Appends the tags, each behind the prefix.
    pub(super) fn write_within(&self, namespace: &Namespace, out: &mut Vec<u8>) {
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
