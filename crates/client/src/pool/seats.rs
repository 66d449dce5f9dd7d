//! What is noted of each connection that is open: when it was opened, how often it was lent, what it has carried. One
//! seat for each connection that may exist, in cache lines of its own: whoever owns the connection owns its seat, so
//! counting a loan moves no memory between processors that the connection did not move already.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::stats::Traffic;

/// The seats of a pool. Their sums only grow: a seat keeps its counts when its connection is closed.
#[derive(Debug)]
pub(crate) struct Seats {
    cells: Box<[CachePadded<Cell>]>,
    /// Shared by the connections that are open beyond the size of the pool, for a moment, while it is closed (P5).
    standing: Cell,
}

/// See [`Seats`].
#[derive(Debug, Default)]
struct Cell {
    /// When its connection was opened, in milliseconds of the pool plus one; 0 if the seat is free.
    opened: AtomicU64,
    loans: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Cell {
    fn take(&self, opened: u64) -> bool {
        // Looked at first, Relaxed: a seat that is taken is in use, and an exchange would take its cache line away
        // even if it fails. Acquire: pairs with the Release in `Seat::drop`, so that the counts are seen as the last
        // owner left them.
        self.opened.load(Ordering::Relaxed) == 0
            && self
                .opened
                .compare_exchange(0, opened, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
    }
}

impl Seats {
    pub(crate) fn new(size: u32) -> Arc<Self> {
        Arc::new(Self {
            cells: (0..size).map(|_| CachePadded::default()).collect(),
            standing: Cell::default(),
        })
    }

    /// Takes a seat for a connection opened `now` after the pool was made, for as long as the connection lives.
    pub(crate) fn take(self: &Arc<Self>, now: Duration) -> Seat {
        let opened = u64::try_from(now.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        Seat {
            seats: Arc::clone(self),
            at: self.cells.iter().position(|cell| cell.take(opened)),
        }
    }

    /// Returns the age of the oldest connection.
    pub(crate) fn oldest(&self, now: Duration) -> Option<Duration> {
        // Relaxed: publishes nothing. A caller decides by it whether to ask the breaker before it stands in line
        // (`Pool::look_ahead`); it learns a moment later, there or here, what an old value kept from it.
        let cells = self.cells.iter();
        let opened = cells.map(|cell| cell.opened.load(Ordering::Relaxed));
        let opened = opened.filter(|opened| *opened != 0).min()?;
        Some(now.saturating_sub(Duration::from_millis(opened - 1)))
    }

    /// Returns how many loans there were, and what was carried in them.
    pub(crate) fn sums(&self) -> (u64, Traffic) {
        let mut loans = 0;
        let mut traffic = Traffic::default();
        for cell in self
            .cells
            .iter()
            .map(|cell| &**cell)
            .chain([&self.standing])
        {
            // Relaxed: statistics, read loosely.
            loans += cell.loans.load(Ordering::Relaxed);
            traffic.sent += cell.sent.load(Ordering::Relaxed);
            traffic.received += cell.received.load(Ordering::Relaxed);
        }
        (loans, traffic)
    }
}

/// The seat of one connection.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    at: Option<usize>,
}

impl Seat {
    /// Counts a loan of the connection.
    pub(crate) fn count_loan(&mut self) {
        self.add(|cell| &cell.loans, 1);
    }

    /// Counts what the connection has carried.
    pub(crate) fn count(&mut self, traffic: Traffic) {
        self.add(|cell| &cell.sent, traffic.sent);
        self.add(|cell| &cell.received, traffic.received);
    }

    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "only the owner may add: to load and to store are two steps"
    )]
    fn add(&mut self, count: impl Fn(&Cell) -> &AtomicU64, n: u64) {
        // Relaxed, all: those who add up read loosely.
        match self.at {
            Some(at) => {
                // Nobody else writes to it: the seat is lent mutably, and there is one to each cell.
                let count = count(&self.seats.cells[at]);
                count.store(count.load(Ordering::Relaxed) + n, Ordering::Relaxed);
            }
            None => {
                count(&self.seats.standing).fetch_add(n, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(at) = self.at {
            // Release: pairs with the Acquire in `Cell::take`.
            self.seats.cells[at].opened.store(0, Ordering::Release);
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn the_oldest_is_told_until_it_is_closed() {
        let seats = Seats::new(3);
        assert_eq!(seats.oldest(9 * S), None);
        let first = seats.take(S);
        let second = seats.take(4 * S);
        assert_eq!(seats.oldest(9 * S), Some(8 * S));
        drop(first);
        assert_eq!(seats.oldest(9 * S), Some(5 * S));
        let third = seats.take(8 * S);
        assert_eq!(seats.oldest(9 * S), Some(5 * S));
        drop(second);
        assert_eq!(seats.oldest(9 * S), Some(S));
        drop(third);
        assert_eq!(seats.oldest(9 * S), None);
    }

    #[test]
    fn counts_outlive_the_connection() {
        let seats = Seats::new(2);
        let some = Traffic {
            sent: 3,
            received: 40,
        };
        let mut kept = seats.take(S);
        kept.count_loan();
        for _ in 0..3 {
            let mut seat = seats.take(S);
            seat.count_loan();
            seat.count(some);
        }
        let all = Traffic {
            sent: 9,
            received: 120,
        };
        assert_eq!(seats.sums(), (4, all));
    }

    #[test]
    fn what_has_no_seat_is_counted_all_the_same() {
        let seats = Seats::new(1);
        let mut kept = seats.take(2 * S);
        let mut standing = seats.take(S);
        kept.count_loan();
        standing.count_loan();
        assert_eq!(seats.sums().0, 2);
        assert_eq!(seats.oldest(3 * S), Some(S));
        drop(standing);
        assert_eq!(seats.oldest(3 * S), Some(S));
    }
}
