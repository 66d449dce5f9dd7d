//! Values as bytes: what stands in a PUT behind the last TAB, and what a VALUE reply gives back.
//!
//! The format is the old extension's, made lossless. Integers are their digits, floats their shortest form that
//! reads back (always with `.` or an exponent), `null`, `true` and `false` have markers, and everything that the
//! line or these rules could not tell apart afterwards goes as `__TC_SERIALIZED__` and the base64 of PHP's
//! serialized form: arrays, objects, INF and NAN, and every string that looks like a number, begins like a marker,
//! or contains what the line can't carry. Old clients read all of it.
//!
//! Nothing here knows of PHP's values; the extension maps them to [`Value`] and from [`Decoded`].

mod decode;
mod encode;
mod numeric;

pub use decode::{DecodeError, Decoded, decode};
pub use encode::Value;

/// What every marker begins with.
pub(crate) const MARK: &[u8] = b"__TC_";
pub(crate) const NULL: &[u8] = b"__TC_NULL__";
pub(crate) const TRUE: &[u8] = b"__TC_TRUE__";
pub(crate) const FALSE: &[u8] = b"__TC_FALSE__";
pub(crate) const SERIALIZED: &[u8] = b"__TC_SERIALIZED__";
pub(crate) const IGBINARY: &[u8] = b"__TC_IGBINARY__";
pub(crate) const MSGPACK: &[u8] = b"__TC_MSGPACK__";
