//! [`decode`]: a value on its way in. Whatever wrote it, another client included, the result is what was meant or
//! an error, never something that only looks right.

use std::borrow::Cow;

use thiserror::Error;

use super::compress::{Algorithm, Fault};
use super::packed::string_body;
use super::{
    FALSE, IGBINARY, JSON, LZ4, MARK, MSGPACK, NULL, SERIALIZED, TRUE, ZSTD, base64, numeric,
};

/// To how many bytes [`decode`] decompresses a value at most.
pub const MAX_DECOMPRESSED: usize = 64 << 20;

/// A value that was stored.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Decoded<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string as it stands on the wire.
    Str(&'a [u8]),
    /// A string that had been serialized.
    String(Vec<u8>),
    /// PHP's serialized form of an array or an object: give it to `unserialize()`.
    Serialized(Vec<u8>),
    /// igbinary's serialized form.
    Igbinary(Vec<u8>),
    /// msgpack's serialized form.
    Msgpack(Vec<u8>),
    /// JSON.
    Json(Cow<'a, [u8]>),
}

/// Why a stored value can't be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// What follows the marker is not base64.
    #[error("the text behind {marker} is not base64")]
    Base64 {
        /// The marker.
        marker: &'static str,
    },
    /// Nothing follows the marker.
    #[error("nothing stands behind {marker}")]
    Empty {
        /// The marker.
        marker: &'static str,
    },
    /// What follows the marker can't be decompressed.
    #[error("what stands behind {marker} is damaged and can't be decompressed")]
    Compressed {
        /// The marker.
        marker: &'static str,
    },
    /// What follows the marker would be larger than allowed.
    #[error(
        "what stands behind {marker} has {size} bytes when decompressed, more than \
         max_decompressed_bytes ({limit}) allows; raise the option to read it"
    )]
    TooLarge {
        /// The marker.
        marker: &'static str,
        /// The size that it says it has.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

/// Reads a value from its wire form, decompressing it to at most [`MAX_DECOMPRESSED`] bytes.
///
/// # Errors
///
/// [`DecodeError`] if it begins with a marker whose payload is damaged or too large.
pub fn decode(wire: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    decode_within(wire, MAX_DECOMPRESSED)
}

/// Returns whether `wire` is sure to be a string as it stands: nothing else begins with such a byte. Most strings are
/// settled by it.
#[inline]
#[must_use]
pub fn is_text(wire: &[u8]) -> bool {
    !matches!(wire.first(), Some(b'_' | b'0'..=b'9' | b'-' | b'.'))
}

/// As [`decode`], with another limit in bytes.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_within(wire: &[u8], limit: usize) -> Result<Decoded<'_>, DecodeError> {
    if is_text(wire) {
        return Ok(Decoded::Str(wire));
    }
    if wire.starts_with(MARK) {
        return marked(wire, limit);
    }
    if let Some(number) = numeric::canonical_int(wire) {
        return Ok(Decoded::Int(number));
    }
    if let Some(number) = numeric::real(wire) {
        return Ok(Decoded::Float(number));
    }
    Ok(Decoded::Str(wire))
}

fn marked(wire: &[u8], limit: usize) -> Result<Decoded<'_>, DecodeError> {
    match wire {
        NULL => return Ok(Decoded::Null),
        TRUE => return Ok(Decoded::Bool(true)),
        FALSE => return Ok(Decoded::Bool(false)),
        _ => {}
    }
    if let Some(text) = wire.strip_prefix(SERIALIZED) {
        return unpack(text, "__TC_SERIALIZED__").map(payload);
    }
    if let Some(text) = wire.strip_prefix(JSON) {
        return Ok(Decoded::Json(Cow::Borrowed(text)));
    }
    if let Some(text) = wire.strip_prefix(LZ4) {
        return decompress(Algorithm::Lz4, text, "__TC_LZ4__", limit);
    }
    if let Some(text) = wire.strip_prefix(ZSTD) {
        return decompress(Algorithm::Zstd, text, "__TC_ZSTD__", limit);
    }
    if let Some(text) = wire.strip_prefix(IGBINARY) {
        return unpack(text, "__TC_IGBINARY__").map(Decoded::Igbinary);
    }
    if let Some(text) = wire.strip_prefix(MSGPACK) {
        return unpack(text, "__TC_MSGPACK__").map(Decoded::Msgpack);
    }
    // A string that another client stored as it was.
    Ok(Decoded::Str(wire))
}

/// Tells a serialized form by its first bytes: one of the clients writes all of them behind the same marker, and
/// so do we.
fn payload(payload: Vec<u8>) -> Decoded<'static> {
    match payload.as_slice() {
        [0, 0, 0, 1 | 2, ..] => Decoded::Igbinary(payload),
        _ if begins_like_php(&payload) => php(payload),
        _ => Decoded::Msgpack(payload),
    }
}

fn decompress(
    algorithm: Algorithm,
    text: &[u8],
    marker: &'static str,
    limit: usize,
) -> Result<Decoded<'static>, DecodeError> {
    let packed = unpack(text, marker)?;
    let mut plain = algorithm
        .decompress(&packed, limit)
        .map_err(|fault| match fault {
            Fault::Damaged => DecodeError::Compressed { marker },
            Fault::TooLarge(size) => DecodeError::TooLarge {
                marker,
                size,
                limit,
            },
        })?;
    if plain.is_empty() {
        return Err(DecodeError::Empty { marker });
    }
    if plain.starts_with(JSON) {
        plain.drain(..JSON.len());
        return Ok(Decoded::Json(Cow::Owned(plain)));
    }
    Ok(payload(plain))
}

fn unpack(text: &[u8], marker: &'static str) -> Result<Vec<u8>, DecodeError> {
    if text.is_empty() {
        return Err(DecodeError::Empty { marker });
    }
    base64::decode(text).ok_or(DecodeError::Base64 { marker })
}

/// Returns whether `payload` begins as PHP's serialize() begins everything: a letter and a colon, or `N;`.
fn begins_like_php(payload: &[u8]) -> bool {
    matches!(
        payload,
        [
            b'a' | b'b' | b'd' | b'i' | b's' | b'S' | b'O' | b'C' | b'E' | b'r' | b'R',
            b':',
            ..
        ] | [b'N', b';', ..]
    )
}

/// Unpacks a serialized string here; everything else is for `unserialize()`.
fn php(mut payload: Vec<u8>) -> Decoded<'static> {
    match string_body(&payload) {
        Some((start, end)) => {
            payload.truncate(end);
            payload.drain(..start);
            Decoded::String(payload)
        }
        None => Decoded::Serialized(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Compression, Value};
    use super::*;

    fn wire(value: Value<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        value.write(None, &mut out);
        out
    }

    #[test]
    fn strings_come_back_byte_for_byte() {
        let all: Vec<u8> = (0..=255).collect();
        let every_byte = (0..=255u8).map(|byte| vec![byte]);
        let picked = [
            &b""[..],
            b"a",
            b"007",
            b"1",
            b"1.0",
            b" 1",
            b"1e5",
            b"INF",
            b"__TC_NULL__",
            b"__TC_SERIALIZED__",
            b"__TC_SERIALIZED__!!!",
            b"__TC_",
            b"a\nVALUE\tSTOLEN",
            b"a\r",
            b"\t",
            b"a\\tb",
            b"\\",
            b"\xff",
            "ü".as_bytes(),
            b"s:1:\"a\";",
            b"-",
            b"-0",
            b"9223372036854775808",
        ];
        for text in picked
            .iter()
            .map(|text| text.to_vec())
            .chain(every_byte)
            .chain([all])
        {
            let bytes = wire(Value::Str(&text));
            match decode(&bytes).unwrap() {
                Decoded::Str(back) => assert_eq!(back, text),
                Decoded::String(back) => assert_eq!(back, text),
                other => panic!("{text:?} became {other:?}"),
            }
        }
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(decode(&wire(Value::Int(number))), Ok(Decoded::Int(number)));
        }
        for number in [
            0.0,
            -0.0,
            1.0,
            0.1 + 0.2,
            1e14,
            1e22,
            1e-7,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
        ] {
            let Ok(Decoded::Float(back)) = decode(&wire(Value::Float(number))) else {
                panic!("{number} is no float")
            };
            assert_eq!(back.to_bits(), number.to_bits());
        }
        assert_eq!(
            decode(&wire(Value::Float(f64::NEG_INFINITY))),
            Ok(Decoded::Serialized(b"d:-INF;".to_vec()))
        );
    }

    #[test]
    fn damaged_payloads_are_errors() {
        assert!(matches!(
            decode(b"__TC_SERIALIZED__"),
            Err(DecodeError::Empty { .. })
        ));
        assert!(matches!(
            decode(b"__TC_SERIALIZED__?"),
            Err(DecodeError::Base64 { .. })
        ));
        assert!(matches!(
            decode(b"__TC_IGBINARY__A"),
            Err(DecodeError::Base64 { .. })
        ));
    }

    #[test]
    fn a_serialized_string_with_a_wrong_length_is_left_to_php() {
        for text in [
            "s:2:\"a\";",
            "s:1:\"a\";x",
            "s:99999999999999999999:\"a\";",
            "s:+1:\"a\";",
            "s:1:\"a\"",
            "s:",
        ] {
            let mut bytes = SERIALIZED.to_vec();
            base64::encode(text.as_bytes(), &mut bytes);
            assert!(
                matches!(
                    decode(&bytes),
                    Ok(Decoded::Serialized(_) | Decoded::Msgpack(_))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn compressed_values_come_back_whatever_they_are() {
        let long = "{\"a\":1} and so on, 007 ".repeat(100);
        let binary = [long.as_bytes(), b"\0\xff"].concat();
        let igbinary = [&b"\0\0\0\x02"[..], long.as_bytes()].concat();
        let msgpack = [&b"\x92"[..], long.as_bytes()].concat();
        let php = ["a:1:{", &long, "}"].concat();
        let cases = [
            (
                Value::Str(long.as_bytes()),
                Decoded::String(long.as_bytes().to_vec()),
            ),
            (Value::Str(&binary), Decoded::String(binary.clone())),
            (
                Value::Serialized(&igbinary),
                Decoded::Igbinary(igbinary.clone()),
            ),
            (
                Value::Serialized(&msgpack),
                Decoded::Msgpack(msgpack.clone()),
            ),
            (
                Value::Serialized(php.as_bytes()),
                Decoded::Serialized(php.clone().into_bytes()),
            ),
            (
                Value::Json(long.as_bytes()),
                Decoded::Json(long.as_bytes().into()),
            ),
        ];
        for algorithm in [Algorithm::Lz4, Algorithm::Zstd] {
            let compression = Compression {
                algorithm,
                level: 0,
                threshold: 100,
                limit: 1 << 20,
            };
            for (value, back) in &cases {
                let mut bytes = Vec::new();
                value.write(Some(&compression), &mut bytes);
                assert!(
                    bytes.starts_with(LZ4) || bytes.starts_with(ZSTD),
                    "{value:?}"
                );
                assert!(bytes.len() < long.len() / 2);
                assert_eq!(decode(&bytes).as_ref(), Ok(back));
                assert!(matches!(
                    decode_within(&bytes, 1000),
                    Err(DecodeError::TooLarge { limit: 1000, .. })
                ));
            }
            let mut bytes = Vec::new();
            Value::Str(b"short").write(Some(&compression), &mut bytes);
            Value::Int(5).write(Some(&compression), &mut bytes);
            assert_eq!(bytes, b"short5");
        }
    }

    #[test]
    fn json_stands_as_it_is() {
        let mut bytes = Vec::new();
        Value::Json(b"{\"a\":[1.0,\"\\n\"]}").write(None, &mut bytes);
        assert_eq!(bytes, b"__TC_JSON__{\"a\":[1.0,\"\\n\"]}");
        assert_eq!(
            decode(&bytes),
            Ok(Decoded::Json(b"{\"a\":[1.0,\"\\n\"]}"[..].into()))
        );
    }

    #[test]
    fn payloads_are_told_apart_by_their_first_bytes() {
        let marked = |payload: &[u8]| {
            let mut bytes = SERIALIZED.to_vec();
            base64::encode(payload, &mut bytes);
            bytes
        };
        assert!(matches!(
            decode(&marked(b"a:0:{}")),
            Ok(Decoded::Serialized(_))
        ));
        assert!(matches!(
            decode(&marked(b"\0\0\0\x02\x14\x00")),
            Ok(Decoded::Igbinary(_))
        ));
        assert!(matches!(
            decode(&marked(b"\x82\x01")),
            Ok(Decoded::Msgpack(_))
        ));
    }
}
