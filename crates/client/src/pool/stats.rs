//! What a pool counts. Counters only grow (no gauge is ever decremented, so none can wrap); what is in use right
//! now is derived when somebody asks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::Histogram;
pub use super::histogram::Latency;
use crate::history::History;

/// A monotone counter. Relaxed throughout: it publishes nothing, and decides nothing but how lifetimes are spread.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one pool.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Permits that were given to open a connection which could not be opened.
    pub(crate) in_vain: Counter,
    pub(crate) waits: Counter,
    pub(crate) acquire_timeouts: Counter,
    pub(crate) opened: Counter,
    pub(crate) connect_failures: Counter,
    pub(crate) connects_skipped: Counter,
    pub(crate) closed_broken: Counter,
    pub(crate) closed_stale: Counter,
    pub(crate) closed_retired: Counter,
    pub(crate) retries: Counter,
    /// How long those waited that had to wait. All others took no time.
    pub(crate) waited: Histogram,
    /// How long the exchange took, connecting included, the waiting not.
    pub(crate) round_trip: Histogram,
}

/// What a connection has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that the kernel took.
    pub sent: u64,
    /// Bytes that arrived.
    pub received: u64,
}

/// How long calls of a pool took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latencies {
    /// Waiting for a connection of the pool.
    pub acquire: Latency,
    /// From then on until the last reply was in, opening a connection included.
    pub round_trip: Latency,
}

/// A pool, now and over the last minute.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastMinute {
    pub(crate) history: History<Figures>,
    pub(crate) at: Duration,
    pub(crate) now: Figures,
}

/// What a pool notes of itself every few seconds.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) stats: PoolStats,
    pub(crate) latencies: Latencies,
}

impl LastMinute {
    /// Returns how much a counter has grown.
    #[must_use]
    pub fn count(&self, read: impl Fn(&PoolStats) -> u64) -> u64 {
        self.growth(read).map_or(0, |(grown, _)| grown)
    }

    /// Returns how long ago a counter began to grow, to ten seconds; a minute at most.
    #[must_use]
    pub fn began(&self, read: impl Fn(&PoolStats) -> u64) -> Option<Duration> {
        self.growth(read)
            .map(|(_, since)| self.at.saturating_sub(since))
    }

    /// Returns how long its calls took.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        let Latencies {
            acquire,
            round_trip,
        } = &self.now.latencies;
        let before = self.history.first(self.at).unwrap_or(&self.now);
        Latencies {
            acquire: acquire.since(&before.latencies.acquire),
            round_trip: round_trip.since(&before.latencies.round_trip),
        }
    }

    fn growth(&self, read: impl Fn(&PoolStats) -> u64) -> Option<(u64, Duration)> {
        let now = read(&self.now.stats);
        self.history
            .growth(self.at, now, |figures| read(&figures.stats))
    }
}

/// One look at a pool. The counters belong together only loosely: they are read one after the other while other
/// threads go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The most connections that may exist.
    pub size: u32,
    /// Connections that wait in the pool.
    pub idle: u32,
    /// Connections (or permits to open one) that are checked out.
    pub in_use: u32,
    /// Threads that wait for one.
    pub waiters: u32,
    /// The most that were checked out at once since the last housekeeping.
    pub peak: u32,
    /// Check-outs, those included whose connection could not be opened.
    pub check_outs: u64,
    /// Check-outs that had to stand in line.
    pub waits: u64,
    /// Check-outs that gave up in line.
    pub acquire_timeouts: u64,
    /// Connections opened.
    pub opened: u64,
    /// Attempts to open one that failed.
    pub connect_failures: u64,
    /// Calls that needed a connection and failed at once, as the server had just not been reached.
    pub connects_skipped: u64,
    /// Connections closed because a call on them failed or was left half done.
    pub closed_broken: u64,
    /// Connections closed before use: the server had closed them, or bytes nobody asked for lay in them, or the
    /// pool had been drained.
    pub closed_stale: u64,
    /// Connections closed by age or because there were more than were needed.
    pub closed_retired: u64,
    /// Calls sent a second time, on a fresh connection.
    pub retries: u64,
    /// Bytes sent on connections that have been given back.
    pub bytes_sent: u64,
    /// Bytes received on connections that have been given back.
    pub bytes_received: u64,
    /// The age of the oldest connection, if there is one.
    pub oldest: Option<Duration>,
    /// How often the pool was drained.
    pub epoch: u64,
    /// Whether the pool is closed.
    pub closed: bool,
}
