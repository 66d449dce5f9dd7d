//! The gate: who may hold a connection. It owns the permits and the line of threads that wait for one, and it is
//! the only thing in the pool that decides anything.
//!
//! One 64-bit word holds `closed:1 | waiters:31 | free:32`. Every change of it is a read-modify-write of that one
//! word and therefore totally ordered with the others: no fence between "is a permit free" and "does anybody wait"
//! is needed anywhere.
//!
//! A permit that comes home is free for whoever asks first, which keeps the connection busy while a waiter is
//! still waking up; but a head of the line that is due ([`HandOff`]) gets the permit handed over, so the line
//! moves in order and no wait is unbounded (eventual fairness, as in parking_lot's mutex).
//!
//! It keeps P1 to P4, and its half of P6 (the [invariants](super) of the pool); an exhaustive model checks them, and
//! `models` here. P4 is nowhere named below: it follows from P1.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::deadline::Deadline;
use crate::fork;
use crate::sync::{AtomicU64, Condvar, Mutex, MutexGuard, Ordering};

use super::hand_off::HandOff;
use super::line::{Line, Standing, Waiter};

const FREE_ONE: u64 = 1;
const FREE_MASK: u64 = 0xFFFF_FFFF;
const WAITER_ONE: u64 = 1 << 32;
const WAITER_MASK: u64 = 0x7FFF_FFFF << 32;
const CLOSED: u64 = 1 << 63;

fn free(state: u64) -> u32 {
    (state & FREE_MASK) as u32
}

fn waiters(state: u64) -> u32 {
    ((state & WAITER_MASK) >> 32) as u32
}

/// Why [`Gate::acquire`] gave no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The gate is closed.
    Closed,
    /// The deadline passed; `waiters` others were in the line then.
    TimedOut { waiters: u32 },
}

/// A permit was taken. Whoever is told so has to see to its [`Gate::release`] (P3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acquired {
    /// How many were left free, for the statistics; none if it was handed over.
    pub(crate) free_after: u32,
}

/// Whether the gate was closed when a permit came home; a closed pool is emptied by its last holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    Open,
    Closed,
}

/// The permits of a pool, and the line of those who wait for one.
#[derive(Debug)]
pub(crate) struct Gate {
    /// `closed:1 | waiters:31 | free:32`. `waiters` changes only with the mutex held (P2).
    state: CachePadded<AtomicU64>,
    line: Mutex<Line>,
    drained: Condvar,
    size: u32,
    hand_off: HandOff,
}

impl Gate {
    /// Makes an open gate with `size` free permits.
    pub(crate) fn new(size: u32, hand_off: HandOff) -> Self {
        Self {
            state: CachePadded::new(AtomicU64::new(u64::from(size) * FREE_ONE)),
            line: Mutex::new(Line::default()),
            drained: Condvar::new(),
            size,
            hand_off,
        }
    }

    /// Takes a permit if one is free and the gate is open. Never blocks.
    pub(crate) fn try_acquire(&self) -> Result<Option<Acquired>, Refused> {
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            if free(state) == 0 {
                return Ok(None);
            }
            // P3: from free to out. P1: fewer are free than before.
            match self.state.compare_exchange_weak(
                state,
                state - FREE_ONE,
                Ordering::Acquire, // pairs with the Release in `release`
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(Some(taken(state))),
                Err(now) => state = now,
            }
        }
    }

    /// Takes a permit, waiting in line until `deadline` if none is free.
    pub(crate) fn acquire(&self, deadline: &Deadline) -> Result<Acquired, Refused> {
        if let Some(acquired) = self.try_acquire()? {
            return Ok(acquired);
        }
        let mut line = self.lock();
        let waiter = match self.join(&mut line)? {
            Joined::Permit(acquired) => return Ok(acquired),
            Joined::Line(waiter) => waiter,
        };
        HandOff::begin_turn();
        let until = deadline.instant();
        loop {
            if let Some(outcome) = self.resume(&waiter, &mut line) {
                return outcome;
            }
            let over;
            (line, over) = self.wait(&waiter.wake, line, until);
            if over {
                return self.abandon(&waiter, &mut line);
            }
        }
    }

    /// Puts the calling thread in the line, or takes a permit that came free before the mutex was taken. Joining
    /// is a compare-exchange that proves `free == 0` (P1): from then on every release sees the waiter.
    pub(super) fn join(&self, line: &mut Line) -> Result<Joined, Refused> {
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            let next = if free(state) > 0 {
                state - FREE_ONE // P3: from free to out
            } else {
                state + WAITER_ONE // P2: with `line.join()` below
            };
            match self.state.compare_exchange(
                state,
                next,
                Ordering::Acquire, // pairs with the Release in `release`
                Ordering::Relaxed,
            ) {
                Ok(_) if free(state) > 0 => return Ok(Joined::Permit(taken(state))),
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        Ok(Joined::Line(line.join()))
    }

    /// Looks, awake and under the mutex, whether the wait is over. A woken waiter that finds the permit gone goes
    /// back to sleep in its old place.
    pub(super) fn resume(
        &self,
        waiter: &Arc<Waiter>,
        line: &mut Line,
    ) -> Option<Result<Acquired, Refused>> {
        match waiter.standing() {
            Standing::Granted => return Some(Ok(Acquired { free_after: 0 })),
            Standing::Shut => return Some(Err(Refused::Closed)),
            Standing::Asleep => return None,
            Standing::Woken => {}
        }
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        while free(state) > 0 {
            // P3: from free to out. P2: with `line.leave()` below.
            match self.state.compare_exchange(
                state,
                state - FREE_ONE - WAITER_ONE,
                Ordering::Acquire, // pairs with the Release in `release`
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    line.leave(waiter);
                    return Some(Ok(taken(state)));
                }
                Err(now) => state = now,
            }
        }
        // P1: no permit is free.
        waiter.set(Standing::Asleep);
        None
    }

    /// Leaves the line at the end of the deadline. A grant or a close that came first wins over the timeout. A
    /// waiter that had been woken for a permit passes the wake-up on (P1).
    pub(super) fn abandon(
        &self,
        waiter: &Arc<Waiter>,
        line: &mut Line,
    ) -> Result<Acquired, Refused> {
        match waiter.standing() {
            Standing::Granted => return Ok(Acquired { free_after: 0 }),
            Standing::Shut => return Err(Refused::Closed),
            Standing::Asleep | Standing::Woken => {}
        }
        line.leave(waiter);
        // Relaxed: P2 is kept by the mutex, which `line` says is held; the count publishes nothing else.
        let before = self.state.fetch_sub(WAITER_ONE, Ordering::Relaxed);
        if waiter.standing() == Standing::Woken && free(before) > 0 {
            line.wake_one();
        }
        Err(Refused::TimedOut {
            waiters: waiters(before) - 1,
        })
    }

    /// Gives a permit back. Whatever the holder published before (a connection in the idle queue) is seen by the
    /// next holder. At a closed gate `if_closed` is called first, with the permit still out: whoever waits for the
    /// last permit to come home waits for that as well.
    pub(crate) fn release(&self, if_closed: impl Fn()) -> Released {
        self.release_when(|head| self.hand_off.is_due(head.since), if_closed)
    }

    /// [`Gate::release`] with the clock as an argument: `is_due` says whether the head of the line has waited for
    /// long. Models and tests decide it for each release.
    pub(super) fn release_when(
        &self,
        is_due: impl Fn(&Waiter) -> bool,
        if_closed: impl Fn(),
    ) -> Released {
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        let mut is_ready = false;
        loop {
            // Closed is for ever. If it is not and the exchange succeeds, the close comes later and sees all.
            if state & CLOSED != 0 && !is_ready {
                if_closed();
                is_ready = true;
            }
            if waiters(state) == 0 {
                // P3: from out to free. P1: succeeds only if nobody is in the line.
                match self.state.compare_exchange_weak(
                    state,
                    state + FREE_ONE,
                    Ordering::Release, // pairs with the Acquires that take a permit
                    Ordering::Relaxed,
                ) {
                    Ok(_) if state & CLOSED != 0 => return Released::Closed,
                    Ok(_) => return Released::Open,
                    Err(now) => state = now,
                }
            } else {
                if self.release_to(&mut self.lock(), &is_due) {
                    return Released::Open;
                }
                // The waiters gave up meanwhile. Relaxed: a guess again.
                state = self.state.load(Ordering::Relaxed);
            }
        }
    }

    /// Gives a permit to the line: to its head if that has waited for long, else to whoever comes first, after
    /// waking a sleeper for it. Returns false if nobody waits.
    fn release_to(&self, line: &mut Line, is_due: impl Fn(&Waiter) -> bool) -> bool {
        let Some(head) = line.head() else {
            return false;
        };
        if is_due(head) {
            let head = Arc::clone(head);
            let woken = head.standing() == Standing::Woken;
            line.leave(&head);
            // Relaxed: the mutex publishes the connection to the waiter, and keeps P2. `free` stays as it is, so
            // nobody can take the permit on its way (P3: from out to granted).
            let before = self.state.fetch_sub(WAITER_ONE, Ordering::Relaxed);
            if woken && free(before) > 0 {
                // P1: it had been woken for another permit, which it won't take now.
                line.wake_one();
            }
            head.rouse(Standing::Granted);
        } else {
            // Release: pairs with the Acquires that take a permit. P3: from out to free.
            let before = self.state.fetch_add(FREE_ONE, Ordering::Release);
            // P1. Not the head again: it may be awake already, for a permit of its own. With the mutex held `free` can
            // only shrink, so this wakes one too many at worst.
            line.wake_for(free(before) + 1);
        }
        true
    }

    /// Tells a closer that a permit came home; called after the holder has emptied the idle queue.
    pub(crate) fn announce_drained(&self) {
        // The mutex orders this with the check in `wait_drained`: no wake-up falls between check and wait.
        let line = self.lock();
        self.drained.notify_all();
        drop(line);
    }

    /// Closes the gate: everybody in the line is refused now, everybody who comes later at once.
    pub(crate) fn close(&self) {
        let mut line = self.lock();
        // AcqRel: pairs with the Releases of a permit, so that the closer drains what they published before (P6).
        // P2: no waiter is left in the word, nor in the line below. P3: `free` stays.
        let _ = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
                Some(CLOSED | (state & FREE_MASK))
            });
        line.shut();
    }

    /// Waits until every permit is home, at most until `deadline`; returns whether they are.
    pub(crate) fn wait_drained(&self, deadline: &Deadline) -> bool {
        let mut line = self.lock();
        let until = deadline.instant();
        loop {
            // Acquire: pairs with the Release in `release`, so that what the last holder did is seen (P6).
            if free(self.state.load(Ordering::Acquire)) == self.size {
                return true;
            }
            if deadline.remaining().is_none() {
                return false;
            }
            (line, _) = self.wait(&self.drained, line, until);
        }
    }

    /// Returns whether the gate is closed, which it may be a moment later: whoever acts on it has to be put right by
    /// [`Gate::release`], which knows.
    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: a hint, and nothing is read that the closer published.
        self.state.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Returns `(free, waiters, closed)` at one moment, which is over when they are looked at: for figures, for tests,
    /// and for how many idle connections are worth keeping. It decides nothing that an invariant depends on.
    pub(crate) fn observe(&self) -> (u32, u32, bool) {
        // Relaxed: a snapshot of one word.
        let state = self.state.load(Ordering::Relaxed);
        (free(state), waiters(state), state & CLOSED != 0)
    }

    /// Locks the line. In a forked child by trying and sleeping: parking there would walk parking_lot's table,
    /// which the child inherited in whatever state the parent's threads had it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Line> {
        if !fork::is_child() {
            return self.line.lock();
        }
        let mut nap = NAP_MIN;
        loop {
            if let Some(line) = self.line.try_lock() {
                return line;
            }
            nap = sleep(nap, None);
        }
    }

    /// Waits on `condvar` until `until` (for ever if `None`); returns whether the time is over. In a forked child
    /// it sleeps with the mutex free instead of parking, see [`Gate::lock`].
    fn wait<'a>(
        &'a self,
        condvar: &Condvar,
        mut line: MutexGuard<'a, Line>,
        until: Option<Instant>,
    ) -> (MutexGuard<'a, Line>, bool) {
        if fork::is_child() {
            drop(line);
            sleep(NAP_MIN, until);
            return (
                self.lock(),
                until.is_some_and(|until| Instant::now() >= until),
            );
        }
        match until {
            Some(until) => {
                let over = condvar.wait_until(&mut line, until).timed_out();
                (line, over)
            }
            None => {
                condvar.wait(&mut line);
                (line, false)
            }
        }
    }
}

/// What a permit taken out of `state` leaves.
fn taken(state: u64) -> Acquired {
    Acquired {
        free_after: free(state) - 1,
    }
}

/// What [`Gate::join`] did.
#[derive(Debug)]
pub(super) enum Joined {
    Permit(Acquired),
    Line(Arc<Waiter>),
}

const NAP_MIN: Duration = Duration::from_millis(1);
const NAP_MAX: Duration = Duration::from_millis(8);

/// Sleeps for `nap` or until `until`, returns the next nap.
fn sleep(nap: Duration, until: Option<Instant>) -> Duration {
    let left = until.map_or(nap, |until| until.saturating_duration_since(Instant::now()));
    std::thread::sleep(nap.min(left));
    (nap * 2).min(NAP_MAX)
}
