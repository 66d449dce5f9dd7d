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
    limit: usize,
    on_full: OnFull,
}

impl Budget {
    pub(super) fn new(limit: usize, on_full: OnFull) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
            on_full,
        }
    }

    /// Accounts for an entry that occupied `old` bytes and will occupy `new`.
    ///
    /// # Errors
    ///
    /// [`Full`], and nothing changed, when the entry alone is over the limit, or when the sum is
    /// and the store refuses instead of evicting.
    pub(super) fn exchange(&self, old: usize, new: usize) -> Result<(), Full> {
        if new > self.limit {
            return Err(Full);
        }
        if new <= old {
            self.give_back(old - new);
            return Ok(());
        }
        let grow = new - old;
        // Relaxed: a sum on its own, it orders nothing; the entries are under the shard locks.
        let before = self.used.fetch_add(grow, Ordering::Relaxed);
        if self.on_full == OnFull::Error && before.saturating_add(grow) > self.limit {
            self.give_back(grow);
            return Err(Full);
        }
        Ok(())
    }

    /// Accounts for `bytes` that were freed.
    pub(super) fn give_back(&self, bytes: usize) {
        // Relaxed: as in `exchange`.
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes in use.
    pub(super) fn used(&self) -> usize {
        // Relaxed: as in `exchange`; a reader gets some recent sum.
        self.used.load(Ordering::Relaxed)
    }

    /// Whether entries have to go.
    pub(super) fn is_over(&self) -> bool {
        self.used() > self.limit
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
    fn a_refused_exchange_changes_nothing() {
        let budget = Budget::new(100, OnFull::Error);
        budget.exchange(0, 60).unwrap();
        assert_eq!(budget.exchange(0, 41), Err(Full));
        assert_eq!(budget.used(), 60);
        budget.exchange(60, 100).unwrap();
        assert_eq!(budget.exchange(100, 101), Err(Full));
        budget.exchange(100, 10).unwrap();
        assert_eq!(budget.used(), 10);
    }

    #[test]
    fn with_eviction_only_the_impossible_is_refused() {
        let budget = Budget::new(100, OnFull::Evict);
        budget.exchange(0, 60).unwrap();
        budget.exchange(0, 60).unwrap();
        assert!(budget.is_over());
        assert_eq!(budget.exchange(0, 101), Err(Full));
        assert_eq!(budget.used(), 120);
    }
}
