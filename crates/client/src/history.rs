//! [`History`]: what figures were over the last minute, so that those who judge them can tell what is going on now from
//! what was over long ago.
//!
//! Figures only grow, and nothing runs in the background to look at them. So whoever is about to change them first
//! notes what they are, once every [`STEP`]: what has grown since the oldest note of the last minute, has grown in the
//! last minute.

use std::collections::VecDeque;
use std::time::Duration;

/// The least time between two notes.
pub(crate) const STEP: Duration = Duration::from_secs(10);

/// How far back it goes.
pub const MINUTE: Duration = Duration::from_secs(60);

/// What figures were at some moments of the last minute. Times are those since any fixed moment.
#[derive(Clone, Debug)]
pub struct History<T> {
    notes: VecDeque<(Duration, T)>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self {
            notes: VecDeque::new(),
        }
    }
}

impl<T> History<T> {
    /// Notes what the figures are at `now`, before they change, unless that was done a moment ago.
    pub fn note(&mut self, now: Duration, figures: impl FnOnce() -> T) {
        if self.notes.back().is_some_and(|(at, _)| now < *at + STEP) {
            return;
        }
        while self.notes.front().is_some_and(|(at, _)| *at + MINUTE < now) {
            self.notes.pop_front();
        }
        self.notes.push_back((now, figures()));
    }

    /// Returns how much a figure that is at `value` has grown within the minute before `now`, and when it began to, to
    /// ten seconds, if it has.
    pub fn growth(
        &self,
        now: Duration,
        value: u64,
        read: impl Fn(&T) -> u64,
    ) -> Option<(u64, Duration)> {
        let (_, first) = self.within(now).next()?;
        let grown = value.checked_sub(read(first)).filter(|grown| *grown > 0)?;
        let quiet = self
            .within(now)
            .take_while(|(_, then)| read(then) == read(first));
        quiet.last().map(|(at, _)| (grown, *at))
    }

    /// Returns the figures as they were when the minute before `now` began; `None` if they have not changed since.
    pub fn first(&self, now: Duration) -> Option<&T> {
        self.within(now).next().map(|(_, figures)| figures)
    }

    fn within(&self, now: Duration) -> impl Iterator<Item = &(Duration, T)> {
        let notes = self.notes.iter();
        notes.skip_while(move |(at, _)| *at + MINUTE < now)
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// A figure that is noted before it grows, as its users do.
    #[derive(Default)]
    struct Figure {
        value: u64,
        history: History<u64>,
    }

    impl Figure {
        fn grow(&mut self, at: u32) {
            self.history.note(at * S, || self.value);
            self.value += 1;
        }

        fn lately(&self, at: u32) -> Option<(u64, u64)> {
            let growth = self.history.growth(at * S, self.value, |value| *value);
            growth.map(|(grown, since)| (grown, since.as_secs()))
        }
    }

    #[test]
    fn what_is_over_is_forgotten_after_a_minute() {
        let mut figure = Figure::default();
        assert_eq!(figure.lately(5), None);
        figure.grow(100);
        figure.grow(101);
        assert_eq!(figure.lately(101), Some((2, 100)));
        assert_eq!(figure.lately(160), Some((2, 100)));
        assert_eq!(figure.lately(161), None);
        assert_eq!(figure.lately(10_000), None);
        // Long after: what came before the pause is not counted again.
        figure.grow(10_000);
        assert_eq!(figure.lately(10_001), Some((1, 10_000)));
    }

    #[test]
    fn it_tells_since_when_to_ten_seconds() {
        let mut figure = Figure::default();
        // Others change, this one does not.
        for at in [100, 111, 122] {
            figure.history.note(at * S, || figure.value);
        }
        figure.grow(125);
        figure.grow(133);
        figure.grow(134);
        assert_eq!(figure.lately(140), Some((3, 122)));
    }

    #[test]
    fn what_goes_on_is_told_for_the_last_minute() {
        let mut figure = Figure::default();
        for at in 0..1000 {
            figure.grow(at);
            let (grown, since) = figure.lately(at).unwrap();
            assert!(
                grown <= 61 && u64::from(at) - since <= 60,
                "{grown} {since}"
            );
            assert!(at < 60 || grown >= 50, "{grown} at {at}");
        }
        assert!(figure.history.notes.len() <= 8);
    }
}
