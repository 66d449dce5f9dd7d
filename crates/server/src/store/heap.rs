//! What the allocator takes for a block.

/// Bytes that a block of `size` occupies: its size class, of which there are four to each doubling,
/// as in mimalloc and jemalloc. What the allocator keeps beside the blocks is a few in a hundred.
pub(super) fn class(size: usize) -> usize {
    match size {
        0 => 0,
        1..=8 => 8,
        9..=128 => size.next_multiple_of(16),
        _ => {
            let step = ((size - 1).ilog2()).saturating_sub(2);
            size.checked_next_multiple_of(1 << step).unwrap_or(size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn a_block_occupies_its_size_class() {
        let pairs = [
            (0, 0),
            (1, 8),
            (9, 16),
            (112, 112),
            (113, 128),
            (129, 160),
            (256, 256),
            (257, 320),
            (1000, 1024),
            (1025, 1280),
            (5 << 20, 5 << 20),
            ((5 << 20) + 1, 6 << 20),
        ];
        for (size, occupied) in pairs {
            assert_eq!(class(size), occupied, "{size}");
        }
        assert_eq!(class(usize::MAX), usize::MAX);
    }
}
