//! [`Compression`]: what is compressed, how, and how much may come out of it again.

use std::cell::RefCell;

use super::base64::encoded_len;
use super::{LZ4, ZSTD};

/// How a value is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// A block of LZ4 behind its length: quick, and about half the size of text.
    Lz4,
    /// A frame of Zstandard: smaller and slower.
    Zstd,
}

/// What is compressed on its way out. Values are compressed only where the wire form becomes shorter by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    /// How.
    pub algorithm: Algorithm,
    /// The level of Zstandard, 1 to 19, or 0 for its default; LZ4 has one only.
    pub level: i32,
    /// Shorter values are left alone, in bytes.
    pub threshold: usize,
    /// Longer ones too, in bytes: whoever reads them refuses to unpack more.
    pub limit: usize,
}

/// Why something can't be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is damaged.
    Damaged,
    /// It would be larger than allowed: so many bytes, as far as is known.
    TooLarge(usize),
}

thread_local! {
    /// Zstandard's state is large and slow to make. One for each level that was used last.
    static ZSTD_OUT: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
    static ZSTD_IN: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Compression {
    /// Returns whether a value of `bytes` bytes is to be compressed.
    pub(super) fn wants(&self, bytes: usize) -> bool {
        (self.threshold..=self.limit).contains(&bytes)
    }

    /// Returns the marker and what is to stand behind it in base64, `None` if that is not shorter than `worth`
    /// bytes on the wire.
    pub(super) fn compress(&self, plain: &[u8], worth: usize) -> Option<(&'static [u8], Vec<u8>)> {
        let (marker, packed) = match self.algorithm {
            Algorithm::Lz4 => (LZ4, lz4_flex::block::compress_prepend_size(plain)),
            Algorithm::Zstd => (ZSTD, zstd_compress(plain, self.level)?),
        };
        (marker.len() + encoded_len(packed.len()) < worth).then_some((marker, packed))
    }
}

impl Algorithm {
    /// Undoes [`Compression::compress`]; allocates at most `limit` bytes, whatever `packed` claims.
    pub(super) fn decompress(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Lz4 => lz4_decompress(packed, limit),
            Self::Zstd => zstd_decompress(packed, limit),
        }
    }
}

fn lz4_decompress(packed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let (size, block) = packed.split_first_chunk::<4>().ok_or(Fault::Damaged)?;
    let size = u32::from_le_bytes(*size) as usize;
    if size > limit {
        return Err(Fault::TooLarge(size));
    }
    // No byte of a block stands for more than 255.
    if size > block.len().saturating_mul(255) {
        return Err(Fault::Damaged);
    }
    match lz4_flex::block::decompress(block, size) {
        Ok(plain) if plain.len() == size => Ok(plain),
        _ => Err(Fault::Damaged),
    }
}

fn zstd_compress(plain: &[u8], level: i32) -> Option<Vec<u8>> {
    ZSTD_OUT.with(|kept| {
        let mut kept = kept.borrow_mut();
        let compressor = match kept.take() {
            Some((its_level, compressor)) if its_level == level => compressor,
            _ => zstd::bulk::Compressor::new(level).ok()?,
        };
        let (_, compressor) = kept.insert((level, compressor));
        compressor.compress(plain).ok()
    })
}

fn zstd_decompress(packed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    // We always write the size; a frame without it is somebody else's, and how much it holds is not known.
    let size = match zstd::zstd_safe::get_frame_content_size(packed) {
        Ok(Some(size)) => usize::try_from(size).unwrap_or(usize::MAX),
        Ok(None) | Err(_) => return Err(Fault::Damaged),
    };
    if size > limit {
        return Err(Fault::TooLarge(size));
    }
    ZSTD_IN.with(|kept| {
        let mut kept = kept.borrow_mut();
        let decompressor = match kept.take() {
            Some(decompressor) => kept.insert(decompressor),
            None => kept.insert(zstd::bulk::Decompressor::new().map_err(|_| Fault::Damaged)?),
        };
        match decompressor.decompress(packed, size) {
            Ok(plain) if plain.len() == size => Ok(plain),
            _ => Err(Fault::Damaged),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Algorithm; 2] = [Algorithm::Lz4, Algorithm::Zstd];

    fn packed(algorithm: Algorithm, plain: &[u8]) -> Vec<u8> {
        let compression = Compression {
            algorithm,
            level: 0,
            threshold: 0,
            limit: usize::MAX,
        };
        compression.compress(plain, usize::MAX).unwrap().1
    }

    #[test]
    fn what_is_packed_comes_back() {
        for algorithm in BOTH {
            for plain in [
                &b""[..],
                b"a",
                &[7; 100_000],
                &(0..=255).collect::<Vec<u8>>(),
            ] {
                let packed = packed(algorithm, plain);
                assert_eq!(
                    algorithm.decompress(&packed, plain.len()).as_deref(),
                    Ok(plain)
                );
            }
        }
    }

    #[test]
    fn only_what_pays_is_compressed() {
        let compression = Compression {
            algorithm: Algorithm::Zstd,
            level: 19,
            threshold: 10,
            limit: 20,
        };
        assert!(!compression.wants(9) && compression.wants(10) && compression.wants(20));
        assert!(!compression.wants(21));
        assert!(compression.compress(&[b'a'; 1000], 1000).is_some());
        assert!(compression.compress(b"0123456789", 10).is_none());
    }

    #[test]
    fn a_size_that_lies_is_refused_before_anything_is_allocated() {
        let mut bomb = packed(Algorithm::Lz4, &[0; 1 << 20]);
        assert_eq!(
            Algorithm::Lz4.decompress(&bomb, 1 << 19),
            Err(Fault::TooLarge(1 << 20))
        );
        bomb[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(
            Algorithm::Lz4.decompress(&bomb, usize::MAX),
            Err(Fault::Damaged),
            "no block of this length can hold so much"
        );
        let bomb = packed(Algorithm::Zstd, &[0; 1 << 20]);
        assert_eq!(
            Algorithm::Zstd.decompress(&bomb, 1 << 19),
            Err(Fault::TooLarge(1 << 20))
        );
    }

    #[test]
    fn damage_is_noticed() {
        for algorithm in BOTH {
            let whole = packed(algorithm, &[b'x'; 5000]);
            for cut in 0..whole.len() {
                assert_eq!(
                    algorithm.decompress(&whole[..cut], 1 << 20),
                    Err(Fault::Damaged),
                    "{algorithm:?} cut at {cut}"
                );
            }
            assert_eq!(
                algorithm.decompress(b"nonsense", 1 << 31),
                Err(Fault::Damaged)
            );
        }
    }
}
