//! [`Route`]: the one way to the server. Calls, bulks, pipelines, batches, locks and errands all go by it, so each of
//! them is looked at in the same way when it is over: what failed is among the last errors, what was slow is in the slow
//! log. (How long it took is among the pool's figures: the client sees to that, and to the retry and the warm-up.)
//!
//! Nothing here calls PHP, so it may be used while something is borrowed or dropped. Whoever comes back to PHP lets
//! [`slowlog::write`] write what was noted.

use std::cell::Cell;
use std::time::Duration;

use tagcache_client::{
    CallLimits, Commands, Deadline, Error, Fanout, Replies, Reply, Timing, call,
};

use crate::registry::SharedPool;
use crate::slowlog::{self, Told};
use crate::trouble;

/// How many commands of a batch are worth a connection of their own.
const COMMANDS_A_LANE: usize = 64;

/// How long an [`Errand`] may take at most: somebody waits for it to go on.
const ERRAND_TIMEOUT: Duration = Duration::from_secs(1);

/// What a caller does with an exchange that ends before the last command, as its replies became too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// It has failed.
    All,
    /// What it has is used, and the rest is asked for in another.
    Part,
}

/// Where a handle leads, and within which limits, whatever code of the user does with the handle meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pool: SharedPool,
    limits: CallLimits,
}

impl Route {
    /// Makes the way to the server of `pool`.
    pub(crate) fn new(pool: SharedPool, limits: CallLimits) -> Self {
        Self { pool, limits }
    }

    /// Returns the pool, which may be inherited.
    pub(crate) fn pool(&self) -> &SharedPool {
        &self.pool
    }

    /// Returns how many bytes the replies of an exchange may have.
    pub(crate) fn max_call_bytes(&self) -> usize {
        self.limits.max_call_bytes
    }

    /// Sends `commands` and waits for their replies, within what `spent` leaves of the time limit.
    ///
    /// # Errors
    ///
    /// Those of [`call()`].
    pub(crate) fn exchange(
        &self,
        spent: Duration,
        commands: &Commands,
        replies: &mut Replies,
        wants: Wants,
    ) -> Result<(), Error> {
        let (pool, limits) = (self.pool.get(), &self.limits);
        let deadline = Deadline::resumed(limits.timeout, spent);
        let mut done = call(pool, limits, &deadline, commands, replies);
        if wants == Wants::Part && matches!(done, Err(Error::CallTooLarge { .. })) {
            done = Ok(());
        }
        self.over(replies.timing(), done.as_ref().err(), || {
            Told::of(commands, replies.refusals())
        });
        done
    }

    /// Starts a fan-out of `commands` and returns at once.
    ///
    /// # Errors
    ///
    /// Those of [`Fanout::start`].
    pub(crate) fn start(self, commands: &Commands) -> Result<Started, Error> {
        let pool = self.pool.get();
        // Half of the pool at most, so that one batch does not shut everybody else out.
        let most = (pool.config().size as usize / 2).max(1);
        let lanes = commands.len().div_ceil(COMMANDS_A_LANE).clamp(1, most);
        let clock = Deadline::after(self.limits.timeout);
        let fanout = Fanout::start(pool, &self.limits, commands, lanes).inspect_err(|error| {
            let took = error.spent(clock.elapsed());
            self.over(took, Some(error), || Told::of(commands, None));
        })?;
        let started = Started {
            route: self,
            fanout,
            over: Cell::new(false),
        };
        // Perhaps all is over already.
        started.look();
        Ok(started)
    }

    /// Returns what sends `commands`, which remove entries, later.
    pub(crate) fn errand(self, commands: Commands) -> Errand {
        let route = self.within(ERRAND_TIMEOUT);
        Errand { route, commands }
    }

    fn within(&self, most: Duration) -> Self {
        let timeout = self.limits.timeout.min(most);
        Self {
            limits: CallLimits {
                timeout,
                ..self.limits
            },
            ..self.clone()
        }
    }

    /// Looks at what is over: the end of every way to the server.
    fn over(&self, took: Timing, error: Option<&Error>, tell: impl FnOnce() -> Told) {
        if let Some(error) = error {
            trouble::note(error);
        }
        slowlog::note(self.pool.get(), took, error, tell);
    }
}

/// A fan-out on its route. It is over when somebody finds it so, at the latest when it is dropped; one that is dropped
/// on its way has neither failed nor been slow.
#[derive(Debug)]
pub(crate) struct Started {
    route: Route,
    fanout: Fanout,
    over: Cell<bool>,
}

impl Started {
    /// Uses the fan-out, and looks whether it is over by that. `use_it` calls nothing of PHP.
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(&Fanout) -> R) -> R {
        let used = use_it(&self.fanout);
        self.look();
        used
    }

    fn look(&self) {
        let fanout = &self.fanout;
        if fanout.is_empty() || !fanout.is_done() || self.over.replace(true) {
            return;
        }
        let error = fanout.failure();
        if fanout.is_inherited() {
            // It was the parent's call, whose time and pool are the parent's. What has failed here is noted.
            return error.iter().for_each(|error| trouble::note(error));
        }
        self.route.over(fanout.timing(), error.as_deref(), || {
            let refused = fanout.refusals();
            let refused = refused.as_ref().map(|(count, text)| (*count, &**text));
            Told::new(fanout.first(), fanout.len(), refused)
        });
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Another call of the thread may have driven it to its end.
        self.look();
    }
}

/// Commands to be sent later, perhaps while PHP bails out: they need no handle and run no PHP code.
#[derive(Debug)]
pub(crate) struct Errand {
    route: Route,
    commands: Commands,
}

impl Errand {
    /// Sends the command; returns how many entries it removed. Does nothing in a forked child, which
    /// does not own what its parent wants to remove.
    ///
    /// # Errors
    ///
    /// Those of [`Route::exchange`].
    pub(crate) fn run(&self) -> Result<u64, Error> {
        self.run_by(&self.route)
    }

    /// As [`Errand::run`], within `most` if that is less than the errand's own time limit.
    ///
    /// # Errors
    ///
    /// As [`Errand::run`].
    pub(crate) fn run_within(&self, most: Duration) -> Result<u64, Error> {
        self.run_by(&self.route.within(most))
    }

    fn run_by(&self, route: &Route) -> Result<u64, Error> {
        let mut replies = Replies::new();
        route.exchange(Duration::ZERO, &self.commands, &mut replies, Wants::All)?;
        match replies.get(0) {
            Reply::Count(removed) => Ok(removed),
            _ => Ok(0),
        }
    }
}
