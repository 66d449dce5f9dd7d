//! The gate: who may hold a connection. It owns the permits and the line of threads that wait for one, and it is
//! the only thing in the pool that decides anything.
//!
//! One 64-bit word holds `closed:1 | waiters:31 | free:32`. A waiter registers by a compare-exchange that proves
//! `free == 0`; a releaser returns a permit by one that proves `waiters == 0`; both are read-modify-writes of one
//! word and therefore totally ordered, so no store-load fence is needed anywhere and no wake-up can fall between.
//!
//! Invariants (proved in the design notes, checked by `docs/models/gate_model.py` and by the loom models):
//!
//! * **I1** never `free > 0 && waiters > 0`.
//! * **I2** with the mutex free, `waiters == queue.len()`: both change only under it, in one critical section.
//! * **I3** `free + permits out + granted and not yet resumed == size`: every transition moves one unit.
//! * **I4** no lost wake-up: a thread parks only after its registration; from then on every release sees it.
//! * **I6** after `close` and the last release nothing is left behind (the pool's half is in `core`).
//!
//! A permit goes straight to the oldest waiter (direct hand-off): nobody overtakes, so the line is FIFO.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::deadline::Deadline;
use crate::fork;
use crate::sync::{AtomicU8, AtomicU64, Condvar, Mutex, MutexGuard, Ordering};

const FREE_ONE: u64 = 1;
const FREE_MASK: u64 = 0xFFFF_FFFF;
const WAITER_ONE: u64 = 1 << 32;
const WAITER_MASK: u64 = 0x7FFF_FFFF << 32;
const CLOSED: u64 = 1 << 63;

const PENDING: u8 = 0;
const GRANTED: u8 = 1;
const SHUT: u8 = 2;

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

/// What a permit cost, for the statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acquired {
    /// Permits left free at that moment.
    pub(crate) free_after: u32,
    /// Whether the thread stood in the line.
    pub(crate) waited: bool,
}

/// A thread in the line. Its `grant` is read and written only under the gate's mutex, so Relaxed suffices.
#[derive(Debug)]
pub(crate) struct Waiter {
    grant: AtomicU8,
    wake: Condvar,
}

type Line = VecDeque<Arc<Waiter>>;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Gate {
    state: CachePadded<AtomicU64>,
    line: Mutex<Line>,
    drained: Condvar,
    size: u32,
}

impl Gate {
    /// Makes an open gate with `size` free permits.
    pub(crate) fn new(size: u32) -> Self {
        Self {
            state: CachePadded::new(AtomicU64::new(u64::from(size) * FREE_ONE)),
            line: Mutex::new(VecDeque::new()),
            drained: Condvar::new(),
            size,
        }
    }

    /// Takes a permit if one is free, nobody waits and the gate is open. Never blocks.
    pub(crate) fn try_acquire(&self) -> Result<Option<Acquired>, Refused> {
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            if free(state) == 0 || waiters(state) != 0 {
                return Ok(None);
            }
            match self.state.compare_exchange_weak(
                state,
                state - FREE_ONE,
                Ordering::Acquire, // pairs with the Release in `release`
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    return Ok(Some(Acquired {
                        free_after: free(state) - 1,
                        waited: false,
                    }));
                }
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
        let waiter = match self.register(&mut line)? {
            Registered::Permit(acquired) => return Ok(acquired),
            Registered::InLine(waiter) => waiter,
        };
        let until = deadline.instant();
        loop {
            // Relaxed: under the mutex, see `Waiter`.
            match waiter.grant.load(Ordering::Relaxed) {
                GRANTED => {
                    return Ok(Acquired {
                        free_after: 0,
                        waited: true,
                    });
                }
                SHUT => return Err(Refused::Closed),
                _ => {}
            }
            let over;
            (line, over) = self.wait(&waiter.wake, line, until);
            if over {
                return self.abandon(&waiter, &mut line);
            }
        }
    }

    /// Puts the calling thread in the line, or takes a permit that came free before the mutex was taken.
    fn register(&self, line: &mut Line) -> Result<Registered, Refused> {
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            let next = if free(state) > 0 {
                state - FREE_ONE
            } else {
                state + WAITER_ONE
            };
            match self.state.compare_exchange(
                state,
                next,
                Ordering::Acquire, // pairs with the Release in `release`
                Ordering::Relaxed,
            ) {
                Ok(_) if free(state) > 0 => {
                    // I1: with a permit free nobody was waiting, so nobody is overtaken.
                    let acquired = Acquired {
                        free_after: free(state) - 1,
                        waited: false,
                    };
                    return Ok(Registered::Permit(acquired));
                }
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        let waiter = Arc::new(Waiter {
            grant: AtomicU8::new(PENDING),
            wake: Condvar::new(),
        });
        line.push_back(Arc::clone(&waiter));
        Ok(Registered::InLine(waiter))
    }

    /// Leaves the line at the end of the deadline. A grant or a close that came first wins over the timeout.
    fn abandon(&self, waiter: &Arc<Waiter>, line: &mut Line) -> Result<Acquired, Refused> {
        // Relaxed: under the mutex, see `Waiter`.
        match waiter.grant.load(Ordering::Relaxed) {
            GRANTED => Ok(Acquired {
                free_after: 0,
                waited: true,
            }),
            SHUT => Err(Refused::Closed),
            _ => {
                line.retain(|other| !Arc::ptr_eq(other, waiter));
                // Relaxed: I2 is kept by the mutex; the count publishes nothing else.
                let before = self.state.fetch_sub(WAITER_ONE, Ordering::Relaxed);
                Err(Refused::TimedOut {
                    waiters: waiters(before) - 1,
                })
            }
        }
    }

    /// Gives a permit back: to the oldest waiter, or to the free ones. Whatever the holder published before (a
    /// connection in the idle queue) is seen by the next holder.
    pub(crate) fn release(&self) -> Released {
        // Relaxed: only a guess, confirmed by the compare-exchange.
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if waiters(state) == 0 {
                match self.state.compare_exchange_weak(
                    state,
                    state + FREE_ONE,
                    Ordering::Release, // pairs with the Acquire in `try_acquire` and `register`
                    Ordering::Relaxed,
                ) {
                    Ok(_) if state & CLOSED != 0 => return Released::Closed,
                    Ok(_) => return Released::Open,
                    Err(now) => state = now,
                }
            } else {
                let mut line = self.lock();
                if let Some(oldest) = line.pop_front() {
                    // `free` stays as it is, so nobody can take the permit on its way. Relaxed: both under the
                    // mutex, which also publishes the connection to the waiter.
                    oldest.grant.store(GRANTED, Ordering::Relaxed);
                    self.state.fetch_sub(WAITER_ONE, Ordering::Relaxed);
                    oldest.wake.notify_one();
                    return Released::Open;
                }
                drop(line);
                // The waiter gave up meanwhile. Relaxed: a guess again.
                state = self.state.load(Ordering::Relaxed);
            }
        }
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
        // AcqRel: acquires what releasers published before, so that the closer drains it (I6).
        let _ = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
                Some(CLOSED | (state & FREE_MASK))
            });
        for waiter in line.drain(..) {
            // Relaxed: under the mutex, see `Waiter`.
            waiter.grant.store(SHUT, Ordering::Relaxed);
            waiter.wake.notify_one();
        }
    }

    /// Waits until every permit is home, at most until `deadline`; returns whether they are.
    pub(crate) fn wait_drained(&self, deadline: &Deadline) -> bool {
        let mut line = self.lock();
        let until = deadline.instant();
        loop {
            // Acquire: pairs with the Release in `release`, so that the last holder's push is seen.
            if free(self.state.load(Ordering::Acquire)) == self.size {
                return true;
            }
            if deadline.remaining().is_none() {
                return false;
            }
            (line, _) = self.wait(&self.drained, line, until);
        }
    }

    /// Returns `(free, waiters, closed)` at one moment. For statistics and tests, never for control.
    pub(crate) fn observe(&self) -> (u32, u32, bool) {
        // Relaxed: a snapshot of one word.
        let state = self.state.load(Ordering::Relaxed);
        (free(state), waiters(state), state & CLOSED != 0)
    }

    /// Locks the line. In a forked child by trying and sleeping: parking there would walk parking_lot's table,
    /// which the child inherited in whatever state the parent's threads had it.
    fn lock(&self) -> MutexGuard<'_, Line> {
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

/// What `register` did.
enum Registered {
    Permit(Acquired),
    InLine(Arc<Waiter>),
}

/// Whether the gate was closed when a permit came home; a closed pool is emptied by its last holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    Open,
    Closed,
}

const NAP_MIN: Duration = Duration::from_millis(1);
const NAP_MAX: Duration = Duration::from_millis(8);

/// Sleeps for `nap` or until `until`, returns the next nap.
fn sleep(nap: Duration, until: Option<Instant>) -> Duration {
    let left = until.map_or(nap, |until| until.saturating_duration_since(Instant::now()));
    std::thread::sleep(nap.min(left));
    (nap * 2).min(NAP_MAX)
}
