//! [`Breaker`]: a circuit breaker before the connecting to one server, so that a server that is away costs one call a
//! connect timeout and not all of them.
//!
//! *Closed*, everybody dials. The first dial that fails *opens* it: whoever needs a new connection gets the same error
//! at once, until a pause is over; then it is *half-open*, and one call at a time tries. If that fails, the next pause
//! is longer; the first dial that succeeds closes it. Connections that exist are used as ever, and a command that is
//! slow or fails, a full pool and a shortage of this machine say nothing about whether a server can be reached.
//!
//! [`State`] decides, by a clock and a random number that it is given; [`Breaker`] is the same for threads, [`Attempt`]
//! one dial, whose drop without a verdict lets the next one try. Nobody waits in here, and the mutex is taken by
//! those who dial, and by those who would, had they not to wait; all others read a flag.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::advice;
use crate::config::CallLimits;
use crate::conn::ANSWER_DUE;
use crate::error::Error;
use crate::random::random_unit;

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// A pause is shortened by up to this part of it, so that processes that lost the same server don't try in step.
const JITTER: f64 = 0.25;

/// The breaker of one server. Clones are the same one. All pools of a process that lead to one server should share it;
/// a forked child needs one of its own, as the pools that it makes have.
#[derive(Clone, Debug, Default)]
pub struct Breaker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// A hint, written under the mutex: whether the breaker is not closed.
    open: AtomicBool,
    /// That of std: in a forked child, parking_lot's would wait by a table inherited from the parent (see
    /// `pool::gate`).
    state: Mutex<State>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here leaves a state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open breaker: since when, until when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outage {
    /// How long ago the first dial that failed had begun.
    pub failing: Duration,
    /// In what time the next call may try: zero if it may now, `None` if one is trying.
    pub next_try: Option<Duration>,
    /// What the last dial failed of.
    pub reason: Arc<str>,
}

impl Breaker {
    /// Makes one that is closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether somebody else has this one, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Looks at it; `None` if it is closed.
    #[must_use]
    pub fn outage(&self) -> Option<Outage> {
        if self.is_closed() {
            return None;
        }
        self.0.lock().look(Instant::now())
    }

    /// Returns whether it is closed, by a hint.
    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: decides nothing that the mutex would not; who reads an old value dials, or asks it.
        !self.0.open.load(Ordering::Relaxed)
    }

    /// Fails if [`Breaker::begin`] would, and leaves the right to try to somebody else.
    pub(crate) fn check(&self) -> Result<(), Outage> {
        match self.outage() {
            Some(open) if open.next_try != Some(Duration::ZERO) => Err(open),
            _ => Ok(()),
        }
    }

    /// Begins a dial, if one may be begun now.
    pub(crate) fn begin(&self) -> Result<Attempt<'_>, Outage> {
        let begun = Instant::now();
        let mut state = self.0.lock();
        let ticket = state.begin(begun)?;
        Ok(Attempt {
            shared: &self.0,
            ticket: Some(ticket),
            begun,
        })
    }
}

/// A dial that is under way.
#[derive(Debug)]
#[must_use]
pub(crate) struct Attempt<'b> {
    shared: &'b Shared,
    /// Empty when the verdict is in.
    ticket: Option<Ticket>,
    begun: Instant,
}

impl Attempt<'_> {
    /// Judges what came of the dial.
    pub(crate) fn settle<T>(self, done: &Result<T, Error>, limits: &CallLimits) {
        let longest = limits.connect_backoff;
        match done {
            Ok(_) => self.succeeded(),
            // Maybe it is the call alone that was short of time.
            Err(error @ Error::Timeout { .. }) => {
                let due = limits.connect_timeout.min(ANSWER_DUE);
                // The kernel counts in milliseconds, and may end one early.
                self.cut_off(due - due / 10, error.to_string(), longest);
            }
            // Not the server's fault.
            Err(Error::Connect { source, .. } | Error::Resolve { source, .. })
                if advice::is_shortage(source) => {}
            Err(error) => self.failed(error.to_string(), longest),
        }
    }

    /// There is a connection.
    fn succeeded(mut self) {
        self.end(|state, _, _| state.succeed());
    }

    /// There is none, for `reason`. The next try is due after `longest` at most.
    fn failed(mut self, reason: impl Into<Arc<str>>, longest: Duration) {
        let reason = reason.into();
        let (begun, now) = (self.begun, Instant::now());
        self.end(|state, ticket, jitter| {
            state.fail(ticket, begun, now, reason, longest, jitter);
        });
    }

    /// The caller could not wait for the end. That is a failure only if dials have had `due` for an answer, this one
    /// and those before it that ended so.
    fn cut_off(mut self, due: Duration, reason: impl Into<Arc<str>>, longest: Duration) {
        let reason = reason.into();
        let (begun, now) = (self.begun, Instant::now());
        self.end(|state, ticket, jitter| {
            if state.wait_in_vain(now.saturating_duration_since(begun), due) {
                state.fail(ticket, begun, now, reason, longest, jitter);
            } else {
                state.abandon(ticket);
            }
        });
    }

    fn end(&mut self, verdict: impl FnOnce(&mut State, Ticket, f64)) {
        if let Some(ticket) = self.ticket.take() {
            let mut state = self.shared.lock();
            verdict(&mut state, ticket, random_unit());
            // Relaxed: see `is_closed`. In the critical section, so that the last one is right.
            self.shared
                .open
                .store(state.failing.is_some(), Ordering::Relaxed);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // Says nothing about the server: a panic, a shortage of this machine.
        self.end(|state, ticket, _| state.abandon(ticket));
    }
}

/// A right to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticket {
    /// The breaker was closed.
    Free,
    /// The breaker was half-open, and this is its one try, with a number of its own.
    Try(u64),
}

/// The decisions, without clock, chance and threads.
#[derive(Debug, Default)]
struct State {
    failing: Option<Failing>,
    /// How long dials that were cut off have waited since the last one that succeeded.
    in_vain: Duration,
    tries: u64,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    /// Pauses so far.
    failures: u32,
    next: Instant,
    trying: Option<u64>,
    reason: Arc<str>,
}

impl State {
    fn look(&self, now: Instant) -> Option<Outage> {
        self.failing.as_ref().map(|failing| Outage {
            failing: now.saturating_duration_since(failing.since),
            next_try: match failing.trying {
                None => Some(failing.next.saturating_duration_since(now)),
                Some(_) => None,
            },
            reason: Arc::clone(&failing.reason),
        })
    }

    fn begin(&mut self, now: Instant) -> Result<Ticket, Outage> {
        match self.look(now) {
            None => Ok(Ticket::Free),
            Some(open) if open.next_try == Some(Duration::ZERO) => {
                self.tries += 1;
                if let Some(failing) = &mut self.failing {
                    failing.trying = Some(self.tries);
                }
                Ok(Ticket::Try(self.tries))
            }
            Some(open) => Err(open),
        }
    }

    /// Closes, whoever it was: the server can be reached.
    fn succeed(&mut self) {
        self.failing = None;
        self.in_vain = Duration::ZERO;
    }

    /// Opens, or opens for longer. Dials that had been begun while it was closed, and fail when it is open, say nothing
    /// new: a hundred of them are one failure.
    fn fail(
        &mut self,
        ticket: Ticket,
        begun: Instant,
        now: Instant,
        reason: Arc<str>,
        longest: Duration,
        jitter: f64,
    ) {
        let (since, failures) = match &self.failing {
            None => (begun, 1),
            Some(failing) if is_of(ticket, failing) => (failing.since, failing.failures + 1),
            Some(_) => return,
        };
        // At least as long as the try took, so that no more than half of the time goes to tries.
        let took = now.saturating_duration_since(begun);
        let doubled = FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(20));
        let pause = doubled
            .max(took)
            .min(longest)
            .mul_f64(1.0 - JITTER * jitter);
        self.failing = Some(Failing {
            since,
            failures,
            next: now + pause,
            trying: None,
            reason,
        });
    }

    /// Ends a try without a verdict: somebody else may try at once.
    fn abandon(&mut self, ticket: Ticket) {
        if let Some(failing) = &mut self.failing
            && is_of(ticket, failing)
        {
            failing.trying = None;
        }
    }

    /// Adds up the time of dials that were cut off; returns whether it is enough to be sure.
    fn wait_in_vain(&mut self, took: Duration, due: Duration) -> bool {
        self.in_vain = self.in_vain.saturating_add(took);
        self.in_vain >= due
    }
}

/// Whether `ticket` is the try that `failing` waits for, and not one from before it was closed and opened again.
fn is_of(ticket: Ticket, failing: &Failing) -> bool {
    matches!(ticket, Ticket::Try(n) if failing.trying == Some(n))
}

#[cfg(all(test, not(any(loom, shuttle))))]
#[path = "breaker_test.rs"]
mod breaker_test;
