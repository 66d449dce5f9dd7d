//! The pool itself, for any kind of connection: permits from the gate, idle connections in an [`ArrayQueue`], and
//! the three reasons for which a connection leaves (rule L7).
//!
//! It keeps P5 to P7 of the [invariants](super) of the pool:
//!
//! * P5, since a connection is pushed or closed *before* its permit is released (rule L4). When a holder's `pop`
//!   finds nothing, every other connection belongs to another holder, so there is room for one more. A handshake
//!   that was put aside counts as idle: whoever has to open a connection takes it up first.
//! * P6, since `close` drains what was pushed before, and a holder that releases afterwards sees the closed bit and
//!   drains itself, before its permit is home.
//! * P7, since [`Core::check_in`] closes what is not clean.
//!
//! There is no background thread: idle surplus is closed by [`Core::housekeep`], which the owner calls when it has
//! a moment (the extension: at the end of a request).

#[cfg(all(test, not(loom)))]
mod fake;
mod housekeeping;
#[cfg(all(test, not(any(loom, shuttle))))]
mod model_test;
#[cfg(all(test, not(any(loom, shuttle))))]
mod pair;
#[cfg(all(test, not(any(loom, shuttle))))]
mod reference;
#[cfg(all(test, not(any(loom, shuttle))))]
mod script;
#[cfg(all(test, shuttle))]
mod shuttle_test;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;

use crate::deadline::Deadline;
use crate::fork;

use super::gate::{Acquired, Gate, Refused, Released};
use super::guard::Guard;
use super::hand_off::HandOff;
use super::seats::{Seat, Seats};
use super::stats::{Counters, Latencies, PoolStats, Traffic};

/// What the pool has to know of a connection.
pub trait Managed {
    /// A connection on its way, whose opener had to leave.
    type Handshake: std::fmt::Debug;

    /// Returns whether the connection can be used for a new call: open, and nothing unread in it. Does not block.
    fn is_quiet(&self) -> bool;

    /// Returns whether no call was left half done on it.
    fn is_clean(&self) -> bool;

    /// Returns what it has carried since it was last asked.
    fn take_traffic(&mut self) -> Traffic {
        Traffic::default()
    }
}

/// How a pool keeps its connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    pub(crate) size: u32,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) min_idle: u32,
}

/// A connection with what the pool notes on it.
#[derive(Debug)]
pub(crate) struct Slot<C> {
    pub(crate) link: C,
    epoch: u64,
    expires: Option<Instant>,
    pub(crate) last_used: Instant,
    pub(crate) reused: bool,
    seat: Seat,
}

impl<C: Managed> Slot<C> {
    /// Adds up what the connection has carried.
    pub(crate) fn count_traffic(&mut self) {
        self.seat.count(self.link.take_traffic());
    }

    fn expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| now >= at)
    }
}

/// A pool of connections of one kind: the gate, what is idle, and what is counted.
#[derive(Debug)]
pub struct Core<C: Managed> {
    pub(crate) gate: Gate,
    /// As long as the pool is large, so it has room for whatever comes home (P5).
    pub(crate) idle: ArrayQueue<Box<Slot<C>>>,
    /// Taken up by the next who has to open one (P5 counts them with the idle connections).
    pub(crate) handshakes: ArrayQueue<C::Handshake>,
    pub(crate) counters: Counters,
    keeping: Keeping,
    seats: Arc<Seats>,
    epoch: AtomicU64,
    peak: AtomicU32,
    warmed: AtomicBool,
    born: Instant,
    next_sweep_ms: AtomicU64,
    fork_generation: u64,
}

/// How a guard refers to its pool: `&Core` for a guard that lives as long as one call, `Arc<Core>` for one that is
/// kept, as those of a fan-out are. The reference saves every call two changes of the `Arc`'s count, on a cache line
/// that all threads of the process would change.
pub trait Home: Deref<Target = Core<Self::Link>> {
    /// The connections of the pool.
    type Link: Managed;
}

impl<C: Managed> Home for &Core<C> {
    type Link = C;
}

impl<C: Managed> Home for Arc<Core<C>> {
    type Link = C;
}

/// Why no guard was given.
#[derive(Debug)]
pub(crate) enum Denied<E> {
    /// The pool is closed.
    Closed,
    /// The pool was made by another process.
    Forked,
    /// No permit came free in time; `waiters` others were in line.
    TimedOut { waiters: u32 },
    /// A new connection was needed and could not be opened.
    Connect(E),
}

impl<C: Managed> Core<C> {
    pub(crate) fn new(keeping: Keeping) -> Self {
        Self::with_hand_off(keeping, HandOff::default())
    }

    /// Models choose when a permit is handed over instead of freed: always or never; benches look for the best.
    pub(super) fn with_hand_off(keeping: Keeping, hand_off: HandOff) -> Self {
        Self {
            gate: Gate::new(keeping.size, hand_off),
            idle: ArrayQueue::new(keeping.size as usize),
            handshakes: ArrayQueue::new(keeping.size as usize),
            counters: Counters::default(),
            keeping,
            seats: Seats::new(keeping.size),
            epoch: AtomicU64::new(0),
            peak: AtomicU32::new(0),
            warmed: AtomicBool::new(keeping.min_idle == 0),
            born: Instant::now(),
            next_sweep_ms: AtomicU64::new(millis(keeping.idle_timeout.unwrap_or_default())),
            fork_generation: fork::generation(),
        }
    }

    /// Returns whether another process made this pool. Such a pool must not be touched, only leaked.
    pub(crate) fn is_inherited(&self) -> bool {
        self.fork_generation != fork::generation()
    }

    /// Checks a connection out: an idle one that is fit, else a new one from `connect`. Waits for a permit until
    /// `deadline`, at most `acquire`. The guard goes back to `home`.
    pub(crate) fn check_out<H: Home<Link = C>, E>(
        home: H,
        deadline: &Deadline,
        acquire: Duration,
        probe_after: Duration,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Guard<C, H>, Denied<E>> {
        if home.is_inherited() {
            return Err(Denied::Forked);
        }
        let mut waited = Duration::ZERO;
        let acquired = match home.gate.try_acquire() {
            Ok(Some(acquired)) => acquired,
            Ok(None) => home.wait_in_line(&deadline.at_most(acquire), &mut waited)?,
            Err(_) => return Err(Denied::Closed),
        };
        let now = deadline.lately();
        Self::admit(home, acquired, waited, now, probe_after, connect)
    }

    /// Checks a connection out only if a permit is free at once (rule L3: the way for a thread that holds one).
    pub(crate) fn try_check_out<H: Home<Link = C>, E>(
        home: H,
        now: Instant,
        probe_after: Duration,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Option<Guard<C, H>>, Denied<E>> {
        if home.is_inherited() {
            return Err(Denied::Forked);
        }
        match home.gate.try_acquire() {
            Ok(Some(acquired)) => {
                let waited = Duration::ZERO;
                Self::admit(home, acquired, waited, now, probe_after, connect).map(Some)
            }
            Ok(None) => Ok(None),
            Err(_) => Err(Denied::Closed),
        }
    }

    /// The slow half of acquiring.
    #[cold]
    fn wait_in_line<E>(
        &self,
        deadline: &Deadline,
        waited: &mut Duration,
    ) -> Result<Acquired, Denied<E>> {
        self.counters.waits.add_one();
        self.gate
            .acquire(deadline)
            .inspect(|_| {
                *waited = deadline.elapsed();
            })
            .map_err(|refused| match refused {
                Refused::Closed => Denied::Closed,
                Refused::TimedOut { waiters } => {
                    self.counters.acquire_timeouts.add_one();
                    Denied::TimedOut { waiters }
                }
            })
    }

    /// Turns a permit into a guard. From here on the permit is home again on every path, panics included: the
    /// `Permit` inside the guard releases it (P3).
    fn admit<H: Home<Link = C>, E>(
        home: H,
        acquired: Acquired,
        waited: Duration,
        now: Instant,
        probe_after: Duration,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Guard<C, H>, Denied<E>> {
        let permit = Permit::new(home);
        let core = permit.core();
        let in_use = core.keeping.size - acquired.free_after;
        // Relaxed: publishes nothing. Housekeeping closes by it what was not needed: one too many or too few.
        if in_use > core.peak.load(Ordering::Relaxed) {
            core.peak.fetch_max(in_use, Ordering::Relaxed);
        }
        let found = match core.pop_fit(now, probe_after) {
            Some(mut slot) => {
                slot.reused = true;
                Ok(slot)
            }
            // P5: none is idle, and the permit is held.
            None => core.open(now, connect),
        };
        if !waited.is_zero() {
            // Together with the check-out: how many took no time is what is left of those.
            core.counters.waited.record(waited);
        }
        match found {
            Ok(mut slot) => {
                slot.seat.count_loan();
                Ok(Guard::new(slot, permit, waited, now))
            }
            Err(error) => {
                core.counters.in_vain.add_one();
                Err(Denied::Connect(error))
            }
        }
    }

    /// Pops idle connections until one is fit for use; closes the others, each before the next is popped. The caller
    /// holds a permit (P5).
    fn pop_fit(&self, now: Instant, probe_after: Duration) -> Option<Box<Slot<C>>> {
        while let Some(slot) = self.idle.pop() {
            let reason = if slot.epoch != self.epoch() {
                &self.counters.closed_stale
            } else if slot.expired(now) {
                &self.counters.closed_retired
            } else if (probe_after.is_zero()
                || now.saturating_duration_since(slot.last_used) >= probe_after)
                && !slot.link.is_quiet()
            {
                &self.counters.closed_stale
            } else {
                return Some(slot);
            };
            reason.add_one();
        }
        None
    }

    /// Opens a connection. The caller holds a permit and no connection (P5).
    pub(crate) fn open<E>(
        &self,
        now: Instant,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Box<Slot<C>>, E> {
        // Read first: a connection that is being opened while the pool is drained counts as old.
        let epoch = self.epoch();
        match connect() {
            Ok(link) => {
                self.counters.opened.add_one();
                // May be that of another who opens one, too: then two connections live for equally long.
                let nth = self.counters.opened.read();
                let lifetime = self.keeping.max_lifetime.map(|span| jittered(span, nth));
                Ok(Box::new(Slot {
                    link,
                    epoch,
                    expires: lifetime.and_then(|span| Instant::now().checked_add(span)),
                    last_used: now,
                    reused: false,
                    seat: self.seats.take(self.born.elapsed()),
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a connection back, or closes it: broken if a call was left half done, stale if the pool was drained
    /// since, retired if it is too old. Rule L4, and P5: the caller releases the permit only after this.
    pub(crate) fn check_in(&self, mut slot: Box<Slot<C>>, now: Instant, panicking: bool) {
        slot.count_traffic();
        // P7.
        let reason = if panicking || !slot.link.is_clean() {
            &self.counters.closed_broken
        } else if slot.epoch != self.epoch() || self.gate.is_closed() {
            // P6: a close that is not seen here is seen by the release, which empties the queue.
            &self.counters.closed_stale
        } else if slot.expired(now) {
            &self.counters.closed_retired
        } else {
            slot.last_used = now;
            let pushed = self.idle.push(slot);
            debug_assert!(pushed.is_ok(), "BUG: P5, more connections than permits");
            return;
        };
        reason.add_one();
    }

    /// Returns the permit of a guard whose connection is pushed or closed (P5); at a closed gate empties the pool
    /// before (P6).
    fn release(&self) {
        if self.gate.release(|| self.empty()) == Released::Closed {
            self.gate.announce_drained();
        }
    }

    /// Closes every idle connection of a closed pool, and gives up those on their way (P6); without a
    /// permit, see P5.
    fn empty(&self) {
        self.give_up_handshakes();
        while self.idle.pop().is_some() {
            self.counters.closed_stale.add_one();
        }
    }

    /// Forgets what was put aside by callers who had to leave (P5: without a permit).
    fn give_up_handshakes(&self) {
        while self.handshakes.pop().is_some() {}
    }

    /// Closes the pool (P6): waiters fail at once, idle connections are closed, and guards that are out are awaited
    /// until `deadline`. Returns whether all came home.
    pub(crate) fn close(&self, deadline: &Deadline) -> bool {
        self.gate.close();
        self.empty();
        let home = self.gate.wait_drained(deadline);
        self.empty();
        home
    }

    fn epoch(&self) -> u64 {
        // Acquire: pairs with the Release in `drain`.
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let (free, waiters, closed) = self.gate.observe();
        let (loans, traffic) = self.seats.sums();
        let c = &self.counters;
        PoolStats {
            size: self.keeping.size,
            idle: self.idle.len() as u32,
            in_use: self.keeping.size.saturating_sub(free),
            waiters,
            peak: self.peak.load(Ordering::Relaxed), // Relaxed: a statistic
            check_outs: loans + c.in_vain.read(),
            waits: c.waits.read(),
            acquire_timeouts: c.acquire_timeouts.read(),
            opened: c.opened.read(),
            connect_failures: c.connect_failures.read(),
            connects_skipped: c.connects_skipped.read(),
            closed_broken: c.closed_broken.read(),
            closed_stale: c.closed_stale.read(),
            closed_retired: c.closed_retired.read(),
            retries: c.retries.read(),
            bytes_sent: traffic.sent,
            bytes_received: traffic.received,
            oldest: self.seats.oldest(self.born.elapsed()),
            epoch: self.epoch(),
            closed,
        }
    }

    /// Returns whether there is a connection, idle or out.
    pub(crate) fn has_connections(&self) -> bool {
        !self.idle.is_empty() || self.seats.oldest(self.born.elapsed()).is_some()
    }

    pub(crate) fn latencies(&self) -> Latencies {
        let c = &self.counters;
        let check_outs = self.seats.sums().0 + c.in_vain.read();
        let at_once = check_outs.saturating_sub(c.waited.count());
        Latencies {
            acquire: c.waited.snapshot(at_once),
            round_trip: c.round_trip.snapshot(0),
        }
    }
}

/// The right to hold one connection; its drop is the only way back (P3). Must be dropped after the connection (P5).
#[derive(Debug)]
pub(crate) struct Permit<H: Home> {
    home: H,
}

impl<H: Home> Permit<H> {
    /// Wraps a permit that the gate has just given.
    fn new(home: H) -> Self {
        Self { home }
    }

    pub(crate) fn core(&self) -> &Core<H::Link> {
        &self.home
    }
}

impl<H: Home> Drop for Permit<H> {
    fn drop(&mut self) {
        // A permit that crossed a fork belongs to the parent's gate: its copy must not be touched.
        if !self.home.is_inherited() {
            self.home.release();
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Shortens `span` by up to a tenth, by a hash of `nth`, so that connections opened together end apart.
fn jittered(span: Duration, nth: u64) -> Duration {
    span - span.mul_f64(0.1 * unit(nth))
}

/// Maps a number to [0, 1) by splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
/// OOPSLA 2014), which is plenty to spread a handful of connections.
fn unit(nth: u64) -> f64 {
    let mut z = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
