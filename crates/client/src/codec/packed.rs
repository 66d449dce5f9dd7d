//! [`unpack_string`]: a string in serialized form, put where it is wanted. Its length is found first, so that whoever
//! wants it makes room for exactly that, and the bytes of a long one are written there without a copy in between.

use std::mem::MaybeUninit;

use super::{SERIALIZED, base64};

/// How much of a long text is looked at to find the length: `s:`, 20 digits and `:"` are 24 bytes.
const HEAD: usize = 32;
/// Up to how many characters are unpacked at once, on the stack.
const SHORT: usize = 256;
/// What ends the serialized form.
const END: &[u8] = b"\";";

/// Where a string goes.
pub trait Room {
    /// Why there is none.
    type Error;

    /// Makes room for a string of `len` bytes, which is exactly that many.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn make(&mut self, len: usize) -> Result<&mut [MaybeUninit<u8>], Self::Error>;
}

/// Unpacks the string that `wire` is the serialized form of into `room`. Returns false for everything else, damaged
/// ones included ([`decode`](super::decode()) tells what it is); then room may have been made, and is not filled.
///
/// # Errors
///
/// That of `room`.
///
/// # Panics
///
/// Panics if `room` makes more or less than it was asked for.
pub fn unpack_string<R: Room>(wire: &[u8], room: &mut R) -> Result<bool, R::Error> {
    // `s:` and a digit are these in base64.
    match wire.strip_prefix(SERIALIZED) {
        Some(text) if text.starts_with(b"czo") => {}
        _ => return Ok(false),
    }
    let text = &wire[SERIALIZED.len()..];
    if text.len() <= SHORT {
        return unpack_short(text, room);
    }
    let Some((start, end)) = bounds(text) else {
        return Ok(false);
    };
    let room = room.make(end - start)?;
    Ok(unpack_long(text, start, end, room).is_some())
}

fn unpack_short<R: Room>(text: &[u8], room: &mut R) -> Result<bool, R::Error> {
    let mut all = [MaybeUninit::uninit(); SHORT / 4 * 3];
    let body = base64::decode_to(text, &mut all)
        .and_then(|all| string_body(all).map(|(start, end)| &all[start..end]));
    if let Some(body) = body {
        room.make(body.len())?.write_copy_of_slice(body);
    }
    Ok(body.is_some())
}

/// Finds where the string begins and ends in what `text` is the base64 of, by the beginning and the length of that.
fn bounds(text: &[u8]) -> Option<(usize, usize)> {
    let mut head = [MaybeUninit::uninit(); HEAD / 4 * 3];
    base64::decode_whole(&text[..HEAD], &mut head)
        .and_then(|head| ends(head, base64::decoded_len(text)?))
}

/// Finds the text in `s:LEN:"TEXT";`, `None` unless the whole payload is exactly that. Returns where it begins and
/// ends.
pub(super) fn string_body(payload: &[u8]) -> Option<(usize, usize)> {
    ends(payload, payload.len()).filter(|(_, end)| payload[*end..] == *END)
}

/// As [`string_body`], for a payload of `whole` bytes that begins with `head`; what ends it is not looked at.
fn ends(head: &[u8], whole: usize) -> Option<(usize, usize)> {
    let rest = head.strip_prefix(b"s:")?;
    let colon = memchr::memchr(b':', &rest[..rest.len().min(21)])?;
    let digits = std::str::from_utf8(&rest[..colon]).ok()?;
    if digits.starts_with('+') || rest.get(colon + 1) != Some(&b'"') {
        return None;
    }
    let len: usize = digits.parse().ok()?;
    let start = 2 + colon + 2;
    let end = start.checked_add(len)?;
    (end.checked_add(END.len())? == whole).then_some((start, end))
}

/// Four characters are three bytes. The string begins within the last three of the head, or with what follows them, and
/// ends within the tail; what lies between is decoded to where it belongs.
fn unpack_long(text: &[u8], start: usize, end: usize, room: &mut [MaybeUninit<u8>]) -> Option<()> {
    let (head, tail) = (start.div_ceil(3), end / 3);
    let (begun, ending) = (head * 3 - start, end - tail * 3);
    let (first, rest) = room.split_at_mut(begun);
    let (middle, last) = rest.split_at_mut(rest.len() - ending);
    let mut some = [MaybeUninit::uninit(); HEAD / 4 * 3];
    let some = base64::decode_whole(&text[..head * 4], &mut some[..head * 3])?;
    first.write_copy_of_slice(&some[start..]);
    base64::decode_whole(&text[head * 4..tail * 4], middle)?;
    let mut some = [MaybeUninit::uninit(); HEAD / 4 * 3];
    let some = base64::decode_to(&text[tail * 4..], &mut some)?;
    let (text, after) = some.split_at_checked(ending)?;
    last.write_copy_of_slice(text);
    (after == END).then_some(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::Value;
    use super::*;

    #[derive(Default)]
    struct Bytes(Vec<MaybeUninit<u8>>);

    impl Room for Bytes {
        type Error = Infallible;

        fn make(&mut self, len: usize) -> Result<&mut [MaybeUninit<u8>], Infallible> {
            self.0.resize(len, MaybeUninit::new(0));
            Ok(&mut self.0)
        }
    }

    #[expect(
        unsafe_code,
        reason = "bytes that may be unwritten can be looked at in no other way"
    )]
    fn unpacked(wire: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Bytes::default();
        let Ok(filled) = unpack_string(wire, &mut bytes);
        // SAFETY: every byte was written when the room was made, and perhaps again.
        let bytes = bytes.0.iter().map(|byte| unsafe { byte.assume_init() });
        filled.then(|| bytes.collect())
    }

    fn wire(body: &[u8]) -> Vec<u8> {
        let mut out = SERIALIZED.to_vec();
        base64::encode(body, &mut out);
        out
    }

    #[test]
    fn every_length_comes_back_padded_or_not() {
        let bytes: Vec<u8> = (0..=255).rev().cycle().take(12_000).collect();
        for len in (0..1100).chain(9_990..10_010) {
            // 0xff is no UTF-8, so all of them are packed.
            let text = [b"\xff", &bytes[..len]].concat();
            let mut packed = Vec::new();
            Value::Str(&text).write(None, &mut packed);
            assert_eq!(unpacked(&packed).as_deref(), Some(&text[..]), "{len}");
            while packed.last() == Some(&b'=') {
                packed.pop();
            }
            assert_eq!(unpacked(&packed).as_deref(), Some(&text[..]), "{len}, bare");
        }
        assert_eq!(unpacked(&wire(b"s:0:\"\";")).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_is_not_quite_a_string_is_left_alone() {
        let long = "x".repeat(1000);
        let bodies = [
            "s:2:\"a\";".to_owned(),
            "s:1:\"a\";x".to_owned(),
            "s:1:\"a\"".to_owned(),
            "s:+1:\"a\";".to_owned(),
            "s:1:'a\";".to_owned(),
            "s:1:\"a';".to_owned(),
            "s:99999999999999999999:\"a\";".to_owned(),
            "s:18446744073709551615:\"a\";".to_owned(),
            "s:1".to_owned(),
            "s:1:".to_owned(),
            "s:00000000000000000000000000000000001:\"a\";".to_owned(),
            format!("s:999:\"{long}\";"),
            format!("s:1001:\"{long}\";"),
            format!("s:1000:\"{long}';"),
            format!("s:1000:\"{long}\":"),
            format!("s:1000:\"{long}\";i:1;"),
            format!("a:1:{{i:0;s:1000:\"{long}\";}}"),
        ];
        for body in bodies {
            assert_eq!(unpacked(&wire(body.as_bytes())), None, "{body}");
        }
        assert_eq!(unpacked(b"__TC_SERIALIZED__czo!"), None);
        assert_eq!(unpacked(b"__TC_SERIALIZED__"), None);
        assert_eq!(unpacked(b"__TC_LZ4__czox"), None);
    }

    /// Whichever character is damaged, and wherever padding turns up, the result is that of unpacking everything.
    #[test]
    fn damage_is_seen_wherever_it_is() {
        for len in [1, 2, 3, 60, 61, 62, 300, 301, 302] {
            let text = vec![0xfe; len];
            let whole = wire(&[format!("s:{len}:\"").as_bytes(), &text, END].concat());
            assert_eq!(unpacked(&whole).as_deref(), Some(&text[..]));
            for at in SERIALIZED.len()..whole.len() {
                for damage in [b'!', b'=', b'\n', 0x80] {
                    let mut damaged = whole.clone();
                    damaged[at] = damage;
                    let same = damaged == whole;
                    assert_eq!(unpacked(&damaged).is_some(), same, "{len}, {at}");
                }
            }
        }
    }
}
