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
    /// The quota of a thread: after how many releases with somebody waiting it has to hand over. It is counted from
    /// when the thread last waited itself. With 4, a busy thread takes four loans and then waits behind the others, so
    /// all threads get equally many, and only every fourth permit lies idle until its new owner has been woken.
    pub(crate) turn: u32,
}

impl HandOff {
    /// A head of the line that has waited for so many times the patience gets the next permit, even if the thread that
    /// gives it back has not used up its quota: a quota of loans that take long would take too long.
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

    /// Gives the calling thread a new quota, since it has to wait.
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
    /// How much of its quota the thread has used. One count for all pools: a thread that uses two of them hands over
    /// sooner than it would have to.
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
