//! [`Value`]: a value on its way out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{FALSE, MARK, NULL, SERIALIZED, TRUE, numeric};

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
    /// What PHP's `serialize()` made of an array or an object.
    Serialized(&'a [u8]),
}

impl Value<'_> {
    /// Returns whether a string has to go in serialized form, a third longer, because the line can't carry it as
    /// it is or it would come back as something else.
    #[must_use]
    pub fn needs_serialize(text: &[u8]) -> bool {
        text.starts_with(MARK)
            || numeric::is_numeric(text)
            || has_forbidden(text)
            || std::str::from_utf8(text).is_err()
    }

    /// Appends the value's wire form.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
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
            Value::Str(text) if Self::needs_serialize(text) => {
                let mut php = Vec::with_capacity(text.len() + 32);
                php.extend_from_slice(b"s:");
                php.extend_from_slice(itoa::Buffer::new().format(text.len()).as_bytes());
                php.extend_from_slice(b":\"");
                php.extend_from_slice(text);
                php.extend_from_slice(b"\";");
                write_serialized(&php, out);
            }
            Value::Str(text) => out.extend_from_slice(text),
            Value::Serialized(php) => write_serialized(php, out),
        }
    }
}

fn write_serialized(php: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(SERIALIZED);
    let start = out.len();
    // Four characters for every three bytes begun.
    out.resize(start + php.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(php, &mut out[start..]);
    debug_assert_eq!(
        written,
        Ok(out.len() - start),
        "BUG: base64 has a fixed length"
    );
}

/// Returns whether `text` contains NUL, CR or LF, or a backslash before t, n or r (which one of the existing
/// clients replaces by the character it names).
fn has_forbidden(text: &[u8]) -> bool {
    memchr::memchr3(0, b'\n', b'\r', text).is_some()
        || memchr::memchr_iter(b'\\', text)
            .any(|at| matches!(text.get(at + 1), Some(b't' | b'n' | b'r')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(value: Value<'_>) -> String {
        let mut out = Vec::new();
        value.write(&mut out);
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
