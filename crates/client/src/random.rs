//! Random numbers: none that somebody outside can foresee, and none that a forked child shares with its parent.
//!
//! SipHash of a count, with keys that the system draws for each thread. A child has its parent's keys and count, but
//! not its number as a process, which is part of what is hashed.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::process;

use crate::fork;

struct Source {
    keys: RandomState,
    count: Cell<u64>,
    /// The process, and its fork generation: asking the system each time would cost more than all else.
    process: Cell<(u32, u64)>,
}

thread_local! {
    static SOURCE: Source = Source::new();
}

impl Source {
    fn new() -> Self {
        fork::install();
        Self {
            keys: RandomState::new(),
            count: Cell::new(0),
            process: Cell::new((process::id(), fork::generation())),
        }
    }

    fn next(&self) -> u64 {
        let generation = fork::generation();
        if self.process.get().1 != generation {
            self.process.set((process::id(), generation));
        }
        let count = self.count.get().wrapping_add(1);
        self.count.set(count);
        self.keys.hash_one((self.process.get().0, count))
    }
}

/// Returns a number.
#[must_use]
pub fn random() -> u64 {
    SOURCE.with(Source::next)
}

/// Returns a number from 0 up to, but not including, 1.
#[must_use]
pub fn random_unit() -> f64 {
    (random() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn fractions_fill_their_range() {
        let drawn: Vec<f64> = (0..10_000).map(|_| random_unit()).collect();
        assert!(drawn.iter().all(|unit| (0.0..1.0).contains(unit)));
        let mut parts = [0; 10];
        for unit in drawn {
            parts[(unit * 10.0) as usize] += 1;
        }
        assert!(parts.iter().all(|count| *count > 800), "{parts:?}");
    }
}
