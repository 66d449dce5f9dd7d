//! The pool as it ought to be, in the simplest words, for `model_test` to compare it with: no atomics, no locks, and
//! everything done the slow and obvious way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A connection, as the model sees it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) epoch: u64,
    pub(super) old: bool,
    pub(super) dead: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Asleep,
    Woken,
    Granted,
    Shut,
}

/// The pool as it ought to be, in the simplest words.
pub(super) struct Model {
    pub(super) size: u32,
    pub(super) hand_over: bool,
    pub(super) free: u32,
    /// The line, by the waiters' numbers.
    pub(super) line: VecDeque<(u64, Place)>,
    /// Out of the line, with an outcome that the thread has not seen.
    pub(super) settled: Vec<(u64, Place)>,
    pub(super) idle: VecDeque<Link>,
    pub(super) epoch: u64,
    pub(super) peak: u32,
    pub(super) min_idle: u32,
    pub(super) closed: bool,
    /// Permits whose guards ended in a forked child.
    pub(super) lost: u32,
}

impl Model {
    pub(super) fn new(size: u32, hand_over: bool, min_idle: u32) -> Self {
        Self {
            size,
            hand_over,
            free: size,
            line: VecDeque::new(),
            settled: Vec::new(),
            idle: VecDeque::new(),
            epoch: 0,
            peak: 0,
            min_idle,
            closed: false,
            lost: 0,
        }
    }

    pub(super) fn in_use(&self) -> u32 {
        self.size - self.free
    }

    pub(super) fn note_peak(&mut self) {
        self.peak = self.peak.max(self.in_use());
    }

    pub(super) fn wake_one(&mut self) {
        if let Some(sleeper) = self.line.iter_mut().find(|(_, p)| *p == Place::Asleep) {
            sleeper.1 = Place::Woken;
        }
    }

    pub(super) fn release(&mut self) {
        match self.line.front().copied() {
            None => self.free += 1,
            Some((head, place)) if self.hand_over => {
                self.line.pop_front();
                self.settled.push((head, Place::Granted));
                if place == Place::Woken && self.free > 0 {
                    self.wake_one();
                }
            }
            Some(_) => {
                self.free += 1;
                let awake = self.line.iter().filter(|(_, p)| *p == Place::Woken);
                if awake.count() < self.free as usize {
                    self.wake_one();
                }
            }
        }
        if self.closed {
            self.idle.clear();
        }
    }

    pub(super) fn check_in(&mut self, link: Link, clean: bool) {
        if clean && !self.closed && link.epoch == self.epoch {
            self.idle.push_back(link);
        }
    }

    /// Closes idle connections, at most `most`, a permit in hand for each.
    pub(super) fn close_idle(&mut self, most: u32) -> usize {
        let mut closed = 0;
        while closed < most as usize && !self.closed && self.free > 0 {
            self.free -= 1;
            let gone = self.idle.pop_front();
            self.release();
            if gone.is_none() {
                break;
            }
            closed += 1;
        }
        closed
    }

    /// Pops what a check-out finds.
    pub(super) fn pop_fit(&mut self, probe: bool) -> Option<Link> {
        while let Some(link) = self.idle.pop_front() {
            let dead = probe && link.dead.load(Ordering::Relaxed); // one thread
            if link.epoch == self.epoch && !link.old && !dead {
                return Some(link);
            }
        }
        None
    }

    pub(super) fn place(&self, waiter: u64) -> Place {
        let mut all = self.line.iter().chain(&self.settled);
        all.find(|(number, _)| *number == waiter).unwrap().1
    }

    pub(super) fn forget(&mut self, waiter: u64) {
        self.line.retain(|(number, _)| *number != waiter);
        self.settled.retain(|(number, _)| *number != waiter);
    }
}
