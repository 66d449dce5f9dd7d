//! When the connections that are open were opened: a cell for each, filled when it is opened and emptied when it is
//! closed, so that the oldest can be told although the connections belong to others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One cell for each connection that may exist: when it was opened, in milliseconds of the pool plus one; 0 if free.
#[derive(Debug)]
pub(crate) struct Ages(Box<[AtomicU64]>);

impl Ages {
    pub(crate) fn new(size: u32) -> Arc<Self> {
        Arc::new(Self((0..size).map(|_| AtomicU64::new(0)).collect()))
    }

    /// Notes a connection opened `now` after the pool was made, for as long as the note lives.
    pub(crate) fn note(self: &Arc<Self>, now: Duration) -> Age {
        let opened = u64::try_from(now.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        // Relaxed: the exchange alone decides who has the cell, and nothing else is published.
        let cell = self.0.iter().position(|cell| {
            cell.compare_exchange(0, opened, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        });
        Age {
            ages: Arc::clone(self),
            cell,
        }
    }

    /// Returns the age of the oldest.
    pub(crate) fn oldest(&self, now: Duration) -> Option<Duration> {
        // Relaxed: a statistic.
        let cells = self.0.iter().map(|cell| cell.load(Ordering::Relaxed));
        let opened = cells.filter(|opened| *opened != 0).min()?;
        Some(now.saturating_sub(Duration::from_millis(opened - 1)))
    }
}

/// The note of one connection.
#[derive(Debug)]
pub(crate) struct Age {
    ages: Arc<Ages>,
    cell: Option<usize>,
}

impl Drop for Age {
    fn drop(&mut self) {
        if let Some(cell) = self.cell {
            // Relaxed: pairs with the exchange in `note`, which needs no more than to see it free.
            self.ages.0[cell].store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn the_oldest_is_told_until_it_is_closed() {
        let ages = Ages::new(3);
        assert_eq!(ages.oldest(9 * S), None);
        let first = ages.note(S);
        let second = ages.note(4 * S);
        assert_eq!(ages.oldest(9 * S), Some(8 * S));
        drop(first);
        assert_eq!(ages.oldest(9 * S), Some(5 * S));
        let third = ages.note(8 * S);
        assert_eq!(ages.oldest(9 * S), Some(5 * S));
        drop(second);
        assert_eq!(ages.oldest(9 * S), Some(S));
        drop(third);
        assert_eq!(ages.oldest(9 * S), None);
    }

    #[test]
    fn one_more_than_there_are_cells_is_not_noted() {
        let ages = Ages::new(1);
        let _kept = ages.note(2 * S);
        drop(ages.note(S));
        assert_eq!(ages.oldest(3 * S), Some(S));
    }
}
