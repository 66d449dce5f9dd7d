//! [`Deadline`]: the one point in time at which a call has to be over (rule L6). It is made where the call enters
//! and handed down; nothing below takes a `Duration` to wait.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A point in time, with the time it was set and the span it was set for, so that an error can tell them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    started: Instant,
    /// How long from `started` on.
    span: Duration,
    /// The limit that decides, as it was set: what an error tells.
    limit: Duration,
    /// How long after `started` the clock was last read.
    seen: Cell<Duration>,
}

impl Deadline {
    /// Starts now and ends `limit` from now. Reads the clock once.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            span: limit,
            limit,
            seen: Cell::new(Duration::ZERO),
        }
    }

    /// Starts as if it had been set `spent` ago, to end `limit` after that: for a call in several exchanges, of which
    /// only the exchanges count. Reads the clock once.
    #[must_use]
    pub fn resumed(limit: Duration, spent: Duration) -> Self {
        let now = Instant::now();
        match now.checked_sub(spent) {
            Some(started) => Self {
                started,
                span: limit,
                limit,
                seen: Cell::new(spent),
            },
            // A clock that is younger than what was spent: what is left is the same.
            None => Self {
                started: now,
                span: limit.saturating_sub(spent),
                limit,
                seen: Cell::new(Duration::ZERO),
            },
        }
    }

    /// Returns when the clock was last read: good enough as "now" wherever milliseconds do.
    #[must_use]
    pub(crate) fn lately(&self) -> Instant {
        self.started + self.seen.get()
    }

    /// Returns the limit that the deadline was set by, the narrowest one.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns the time since the deadline was set.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let elapsed = self.started.elapsed();
        self.seen.set(elapsed);
        elapsed
    }

    /// Reads the clock, for [`Deadline::remaining_lately`]: to be called after whatever may have waited.
    pub(crate) fn look(&self) {
        let _ = self.elapsed();
    }

    /// Returns how long after the deadline was set the clock was last read.
    pub(crate) fn seen(&self) -> Duration {
        self.seen.get()
    }

    /// Returns the time that was left when the clock was last read; `None` when there was none. It is too much by the
    /// time since then. That is microseconds if nothing has waited: then a timeout may be set by it, as reading the
    /// clock again costs more than the precision is worth.
    #[must_use]
    pub(crate) fn remaining_lately(&self) -> Option<Duration> {
        self.span
            .checked_sub(self.seen.get())
            .filter(|left| !left.is_zero())
    }

    /// Returns the time that is left, `None` when there is none: zero never comes back, since several system
    /// calls take a zero timeout for "wait for ever".
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.span
            .checked_sub(self.elapsed())
            .filter(|left| !left.is_zero())
    }

    /// Returns a deadline that starts now and ends after `limit` or with this one, whichever is earlier.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        let now = Instant::now();
        let left = self
            .span
            .saturating_sub(now.saturating_duration_since(self.started));
        let (span, limit) = if limit <= left {
            (limit, limit)
        } else {
            (left, self.limit.min(limit))
        };
        Self {
            started: now,
            span,
            limit,
            seen: Cell::new(Duration::ZERO),
        }
    }

    /// Returns the instant of the deadline, or `None` if it lies beyond what the clock can express.
    #[must_use]
    pub fn instant(&self) -> Option<Instant> {
        self.started.checked_add(self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_is_none_at_and_after_the_end() {
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), None);
        let deadline = Deadline::after(Duration::from_secs(60));
        assert!(
            deadline
                .remaining()
                .is_some_and(|left| left <= Duration::from_secs(60))
        );
    }

    #[test]
    fn what_was_left_lately_changes_with_a_look_only() {
        let deadline = Deadline::after(Duration::from_millis(30));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(deadline.remaining_lately(), Some(Duration::from_millis(30)));
        deadline.look();
        assert!(deadline.remaining_lately() <= Some(Duration::from_millis(25)));
        std::thread::sleep(Duration::from_millis(30));
        assert!(deadline.remaining_lately().is_some());
        assert_eq!(deadline.remaining(), None);
        assert_eq!(deadline.remaining_lately(), None);
    }

    #[test]
    fn what_was_spent_before_counts() {
        let whole = Duration::from_millis(500);
        let deadline = Deadline::resumed(whole, Duration::from_millis(400));
        assert_eq!(deadline.limit(), whole);
        assert_eq!(
            deadline.remaining_lately(),
            Some(Duration::from_millis(100))
        );
        assert!(deadline.elapsed() >= Duration::from_millis(400));
        assert!(deadline.remaining() <= Some(Duration::from_millis(100)));
        assert!(deadline.lately().elapsed() < Duration::from_millis(300));
        assert_eq!(Deadline::resumed(whole, whole).remaining_lately(), None);
        assert_eq!(Deadline::resumed(whole, Duration::MAX).remaining(), None);
    }

    #[test]
    fn at_most_never_extends() {
        let outer = Deadline::after(Duration::from_millis(50));
        assert!(outer.at_most(Duration::from_secs(5)).limit() <= Duration::from_millis(50));
        assert!(outer.at_most(Duration::from_millis(1)).limit() <= Duration::from_millis(1));
    }

    #[test]
    fn the_limit_is_told_as_it_was_set() {
        let outer = Deadline::after(Duration::from_millis(50));
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(
            outer.at_most(Duration::from_secs(3)).limit(),
            Duration::from_millis(50)
        );
        assert_eq!(
            outer.at_most(Duration::from_millis(50)).limit(),
            Duration::from_millis(50)
        );
        assert_eq!(
            outer.at_most(Duration::from_millis(9)).limit(),
            Duration::from_millis(9)
        );
    }

    #[test]
    fn a_limit_beyond_the_clock_has_no_instant() {
        assert_eq!(Deadline::after(Duration::MAX).instant(), None);
    }
}
