//! Base64 with the standard alphabet, by a library that uses the SIMD instructions of the machine.

use std::mem::MaybeUninit;

use base64_simd::{AsOut, Base64, STANDARD, STANDARD_NO_PAD};

/// Appends the base64 of `bytes`, padded.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    STANDARD.encode_append(bytes, out);
}

/// Returns how long the base64 of `bytes` bytes is.
pub(super) fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

/// Decodes `text`, padded or not (not every client pads); `None` if it is not base64. There is room
/// for one more byte: who hands the bytes to C can end them with a NUL without moving them.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4).saturating_mul(3) + 1);
    kind(text).decode_append(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Decodes `text` as [`decode`] does, to the beginning of `room`; `None` also if there is not enough of it.
pub(super) fn decode_to<'r>(text: &[u8], room: &'r mut [MaybeUninit<u8>]) -> Option<&'r [u8]> {
    let len = decoded_len(text)?;
    let room = room.get_mut(..len)?;
    let bytes = kind(text).decode(text, room.as_out()).ok()?;
    Some(bytes)
}

/// Decodes `text`, which goes on, so that it can't be padded, and fills `room` with it. `None` if the lengths don't
/// match.
pub(super) fn decode_whole<'r>(text: &[u8], room: &'r mut [MaybeUninit<u8>]) -> Option<&'r [u8]> {
    if !text.len().is_multiple_of(4) || text.len() / 4 * 3 != room.len() {
        return None;
    }
    let bytes = STANDARD_NO_PAD.decode(text, room.as_out()).ok()?;
    Some(bytes)
}

/// Returns how many bytes `text` stands for if it is base64, padded or not; `None` if it can't be.
pub(super) fn decoded_len(text: &[u8]) -> Option<usize> {
    let padding = match text {
        _ if !text.len().is_multiple_of(4) => 0,
        [.., b'=', b'='] => 2,
        [.., b'='] => 1,
        _ => 0,
    };
    let bare = text.len() - padding;
    (bare % 4 != 1).then(|| bare / 4 * 3 + (bare % 4) * 3 / 4)
}

fn kind(text: &[u8]) -> &'static Base64 {
    if text.len().is_multiple_of(4) {
        &STANDARD
    } else {
        &STANDARD_NO_PAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_padded_or_not() {
        let bytes: Vec<u8> = (0..=255).cycle().take(600).collect();
        for len in 0..bytes.len() {
            let mut text = Vec::new();
            encode(&bytes[..len], &mut text);
            assert_eq!(text.len(), encoded_len(len));
            assert_eq!(decode(&text).as_deref(), Some(&bytes[..len]));
            assert!(decode(&text).is_some_and(|bytes| bytes.capacity() > len));
            let bare = text
                .iter()
                .rposition(|byte| *byte != b'=')
                .map_or(0, |at| at + 1);
            assert_eq!(decode(&text[..bare]).as_deref(), Some(&bytes[..len]));
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in [
            "?", "A", "AA=", "AA=A", "AAA!", "AB==", "AAAA=", "AA==AAAA", "A A=", "AA\n=",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
