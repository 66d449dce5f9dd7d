//! The memory account of a store: what all entries together occupy, against the limit.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What a put does when the memory limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFull {
    /// Make room: remove the entries that were not used for the longest time (approximately; see
    /// [`Store`](super::Store)).
    #[default]
    Evict,
    /// Refuse what would not fit; nothing is removed.
    Error,
}

/// The refusal of a put that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("out_of_memory")]
pub struct Full;

/// Bytes in use and the limit.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    pub(super) limit: usize,
    pub(super) on_full: OnFull,
}

impl Budget {
    pub(super) fn new(limit: usize, on_full: OnFull) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
            on_full,
        }
    }

    /// Takes `bytes` if the sum stays within the limit; tells whether it did.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        // Relaxed: a sum on its own, it orders nothing; the entries are under the shard locks.
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.limit;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    /// Books that what was worth `before`, reserved bytes among it, is worth `after`.
    pub(super) fn settle(&self, before: usize, after: usize) {
        // Relaxed: as in `reserve`.
        if after > before {
            self.used.fetch_add(after - before, Ordering::Relaxed);
        } else if before > after {
            self.give_back(before - after);
        }
    }

    fn give_back(&self, bytes: usize) {
        // Relaxed: as in `reserve`.
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes in use.
    pub(super) fn used(&self) -> usize {
        // Relaxed: as in `reserve`; a reader gets some recent sum.
        self.used.load(Ordering::Relaxed)
    }

    /// Whether `bytes` more would not fit.
    pub(super) fn lacks(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) > self.limit
    }

    /// Whether the order of use matters yet: more than half of the limit is in use.
    pub(super) fn is_tight(&self) -> bool {
        self.used() > self.limit / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let budget = Budget::new(100, OnFull::Error);
        assert!(budget.reserve(60));
        assert!(!budget.reserve(41));
        assert!(!budget.lacks(40) && budget.lacks(41));
        assert_eq!(budget.used(), 60);
        budget.settle(60, 90);
        assert_eq!(budget.used(), 90);
        budget.settle(90, 20);
        assert_eq!(budget.used(), 20);
        assert!(!budget.is_tight());
    }
}
