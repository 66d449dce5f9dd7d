//! The pool itself, for any kind of connection: permits from the gate, idle connections in an [`ArrayQueue`], and
//! the three reasons for which a connection leaves (rule L7).
//!
//! Invariants, by their ids in the design notes:
//!
//! * **I5** `idle + guards <= size`, so the queue can never refuse a push: a connection is pushed or closed
//!   *before* its permit is released (rule L4). When a holder's `pop` finds nothing, every other connection
//!   belongs to another holder, so there is room for one more. A handshake that was put aside counts as idle:
//!   whoever has to open a connection takes it up first.
//! * **I6** a closed pool ends empty: `close` drains what was pushed before, a holder that releases afterwards
//!   sees the closed bit and drains itself, before its permit is home.
//! * **I9** only a clean connection is pushed.
//!
//! There is no background thread: idle surplus is closed by [`Core::housekeep`], which the owner calls when it has
//! a moment (the extension: at the end of a request).

#[cfg(all(test, not(loom)))]
mod fake;
mod housekeeping;
#[cfg(all(test, not(any(loom, shuttle))))]
mod model_test;
#[cfg(all(test, not(any(loom, shuttle))))]
mod reference;
#[cfg(all(test, shuttle))]
mod shuttle_test;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;

use crate::deadline::Deadline;
use crate::fork;

use super::ages::{Age, Ages};
use super::gate::{Acquired, Gate, PATIENCE, Refused, Released};
use super::guard::Guard;
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
    _age: Age,
}

impl<C> Slot<C> {
    fn expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|at| now >= at)
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Core<C: Managed> {
    pub(crate) gate: Gate,
    pub(crate) idle: ArrayQueue<Box<Slot<C>>>,
    /// Taken up by the next who has to open one (I5 counts them with the idle connections).
    pub(crate) handshakes: ArrayQueue<C::Handshake>,
    pub(crate) counters: Counters,
    keeping: Keeping,
    ages: Arc<Ages>,
    epoch: AtomicU64,
    peak: AtomicU32,
    warmed: AtomicBool,
    born: Instant,
    next_sweep_ms: AtomicU64,
    fork_generation: u64,
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
        Self::with_patience(keeping, PATIENCE)
    }

    /// Models choose when a permit is handed over instead of freed: always or never; benches look for the best.
    pub(super) fn with_patience(keeping: Keeping, patience: Duration) -> Self {
        Self {
            gate: Gate::new(keeping.size, patience),
            idle: ArrayQueue::new(keeping.size as usize),
            handshakes: ArrayQueue::new(keeping.size as usize),
            counters: Counters::default(),
            keeping,
            ages: Ages::new(keeping.size),
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
    /// `deadline`, at most `acquire`.
    pub(crate) fn check_out<E>(
        self: &Arc<Self>,
        deadline: &Deadline,
        acquire: Duration,
        probe_after: Duration,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Guard<C>, Denied<E>> {
        if self.is_inherited() {
            return Err(Denied::Forked);
        }
        let mut waited = Duration::ZERO;
        let acquired = match self.gate.try_acquire() {
            Ok(Some(acquired)) => acquired,
            Ok(None) => self.wait_in_line(&deadline.at_most(acquire), &mut waited)?,
            Err(_) => return Err(Denied::Closed),
        };
        let mut guard = self.admit(acquired, deadline.lately(), probe_after, connect)?;
        guard.waited = waited;
        Ok(guard)
    }

    /// Checks a connection out only if a permit is free at once (rule L3: the way for a thread that holds one).
    pub(crate) fn try_check_out<E>(
        self: &Arc<Self>,
        now: Instant,
        probe_after: Duration,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Option<Guard<C>>, Denied<E>> {
        if self.is_inherited() {
            return Err(Denied::Forked);
        }
        match self.gate.try_acquire() {
            Ok(Some(acquired)) => self.admit(acquired, now, probe_after, connect).map(Some),
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
                self.counters.waited.record(*waited);
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
    /// `Permit` inside the guard releases it.
    fn admit<E>(
        self: &Arc<Self>,
        acquired: Acquired,
        now: Instant,
        probe_after: Duration,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> Result<Guard<C>, Denied<E>> {
        let permit = Permit::new(Arc::clone(self));
        let in_use = self.keeping.size - acquired.free_after;
        // Relaxed: a statistic that housekeeping reads whenever.
        if in_use > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(in_use, Ordering::Relaxed);
        }
        self.counters.check_outs.add_one();
        let slot = match self.pop_fit(now, probe_after) {
            Some(mut slot) => {
                slot.reused = true;
                slot
            }
            None => self.open(now, connect).map_err(Denied::Connect)?,
        };
        Ok(Guard::new(slot, permit, now))
    }

    /// Pops idle connections until one is fit for use; closes the others.
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

    /// Opens a connection. The caller holds a permit and no connection (I5).
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
                let nth = self.counters.opened.read();
                let lifetime = self.keeping.max_lifetime.map(|span| jittered(span, nth));
                Ok(Box::new(Slot {
                    link,
                    epoch,
                    expires: lifetime.and_then(|span| Instant::now().checked_add(span)),
                    last_used: now,
                    reused: false,
                    _age: self.ages.note(self.born.elapsed()),
                }))
            }
            Err(error) => {
                self.counters.connect_failures.add_one();
                Err(error)
            }
        }
    }

    /// Takes a connection back, or closes it: broken if a call was left half done, stale if the pool was drained
    /// since, retired if it is too old. Rule L4: the caller releases the permit only after this.
    pub(crate) fn check_in(&self, mut slot: Box<Slot<C>>, now: Instant, panicking: bool) {
        self.count_traffic(&mut slot.link);
        let reason = if panicking || !slot.link.is_clean() {
            &self.counters.closed_broken
        } else if slot.epoch != self.epoch() || self.gate.observe().2 {
            &self.counters.closed_stale
        } else if slot.expired(now) {
            &self.counters.closed_retired
        } else {
            slot.last_used = now;
            let pushed = self.idle.push(slot);
            debug_assert!(pushed.is_ok(), "BUG: I5, more connections than permits");
            return;
        };
        reason.add_one();
    }

    /// Adds up what a connection has carried.
    pub(crate) fn count_traffic(&self, link: &mut C) {
        let traffic = link.take_traffic();
        self.counters.bytes_sent.add(traffic.sent);
        self.counters.bytes_received.add(traffic.received);
    }

    /// Returns the permit of a guard whose connection is pushed or closed.
    fn release(&self) {
        if self.gate.release(|| self.empty()) == Released::Closed {
            self.gate.announce_drained();
        }
    }

    /// Closes every idle connection of a closed pool, and gives up those on their way.
    fn empty(&self) {
        self.give_up_handshakes();
        while self.idle.pop().is_some() {
            self.counters.closed_stale.add_one();
        }
    }

    /// Forgets what was put aside by callers who had to leave.
    fn give_up_handshakes(&self) {
        while self.handshakes.pop().is_some() {}
    }

    /// Closes the pool: waiters fail at once, idle connections are closed, and guards that are out are awaited
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
        let c = &self.counters;
        PoolStats {
            size: self.keeping.size,
            idle: self.idle.len() as u32,
            in_use: self.keeping.size.saturating_sub(free),
            waiters,
            peak: self.peak.load(Ordering::Relaxed), // Relaxed: a statistic
            check_outs: c.check_outs.read(),
            waits: c.waits.read(),
            acquire_timeouts: c.acquire_timeouts.read(),
            opened: c.opened.read(),
            connect_failures: c.connect_failures.read(),
            closed_broken: c.closed_broken.read(),
            closed_stale: c.closed_stale.read(),
            closed_retired: c.closed_retired.read(),
            retries: c.retries.read(),
            bytes_sent: c.bytes_sent.read(),
            bytes_received: c.bytes_received.read(),
            oldest: self.ages.oldest(self.born.elapsed()),
            epoch: self.epoch(),
            closed,
        }
    }

    pub(crate) fn latencies(&self) -> Latencies {
        let c = &self.counters;
        let at_once = c.check_outs.read().saturating_sub(c.waited.count());
        Latencies {
            acquire: c.waited.snapshot(at_once),
            round_trip: c.round_trip.snapshot(0),
        }
    }
}

/// The right to hold one connection; its drop is the only way back. Must be dropped after the connection.
#[derive(Debug)]
pub(crate) struct Permit<C: Managed> {
    core: Arc<Core<C>>,
}

impl<C: Managed> Permit<C> {
    /// Wraps a permit that the gate has just given.
    fn new(core: Arc<Core<C>>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Arc<Core<C>> {
        &self.core
    }
}

impl<C: Managed> Drop for Permit<C> {
    fn drop(&mut self) {
        // A permit that crossed a fork belongs to the parent's gate: its copy must not be touched.
        if !self.core.is_inherited() {
            self.core.release();
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
