//! [`Value`]: a value on its way out.

use super::compress::Compression;
use super::{FALSE, JSON, MARK, NULL, SERIALIZED, TRUE, base64, numeric};

/// A value to store. Every one can be encoded; the result is valid UTF-8 on one line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer; the server can count with it.
    Int(i64),
    /// A float, INF, NAN and -0.0 included.
    Float(f64),
    /// Any bytes.
    Str(&'a [u8]),
    /// What a serializer (PHP's own, igbinary, msgpack) made of an array or an object. Its first bytes tell whose
    /// it is.
    Serialized(&'a [u8]),
    /// JSON on one line, of an array.
    Json(&'a [u8]),
}

impl Value<'_> {
    /// Returns whether a string has to go in serialized form, a third longer, because the line can't carry it as
    /// it is or it would come back as something else.
    #[must_use]
    pub fn needs_serialize(text: &[u8]) -> bool {
        text.starts_with(MARK)
            || numeric::is_numeric(text)
            || has_forbidden(text)
            || simdutf8::basic::from_utf8(text).is_err()
    }

    /// Appends the value's wire form.
    pub(crate) fn write(self, compression: Option<&Compression>, out: &mut Vec<u8>) {
        let squeezed = compression.is_some_and(|compression| self.squeeze(compression, out));
        if !squeezed {
            self.write_plain(out);
        }
    }

    /// Appends the value's compressed form if it is long enough and becomes shorter; else does nothing.
    fn squeeze(self, compression: &Compression, out: &mut Vec<u8>) -> bool {
        let (text, worth) = match self {
            Value::Str(text) if Self::needs_serialize(text) => (text, serialized_len(text.len())),
            Value::Str(text) => (text, text.len()),
            Value::Serialized(text) => (text, serialized_len(text.len())),
            Value::Json(text) => (text, JSON.len() + text.len()),
            _ => return false,
        };
        if !compression.wants(text.len()) {
            return false;
        }
        let packed = match self {
            Value::Str(text) => compression.compress(&php_string(text), worth),
            Value::Json(text) => compression.compress(&[JSON, text].concat(), worth),
            _ => compression.compress(text, worth),
        };
        packed.is_some_and(|(marker, packed)| {
            out.extend_from_slice(marker);
            base64::encode(&packed, out);
            true
        })
    }

    fn write_plain(self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(NULL),
            Value::Bool(true) => out.extend_from_slice(TRUE),
            Value::Bool(false) => out.extend_from_slice(FALSE),
            Value::Int(number) => {
                out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            }
            Value::Float(number) if number.is_finite() => {
                out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
            }
            Value::Float(number) => {
                let name = match (number.is_nan(), number > 0.0) {
                    (true, _) => "NAN",
                    (_, true) => "INF",
                    _ => "-INF",
                };
                write_serialized(format!("d:{name};").as_bytes(), out);
            }
            Value::Str(text) if Self::needs_serialize(text) => write_string(text, out),
            Value::Str(text) => out.extend_from_slice(text),
            Value::Serialized(payload) => write_serialized(payload, out),
            Value::Json(text) => {
                out.extend_from_slice(JSON);
                let start = out.len();
                out.extend_from_slice(text);
                // A line end in JSON can only be white space between tokens, and a space means the same there.
                if has_line_end(text) {
                    for byte in &mut out[start..] {
                        if matches!(byte, b'\n' | b'\r') {
                            *byte = b' ';
                        }
                    }
                }
            }
        }
    }
}

/// Returns the wire form of a value, as [`Commands::put`](crate::Commands::put) sends it.
#[must_use]
pub fn encode(value: Value<'_>, compression: Option<&Compression>) -> Vec<u8> {
    let mut wire = Vec::new();
    value.write(compression, &mut wire);
    wire
}

/// Returns the form that PHP's `serialize()` gives a string.
fn php_string(text: &[u8]) -> Vec<u8> {
    let mut php = Vec::with_capacity(text.len() + 32);
    php.extend_from_slice(b"s:");
    php.extend_from_slice(itoa::Buffer::new().format(text.len()).as_bytes());
    php.extend_from_slice(b":\"");
    php.extend_from_slice(text);
    php.extend_from_slice(b"\";");
    php
}

/// As [`write_serialized`] of [`php_string`], but a short one needs no memory of its own.
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    const SHORT: usize = 256;
    let mut digits = itoa::Buffer::new();
    let parts = [
        b"s:",
        digits.format(text.len()).as_bytes(),
        b":\"",
        text,
        b"\";",
    ];
    let len = parts.iter().map(|part| part.len()).sum();
    let mut room = [0; SHORT];
    let Some(short) = room.get_mut(..len) else {
        return write_serialized(&parts.concat(), out);
    };
    let mut rest = &mut *short;
    for part in parts {
        let (place, behind) = rest.split_at_mut(part.len());
        place.copy_from_slice(part);
        rest = behind;
    }
    write_serialized(short, out);
}

fn write_serialized(payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(serialized_len(payload.len()) + 1);
    out.extend_from_slice(SERIALIZED);
    base64::encode(payload, out);
}

/// Returns how long the serialized form of `bytes` bytes is on the wire.
fn serialized_len(bytes: usize) -> usize {
    SERIALIZED.len() + base64::encoded_len(bytes)
}

fn has_line_end(text: &[u8]) -> bool {
    memchr::memchr3(0, b'\n', b'\r', text).is_some()
}

/// Returns whether `text` contains NUL, CR or LF, or a backslash before t, n or r (which one of the existing
/// clients replaces by the character it names).
fn has_forbidden(text: &[u8]) -> bool {
    has_line_end(text)
        || memchr::memchr_iter(b'\\', text)
            .any(|at| matches!(text.get(at + 1), Some(b't' | b'n' | b'r')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(value: Value<'_>) -> String {
        let mut out = Vec::new();
        value.write(None, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn scalars_have_their_plain_forms() {
        assert_eq!(wire(Value::Null), "__TC_NULL__");
        assert_eq!(wire(Value::Bool(true)), "__TC_TRUE__");
        assert_eq!(wire(Value::Int(i64::MIN)), "-9223372036854775808");
        assert_eq!(wire(Value::Float(1.0)), "1.0");
        assert_eq!(wire(Value::Float(-0.0)), "-0.0");
        assert_eq!(wire(Value::Float(0.1 + 0.2)), "0.30000000000000004");
        assert_eq!(wire(Value::Float(1e22)), "1e22");
        assert_eq!(
            wire(Value::Str(b"plain, with a TAB \t and a \\ ")),
            "plain, with a TAB \t and a \\ "
        );
        assert_eq!(wire(Value::Str(b"")), "");
    }

    #[test]
    fn json_is_one_line_however_it_was_written() {
        let text = b"[1,\r\n  \"a\\nb\"\n]";
        assert_eq!(wire(Value::Json(text)), "__TC_JSON__[1,    \"a\\nb\" ]");
    }

    #[test]
    fn what_the_line_cannot_tell_goes_serialized() {
        assert_eq!(
            wire(Value::Str(b"007")),
            "__TC_SERIALIZED__czozOiIwMDciOw=="
        );
        assert_eq!(wire(Value::Float(f64::NAN)), "__TC_SERIALIZED__ZDpOQU47");
        for text in [
            &b"1"[..],
            b" 1.5 ",
            b"__TC_",
            b"a\0b",
            b"a\nb",
            b"a\r",
            b"\xff",
            b"a\\nb",
        ] {
            assert!(
                wire(Value::Str(text)).starts_with("__TC_SERIALIZED__"),
                "{text:?}"
            );
        }
    }
}
