//! Which strings look like numbers: to PHP (so that they must not be stored as they are) and to [`decode`]
//! (so that they come back as numbers). The first set contains the second, which makes strings lossless.
//!
//! [`decode`]: super::decode

/// Returns whether PHP's `is_numeric()` accepts `text`: white space, a sign, digits with at most one point and an
/// exponent, white space.
pub(super) fn is_numeric(text: &[u8]) -> bool {
    // Nearly every string is settled by its first byte.
    let Some(first) = text.first() else {
        return false;
    };
    if !matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.' | b' ' | b'\t'..=b'\r') {
        return false;
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let start = text
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    let body = &text[start..end];
    let unsigned = body
        .strip_prefix(b"+")
        .or_else(|| body.strip_prefix(b"-"))
        .unwrap_or(body);
    shape(unsigned).is_some()
}

/// What a run of digits, point and exponent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Digits only.
    Whole,
    /// With a point, an exponent or both.
    Real,
}

/// Returns the shape of an unsigned number, `None` if it is not one. At least one digit on a side of the point.
pub(super) fn shape(text: &[u8]) -> Option<Shape> {
    let digits = |from: usize| {
        text[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = digits(0);
    let mut at = whole;
    let mut real = false;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if whole + fraction == 0 {
            return None;
        }
        at += 1 + fraction;
        real = true;
    } else if whole == 0 {
        return None;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
        real = true;
    }
    (at == text.len()).then_some(if real { Shape::Real } else { Shape::Whole })
}

/// Returns the integer that `text` is the canonical form of: no plus, no leading zero, no `-0`, within 64 bits.
pub(super) fn canonical_int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Returns the float that `text` writes with a point or an exponent, `None` if it is none or too large for one.
pub(super) fn real(text: &[u8]) -> Option<f64> {
    if !matches!(text.first(), Some(b'0'..=b'9' | b'-' | b'.')) {
        return None;
    }
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    if shape(unsigned) != Some(Shape::Real) {
        return None;
    }
    std::str::from_utf8(text)
        .ok()?
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_is_what_php_says() {
        for yes in [
            "0",
            "007",
            "1",
            "-1",
            "+1",
            "1.",
            ".5",
            "-.5",
            "1e3",
            "1E-3",
            "1.5e+10",
            " 1",
            "1 ",
            "\t1\n",
            "\x0b1",
            "1\x0c",
            "9223372036854775808",
            "1e1000",
            "0.1",
            "-0",
            "00",
        ] {
            assert!(is_numeric(yes.as_bytes()), "{yes:?}");
        }
        for no in [
            "", " ", ".", "-", "+", "e5", "1e", "1e+", "0x1A", "1a", "1 1", "--1", "1_000", "INF",
            "NAN", "1.2.3", "- 1",
        ] {
            assert!(!is_numeric(no.as_bytes()), "{no:?}");
        }
    }

    #[test]
    fn integers_are_canonical_or_strings() {
        for n in [0, 1, -1, i64::MAX, i64::MIN, 1_000_000_000_000_000_000] {
            assert_eq!(canonical_int(n.to_string().as_bytes()), Some(n));
        }
        for no in [
            "",
            "-",
            "-0",
            "00",
            "007",
            "+1",
            "1 ",
            "9223372036854775808",
            "-9223372036854775809",
            "12345678901234567890123",
        ] {
            assert_eq!(canonical_int(no.as_bytes()), None, "{no:?}");
        }
    }

    #[test]
    fn reals_have_a_point_or_an_exponent() {
        assert_eq!(real(b"1.0E+14"), Some(1e14));
        assert_eq!(real(b"0.30000000000000004"), Some(0.1 + 0.2));
        assert_eq!(real(b"-0.0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(real(b"5e-324"), Some(5e-324));
        for no in [
            "1", "1e999", "inf", "nan", "-inf", "", "1.0x", " 1.0", "+1.0",
        ] {
            assert_eq!(real(no.as_bytes()), None, "{no:?}");
        }
    }

    #[test]
    fn whatever_reads_back_as_a_number_is_numeric() {
        for text in ["1", "-5", "1.5", ".5", "-.5", "5.", "1e5", "-1E-5"] {
            assert!(canonical_int(text.as_bytes()).is_some() || real(text.as_bytes()).is_some());
            assert!(is_numeric(text.as_bytes()), "{text:?}");
        }
    }
}
