//! Values as bytes: what stands in a PUT behind the last TAB, and what a VALUE reply gives back.
//!
//! The format is the old extension's, made lossless. Integers are their digits, floats their shortest form that
//! reads back (always with `.` or an exponent), `null`, `true` and `false` have markers, and everything that the
//! line or these rules could not tell apart afterwards goes as `__TC_SERIALIZED__` and the base64 of PHP's
//! serialized form: arrays, objects, INF and NAN, and every string that looks like a number, begins like a marker,
//! or contains what the line can't carry. Old clients read all of it.
//!
//! Two forms are for those who ask for them: `__TC_JSON__` and the JSON text itself, and `__TC_LZ4__` or
//! `__TC_ZSTD__` and the base64 of what was compressed. `docs/values.md` is the specification.
//!
//! Nothing here knows of PHP's values; the extension maps them to [`Value`] and from [`Decoded`].

mod base64;
mod compress;
mod decode;
mod encode;
mod numeric;
mod packed;

pub use compress::{Algorithm, Compression};
pub use decode::{DecodeError, Decoded, MAX_DECOMPRESSED, decode, decode_within, is_text};
pub use encode::{Value, encode};
pub use packed::{Room, unpack_string};

/// What every marker begins with.
pub(crate) const MARK: &[u8] = b"__TC_";
pub(crate) const NULL: &[u8] = b"__TC_NULL__";
pub(crate) const TRUE: &[u8] = b"__TC_TRUE__";
pub(crate) const FALSE: &[u8] = b"__TC_FALSE__";
pub(crate) const SERIALIZED: &[u8] = b"__TC_SERIALIZED__";
pub(crate) const IGBINARY: &[u8] = b"__TC_IGBINARY__";
pub(crate) const MSGPACK: &[u8] = b"__TC_MSGPACK__";
pub(crate) const JSON: &[u8] = b"__TC_JSON__";
pub(crate) const LZ4: &[u8] = b"__TC_LZ4__";
pub(crate) const ZSTD: &[u8] = b"__TC_ZSTD__";
