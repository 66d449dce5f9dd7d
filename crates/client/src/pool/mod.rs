//! The pool: who may use which connection, and when one is closed.
//!
//! [`Pool::check_out`] hands out a [`ConnectionGuard`], which owns a connection outright until it is dropped. There
//! is no shared handle to a connection, no counter that picks one and no pointer to the last one used, so two
//! threads on one socket is not a race that a lock prevents but a program that cannot be written.
//!
//! | file | owns |
//! |---|---|
//! | `gate` | the permits and the line of waiters; every decision |
//! | `line`, `hand_off` | who waits, and when it is their turn |
//! | `core` | idle connections, lifetimes, drain, close, housekeeping |
//! | `guard` | the exclusive ownership, and the way back |
//! | `stats`, `histogram`, `seats` | what is counted |
//! | `bare` | the same pool over any connection, for the benches |
//!
//! # Invariants
//!
//! The lines that keep or change one name it; `docs/pool.md` says why each holds, and what checks it.
//!
//! * **P1** With the gate's mutex free: if more permits are free than woken waiters are on their way to one, nobody
//!   is asleep in the line.
//! * **P2** With the gate's mutex free, `waiters` is the length of the line.
//! * **P3** `free + permits out + granted and not yet resumed == size`.
//! * **P4** No wake-up is lost: every permit that comes home meets an empty line, or a waiter that is awake or about
//!   to be.
//! * **P5** `idle + guards <= size`, so the idle queue never refuses a connection; and no more than `size` connections
//!   are open. Two exceptions to the latter last for a moment: what `close` takes out of the queue, and a handshake
//!   that is given up, is closed without a permit, while the holder of one may open another.
//! * **P6** A closed pool ends empty: after `close` and the last check-in no connection is left.
//! * **P7** Only a clean connection goes back to the idle queue.

pub(crate) mod bare;
mod core;
mod gate;
#[cfg(all(test, not(any(loom, shuttle))))]
mod gate_test;
mod guard;
mod hand_off;
mod histogram;
mod line;
#[cfg(all(test, loom))]
mod models;
mod seats;
mod stats;

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::breaker::{Breaker, Outage};
use crate::config::{CallLimits, PoolConfig};
use crate::conn::{self, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::fork;
use crate::history::{self, History};

use self::core::{Core, Denied, Keeping};
use self::stats::Figures;

pub(crate) use self::core::{Home, Managed};

pub use guard::guards_on_this_thread;
pub use stats::{LastMinute, Latencies, Latency, PoolStats, Traffic};

/// A guard over a TagCache connection. It is the connection's only owner, which the compiler enforces: a guard
/// that was given back is gone,
///
/// ```compile_fail,E0382
/// fn twice(guard: tagcache_client::ConnectionGuard) {
///     drop(guard);
///     drop(guard);
/// }
/// ```
///
/// and there is no second one to the same connection.
///
/// ```compile_fail,E0507
/// fn another(guard: &tagcache_client::ConnectionGuard) -> tagcache_client::ConnectionGuard {
///     *guard
/// }
/// ```
pub type ConnectionGuard = guard::Guard<Connection>;

/// A guard over a TagCache connection that borrows its pool, or shares it, as `H` says.
pub(crate) type Loan<H> = guard::Guard<Connection, H>;

/// A pool of connections to one server, shared by all threads of a process. Clones are the same pool. Nothing is
/// opened before the first check-out.
#[derive(Clone, Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: PoolConfig,
    core: Arc<Core<Connection>>,
    breaker: Breaker,
    born: Instant,
    last_used_ms: AtomicU64,
    /// When the next note is due. A hint: the history decides.
    next_note_ms: AtomicU64,
    history: Mutex<History<Figures>>,
}

impl Pool {
    /// Makes a pool with a breaker of its own. Opens no connection.
    ///
    /// # Panics
    ///
    /// Panics if `config.size` is 0 or more than a million.
    #[must_use]
    pub fn new(config: PoolConfig) -> Self {
        Self::with_breaker(config, Breaker::new())
    }

    /// Makes a pool with the breaker of `config.endpoint`, which it shares with other pools.
    ///
    /// # Panics
    ///
    /// As [`Pool::new`].
    #[must_use]
    pub fn with_breaker(config: PoolConfig, breaker: Breaker) -> Self {
        assert!(
            (1..=1_000_000).contains(&config.size),
            "pool size {} not in 1..=1000000",
            config.size
        );
        fork::install();
        let keeping = Keeping {
            size: config.size,
            max_lifetime: config.max_lifetime,
            idle_timeout: config.idle_timeout,
            min_idle: config.min_idle,
        };
        let shared = Shared {
            config,
            core: Arc::new(Core::new(keeping)),
            breaker,
            born: Instant::now(),
            last_used_ms: AtomicU64::new(0),
            next_note_ms: AtomicU64::new(0),
            history: Mutex::default(),
        };
        let this = Self {
            shared: Arc::new(shared),
        };
        this.note(Duration::ZERO);
        this
    }

    /// Returns what the pool was made with.
    #[must_use]
    pub fn config(&self) -> &PoolConfig {
        &self.shared.config
    }

    /// Returns the breaker before the connecting.
    #[must_use]
    pub fn breaker(&self) -> &Breaker {
        &self.shared.breaker
    }

    /// Checks a connection out, waiting for one until `deadline` and at most `limits.acquire_timeout`.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] in the phases acquire and connect, [`Error::Connect`] and [`Error::Resolve`] if a new
    /// connection was needed and the server can't be reached, [`Error::Unreachable`] if that is known from a moment
    /// ago, [`Error::Closed`], [`Error::Forked`].
    pub fn check_out(
        &self,
        limits: &CallLimits,
        deadline: &Deadline,
    ) -> Result<ConnectionGuard, Error> {
        self.check_out_to(self.shared_core(), limits, deadline)
    }

    /// Checks a connection out if one is free at once; `None` if not. The only way for a thread that holds a guard
    /// to get another (rule L3).
    ///
    /// # Errors
    ///
    /// As [`Pool::check_out`], without the phase acquire.
    pub fn try_check_out(
        &self,
        limits: &CallLimits,
        deadline: &Deadline,
    ) -> Result<Option<ConnectionGuard>, Error> {
        self.try_check_out_to(self.shared_core(), limits, deadline)
    }

    /// [`Pool::check_out`] for a guard that goes back to `home`, which is this pool.
    pub(crate) fn check_out_to<H: Home<Link = Connection>>(
        &self,
        home: H,
        limits: &CallLimits,
        deadline: &Deadline,
    ) -> Result<Loan<H>, Error> {
        self.touch(deadline.lately());
        self.look_ahead(limits)?;
        let connect = || self.connect(limits, deadline);
        let (acquire, probe_after) = (limits.acquire_timeout, limits.probe_after);
        Core::check_out(home, deadline, acquire, probe_after, connect)
            .inspect(|guard| look_after_waiting(guard, deadline))
            .map_err(|denied| self.explain(denied, limits, deadline))
    }

    /// [`Pool::try_check_out`] for a guard that goes back to `home`, which is this pool.
    pub(crate) fn try_check_out_to<H: Home<Link = Connection>>(
        &self,
        home: H,
        limits: &CallLimits,
        deadline: &Deadline,
    ) -> Result<Option<Loan<H>>, Error> {
        self.touch(deadline.lately());
        self.look_ahead(limits)?;
        let connect = || self.connect(limits, deadline);
        Core::try_check_out(home, deadline.lately(), limits.probe_after, connect)
            .inspect(|guard| {
                if let Some(guard) = guard {
                    look_after_waiting(guard, deadline);
                }
            })
            .map_err(|denied| self.explain(denied, limits, deadline))
    }

    /// Where the guards of one call go back to.
    pub(crate) fn core(&self) -> &Core<Connection> {
        &self.shared.core
    }

    /// Where guards go back to that outlive the call.
    pub(crate) fn shared_core(&self) -> Arc<Core<Connection>> {
        Arc::clone(&self.shared.core)
    }

    /// Fails if there is no connection and none may be opened now: then nobody need stand in line for the permit of
    /// the one that tries.
    fn look_ahead(&self, limits: &CallLimits) -> Result<(), Error> {
        let shared = &self.shared;
        if shared.breaker.is_closed()
            || limits.connect_backoff.is_zero()
            || shared.core.is_inherited()
            || shared.core.has_connections()
        {
            return Ok(());
        }
        shared.breaker.check().map_err(|outage| self.skip(outage))
    }

    /// Opens a connection within `limits.connect_timeout` and `deadline`, if the breaker lets it.
    pub(crate) fn connect(
        &self,
        limits: &CallLimits,
        deadline: &Deadline,
    ) -> Result<Connection, Error> {
        if limits.connect_backoff.is_zero() {
            return self.dial(limits, deadline);
        }
        let attempt = self
            .shared
            .breaker
            .begin()
            .map_err(|outage| self.skip(outage))?;
        let done = self.dial(limits, deadline);
        attempt.settle(&done, limits);
        done
    }

    #[cold]
    fn skip(&self, outage: Outage) -> Error {
        self.shared.core.counters.connects_skipped.add_one();
        Error::Unreachable {
            endpoint: self.shared.config.endpoint.to_string(),
            reason: outage.reason,
            failing: outage.failing,
            next_try: outage.next_try,
        }
    }

    /// Opens a connection within `limits.connect_timeout` and `deadline`.
    fn dial(&self, limits: &CallLimits, deadline: &Deadline) -> Result<Connection, Error> {
        let left = deadline.remaining();
        let ends_the_call = left.is_none_or(|left| left <= limits.connect_timeout);
        let opened = conn::connect(
            &self.shared.config,
            &deadline.at_most(limits.connect_timeout),
            limits.connect_timeout,
            &self.shared.core.handshakes,
        );
        let failures = &self.shared.core.counters.connect_failures;
        opened
            .inspect_err(|_| failures.add_one())
            .map_err(|error| match error {
                // It is the call's time that was over: what is told is how long the call took, not the rest of it
                // that the connecting had.
                Error::Timeout {
                    phase, endpoint, ..
                } if ends_the_call => Error::Timeout {
                    phase,
                    endpoint,
                    limit: deadline.limit(),
                    elapsed: deadline.elapsed(),
                },
                other => other,
            })
    }

    /// Opens the connections that `min_idle` asks for, after the first call and within its deadline; `out` of them are
    /// those that the call has not given back. A failure ends it silently: the next call that needs a connection
    /// reports what is wrong.
    pub(crate) fn warm_up(&self, limits: &CallLimits, deadline: &Deadline, out: usize) {
        let out = u32::try_from(out).unwrap_or(u32::MAX);
        let wanted = self.shared.core.take_warm_up().saturating_sub(out);
        // Whatever could be opened is there.
        let _ = self
            .shared
            .core
            .warm_up(wanted, || self.connect(limits, deadline));
    }

    pub(crate) fn count_retry(&self) {
        self.shared.core.counters.retries.add_one();
    }

    /// Closes idle connections now and those in use at their check-in. Returns how many were closed now.
    pub fn drain(&self) -> usize {
        if self.is_inherited() {
            0
        } else {
            self.shared.core.drain()
        }
    }

    /// Closes the pool: whoever waits for a connection fails at once, whoever comes later too; then waits up to
    /// `wait` for connections that are out. Returns whether all came home (those that come later are closed then).
    pub fn close(&self, wait: Duration) -> bool {
        self.is_inherited() || self.shared.core.close(&Deadline::after(wait))
    }

    /// Closes idle connections that the last `idle_timeout` did not need. Cheap; meant for the end of a request.
    pub fn housekeep(&self) {
        self.shared.core.housekeep();
    }

    /// Returns whether another process made this pool (this one is its forked child). Every call on it fails with
    /// [`Error::Forked`]; make a new pool and give this one to [`Pool::leak`].
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        self.shared.core.is_inherited()
    }

    /// Forgets the pool without running a destructor: in a forked child the structures are copies in whatever
    /// state the parent's threads had them. The descriptors stay open until the process ends.
    pub fn leak(self) {
        mem::forget(self);
    }

    /// Returns the time since the last check-out was asked for (or since the pool was made).
    #[must_use]
    pub fn unused_for(&self) -> Duration {
        // Relaxed: a time stamp, to the millisecond.
        let used = self.shared.last_used_ms.load(Ordering::Relaxed);
        self.shared
            .born
            .elapsed()
            .saturating_sub(Duration::from_millis(used))
    }

    /// Looks at the pool.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.shared.core.stats()
    }

    /// Returns how long its calls took so far.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.shared.core.latencies()
    }

    /// Looks at the pool and at its last minute.
    #[must_use]
    pub fn last_minute(&self) -> LastMinute {
        self.minute_before(self.shared.born.elapsed())
    }

    fn minute_before(&self, at: Duration) -> LastMinute {
        LastMinute {
            history: self.history().clone(),
            at,
            now: self.figures(),
        }
    }

    fn figures(&self) -> Figures {
        Figures {
            stats: self.stats(),
            latencies: self.latencies(),
        }
    }

    fn history(&self) -> MutexGuard<'_, History<Figures>> {
        // Nothing in here leaves it half changed.
        let history = self.shared.history.lock();
        history.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_round_trip(&self, span: Duration) {
        self.shared.core.counters.round_trip.record(span);
    }

    fn touch(&self, now: Instant) {
        let ms = now.saturating_duration_since(self.shared.born).as_millis();
        // Relaxed: a time stamp. Written only when it changes, so that threads don't fight for the line.
        let ms = u64::try_from(ms).unwrap_or(u64::MAX);
        if self.shared.last_used_ms.load(Ordering::Relaxed) != ms {
            self.shared.last_used_ms.store(ms, Ordering::Relaxed);
            // Relaxed: as above.
            if ms >= self.shared.next_note_ms.load(Ordering::Relaxed) {
                self.note(now.saturating_duration_since(self.shared.born));
            }
        }
    }

    /// Notes what the figures are, before the call that is about to change them.
    #[cold]
    fn note(&self, at: Duration) {
        // The lock of a parent is left alone.
        if !self.is_inherited() {
            self.history().note(at, || self.figures());
            let next = u64::try_from((at + history::STEP).as_millis()).unwrap_or(u64::MAX);
            // Relaxed: as in `touch`.
            self.shared.next_note_ms.store(next, Ordering::Relaxed);
        }
    }

    #[cold]
    fn explain(&self, denied: Denied<Error>, limits: &CallLimits, deadline: &Deadline) -> Error {
        let endpoint = || self.shared.config.endpoint.to_string();
        match denied {
            Denied::Connect(error) => error,
            Denied::Closed => Error::Closed {
                endpoint: endpoint(),
            },
            Denied::Forked => Error::Forked {
                endpoint: endpoint(),
            },
            Denied::TimedOut { waiters } => Error::PoolExhausted {
                endpoint: endpoint(),
                limit: limits.acquire_timeout.min(limits.timeout),
                elapsed: deadline.elapsed(),
                size: self.shared.config.size,
                waiters,
            },
        }
    }
}

/// Reads the clock if the check-out has stood in line or opened a connection: what was left lately is what is left
/// now only where nothing has waited.
fn look_after_waiting(guard: &Loan<impl Home<Link = Connection>>, deadline: &Deadline) {
    if !guard.waited.is_zero() || !guard.reused() {
        deadline.look();
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::config::Endpoint;

    const S: Duration = Duration::from_secs(1);

    /// Fails to connect, as if `at` had passed since the pool was made.
    fn fail(pool: &Pool, at: Duration) {
        pool.touch(pool.shared.born + at);
        let limits = CallLimits {
            connect_backoff: Duration::ZERO,
            ..CallLimits::default()
        };
        assert!(pool.connect(&limits, &Deadline::after(S)).is_err());
        pool.count_round_trip(S);
    }

    #[test]
    fn what_is_over_is_no_part_of_the_last_minute() {
        let nobody = Endpoint::Unix("/nowhere/at/all.sock".into());
        let pool = Pool::new(PoolConfig::new(nobody));
        let failures = |at: Duration| {
            let minute = pool.minute_before(at);
            let count = minute.count(|stats| stats.connect_failures);
            let calls = minute.latencies().round_trip.count();
            assert_eq!(calls, count);
            (count, minute.began(|stats| stats.connect_failures))
        };
        assert_eq!(failures(S), (0, None));
        // In the first millisecond, too.
        fail(&pool, Duration::ZERO);
        assert_eq!(failures(S), (1, Some(S)));
        assert_eq!(failures(60 * S), (1, Some(60 * S)));
        assert_eq!(failures(61 * S), (0, None));
        fail(&pool, 300 * S);
        fail(&pool, 301 * S);
        assert_eq!(failures(302 * S), (2, Some(2 * S)));
        fail(&pool, 340 * S);
        assert_eq!(failures(362 * S), (1, Some(22 * S)));
        assert_eq!(pool.stats().connect_failures, 4, "of its life");
    }
}
