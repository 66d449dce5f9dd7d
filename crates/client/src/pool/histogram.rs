//! Latencies: how many lasted how long, counted without a lock.
//!
//! The buckets are log-linear: each power of two is cut into eight, so a figure is off by an eighth at most, from
//! a tenth of a microsecond to a quarter of an hour, in 2 KB. Counting one is two relaxed additions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Each power of two has `1 << SUB_BITS` buckets.
const SUB_BITS: u32 = 3;
const SUBS: usize = 1 << SUB_BITS;
/// The width of the first buckets: `1 << UNIT_BITS` nanoseconds.
const UNIT_BITS: u32 = 7;
/// Powers of two above the first, linear group.
const GROUPS: usize = 30;
const BUCKETS: usize = SUBS * (GROUPS + 1);

/// Counts of times, by about how long they were.
#[derive(Debug)]
pub(crate) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            nanos: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Counts one that lasted `span`.
    pub(crate) fn record(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed, both: statistics, read loosely.
        self.counts[bucket_of(nanos)].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Looks at it, with `instant` more that took no time at all.
    pub(crate) fn snapshot(&self, instant: u64) -> Latency {
        // Relaxed, both: statistics, read loosely.
        let mut counts: Vec<u64> = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        counts[0] += instant;
        Latency {
            counts,
            sum: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }

    /// Returns how many were counted.
    pub(crate) fn count(&self) -> u64 {
        // Relaxed: a statistic.
        let counts = self.counts.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// How long something took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    counts: Vec<u64>,
    sum: Duration,
}

impl Latency {
    /// Returns those that have come since `before`.
    #[must_use]
    pub(crate) fn since(&self, before: &Self) -> Self {
        let pairs = self.counts.iter().zip(&before.counts);
        Self {
            counts: pairs.map(|(now, then)| now.saturating_sub(*then)).collect(),
            sum: self.sum.saturating_sub(before.sum),
        }
    }

    /// Returns how many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns how long all took together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// Returns the time within which the share `q` (0 to 1) of all were done, an eighth too much at most; zero if
    /// there were none, or if those took no time.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Duration {
        let total = self.count();
        if total == 0 {
            return Duration::ZERO;
        }
        // At least one, at most all: the product is within the range of the counts.
        let rank = ((total as f64 * q).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        match bucket {
            Some(0) | None => Duration::ZERO,
            Some(bucket) => Duration::from_nanos(end_of(bucket)),
        }
    }

    /// Returns how many took `limit` or less, to the resolution of the buckets.
    #[must_use]
    pub fn within(&self, limit: Duration) -> u64 {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let counts = self.counts.iter().enumerate();
        counts
            .take_while(|(bucket, _)| end_of(*bucket) <= limit.saturating_add(limit / SUBS as u64))
            .map(|(_, count)| count)
            .sum()
    }
}

fn bucket_of(nanos: u64) -> usize {
    let units = nanos >> UNIT_BITS;
    if units < SUBS as u64 {
        return units as usize;
    }
    let power = units.ilog2();
    let group = (power - SUB_BITS + 1) as usize;
    let sub = (units >> (power - SUB_BITS)) as usize & (SUBS - 1);
    (group * SUBS + sub).min(BUCKETS - 1)
}

/// Returns where a bucket ends, in nanoseconds.
fn end_of(bucket: usize) -> u64 {
    let (group, sub) = (bucket / SUBS, (bucket % SUBS) as u64);
    let units = if group == 0 {
        sub + 1
    } else {
        (SUBS as u64 + sub + 1) << (group - 1)
    };
    units << UNIT_BITS
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another_without_a_gap() {
        for bucket in 0..BUCKETS - 1 {
            let end = end_of(bucket);
            assert_eq!(bucket_of(end - 1), bucket, "the last of {bucket}");
            assert_eq!(bucket_of(end), bucket + 1, "the first of the next");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_figure_is_off_by_an_eighth_at_most() {
        for nanos in (10..36).map(|power| 3u64 << power) {
            let histogram = Histogram::default();
            histogram.record(Duration::from_nanos(nanos));
            let told = histogram.snapshot(0).quantile(0.5).as_nanos() as u64;
            assert!(
                told >= nanos && told <= nanos + nanos / 8,
                "{nanos} told as {told}"
            );
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let histogram = Histogram::default();
        for ms in 1..=100 {
            histogram.record(Duration::from_millis(ms));
        }
        let latency = histogram.snapshot(0);
        assert_eq!(latency.count(), 100);
        assert_eq!(histogram.count(), 100);
        assert_eq!(latency.sum(), Duration::from_millis(5050));
        for (q, ms) in [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)] {
            let told = latency.quantile(q);
            let exact = Duration::from_millis(ms);
            assert!(
                told >= exact && told <= exact + exact / 8,
                "{q}: {told:?} for {exact:?}"
            );
        }
    }

    #[test]
    fn what_took_no_time_counts_as_zero() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_millis(8));
        let latency = histogram.snapshot(99);
        assert_eq!(latency.count(), 100);
        assert_eq!(latency.quantile(0.99), Duration::ZERO);
        assert!(latency.quantile(1.0) >= Duration::from_millis(8));
        assert_eq!(
            Histogram::default().snapshot(0).quantile(0.99),
            Duration::ZERO
        );
    }

    #[test]
    fn counts_up_to_a_limit_grow_to_all() {
        let histogram = Histogram::default();
        for us in [50, 500, 5_000, 50_000] {
            histogram.record(Duration::from_micros(us));
        }
        let latency = histogram.snapshot(0);
        for (us, count) in [(10, 0), (100, 1), (1_000, 2), (10_000, 3), (100_000, 4)] {
            assert_eq!(latency.within(Duration::from_micros(us)), count, "{us} us");
        }
    }
}
