//! By what a value is known again.

use std::fmt;

use twox_hash::XxHash3_64;

/// A hash of the bytes of a value as they go over the wire: XXH3 with 64 bits, which is the same on all machines.
/// Two values that differ have the same one once in 2^64 times, unless somebody makes them for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Returns that of a value.
    pub(crate) fn of(wire: &[u8]) -> Self {
        Self(XxHash3_64::oneshot(wire))
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        u64::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
