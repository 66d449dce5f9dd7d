//! The line of threads that wait for a permit. It is behind the gate's mutex, and so is what it says of each of them.
//! Whoever changes its length changes `waiters` in the gate's word in the same critical section (P2).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::sync::{AtomicU8, Condvar, Ordering};

/// Where a waiter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Standing {
    /// Asleep in the line.
    Asleep,
    /// Woken to take a free permit, and not yet run.
    Woken,
    /// Out of the line with a permit.
    Granted,
    /// Out of the line, the gate is closed.
    Shut,
}

/// A thread in the line.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// A [`Standing`]. Read and written only under the gate's mutex, so Relaxed suffices.
    standing: AtomicU8,
    pub(super) since: Instant,
    pub(super) wake: Condvar,
}

impl Waiter {
    pub(super) fn standing(&self) -> Standing {
        // Relaxed: under the mutex.
        match self.standing.load(Ordering::Relaxed) {
            0 => Standing::Asleep,
            1 => Standing::Woken,
            2 => Standing::Granted,
            _ => Standing::Shut,
        }
    }

    pub(super) fn set(&self, standing: Standing) {
        // Relaxed: under the mutex.
        self.standing.store(standing as u8, Ordering::Relaxed);
    }

    /// Wakes the thread, to find `standing`.
    pub(super) fn rouse(&self, standing: Standing) {
        self.set(standing);
        self.wake.notify_one();
    }

    #[cfg(all(test, not(any(loom, shuttle))))]
    pub(super) fn is_up(&self) -> bool {
        self.standing() != Standing::Asleep
    }
}

/// Those who wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Line(VecDeque<Arc<Waiter>>);

impl Line {
    /// Puts the calling thread at the end, asleep: for one that found no permit free (P1, P2).
    pub(super) fn join(&mut self) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter {
            standing: AtomicU8::new(Standing::Asleep as u8),
            since: Instant::now(),
            wake: Condvar::new(),
        });
        self.0.push_back(Arc::clone(&waiter));
        waiter
    }

    /// Returns who has waited for longest.
    pub(super) fn head(&self) -> Option<&Arc<Waiter>> {
        self.0.front()
    }

    /// Takes a waiter out, wherever it stands (P2).
    pub(super) fn leave(&mut self, waiter: &Arc<Waiter>) {
        if self.head().is_some_and(|head| Arc::ptr_eq(head, waiter)) {
            self.0.pop_front();
        } else {
            self.0.retain(|other| !Arc::ptr_eq(other, waiter));
        }
    }

    /// Sends everybody away (P2: the closer has set `waiters` to zero).
    pub(super) fn shut(&mut self) {
        for waiter in self.0.drain(..) {
            waiter.rouse(Standing::Shut);
        }
    }

    /// Wakes the first waiter that is asleep, if there is one (P1).
    pub(super) fn wake_one(&self) {
        let mut asleep = self.0.iter();
        if let Some(waiter) = asleep.find(|waiter| waiter.standing() == Standing::Asleep) {
            waiter.rouse(Standing::Woken);
        }
    }

    /// Wakes a waiter unless as many are awake already as there are permits free (P1): each of those takes one, or goes
    /// back to sleep because somebody else did.
    pub(super) fn wake_for(&self, free: u32) {
        let waiters = self.0.iter();
        let woken = waiters.filter(|waiter| waiter.standing() == Standing::Woken);
        if woken.take(free as usize).count() < free as usize {
            self.wake_one();
        }
    }
}
