//! [`HandOff`]: when the gate frees a permit, and when it hands it over. The gate is right whatever is said here: its
//! models say for each permit what they like.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// When a permit is handed to the head of the line instead of being freed. Every choice is right; it weighs the order
/// of the line against the threads that have to be woken for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandOff {
    /// How long the head has to have waited. Below it the next loan of a running thread comes first.
    pub(crate) patience: Duration,
    /// How many permits a thread gives back beside a line, since it stood in line itself, before it has to hand over:
    /// the loans that it may have in turn. Threads that use the pool all the time get the same number of loans like
    /// this, and only one in so many waits for a thread to be woken.
    pub(crate) turn: u32,
}

impl HandOff {
    /// After so many times the patience the head is served by whoever comes first, in the middle of a turn or not: a
    /// turn is meant for some short loans, not for some long ones.
    const OVERDUE: u32 = 8;

    /// Says whether the head of the line, which has waited since `since`, is to be handed the permit that the calling
    /// thread gives back. To be asked once for each permit.
    pub(super) fn is_due(self, since: Instant) -> bool {
        let given = GIVEN.get().saturating_add(1);
        GIVEN.set(given);
        let waited = since.elapsed();
        waited >= self.patience
            && (given >= self.turn || waited >= self.patience.saturating_mul(Self::OVERDUE))
    }

    /// Notes that the calling thread has stood in line.
    pub(super) fn begin_turn() {
        GIVEN.set(0);
    }
}

impl Default for HandOff {
    fn default() -> Self {
        Self {
            patience: Duration::from_millis(1),
            turn: 4,
        }
    }
}

thread_local! {
    /// How many permits the thread has given back beside a line since it stood in line itself, at any gate.
    static GIVEN: Cell<u32> = const { Cell::new(0) };
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const HAND_OFF: HandOff = HandOff {
        patience: Duration::from_secs(60),
        turn: 3,
    };

    fn is_due(minutes: u64) -> bool {
        let waited = Duration::from_secs(60 * minutes);
        HAND_OFF.is_due(Instant::now().checked_sub(waited).unwrap())
    }

    #[test]
    fn a_turn_ends_with_its_last_permit() {
        HandOff::begin_turn();
        assert_eq!([(); 4].map(|()| is_due(2)), [false, false, true, true]);
        HandOff::begin_turn();
        assert!(!is_due(2), "the next turn");
    }

    #[test]
    fn nobody_is_handed_a_permit_before_the_patience_is_over() {
        HandOff::begin_turn();
        assert_eq!([(); 4].map(|()| is_due(0)), [false; 4]);
        assert!(is_due(2), "the turn has been over for long");
    }

    #[test]
    fn who_has_waited_for_very_long_waits_for_no_turn() {
        HandOff::begin_turn();
        assert!(!is_due(7));
        assert!(is_due(8));
    }
}
