//! Base64 with the standard alphabet, by a library that uses the SIMD instructions of the machine.

use base64_simd::{STANDARD, STANDARD_NO_PAD};

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
    decode_append(text, &mut bytes)?;
    Some(bytes)
}

/// As [`decode`], behind what is in `bytes`.
pub(super) fn decode_append(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let base64 = if text.len().is_multiple_of(4) {
        STANDARD
    } else {
        STANDARD_NO_PAD
    };
    base64.decode_append(text, bytes).ok()
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
