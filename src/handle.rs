//! What an object of class `TagCache` holds: its options and the pool they lead to; and the ways to the server.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tagcache_client::{
    CallLimits, Commands, Deadline, Error, Fanout, Pool, PoolConfig, Replies, Reply, call,
};

use crate::error::Failure;
use crate::options::Options;
use crate::registry::{self, SharedPool};
use crate::scratch::Buffers;
use crate::slowlog;
use crate::trouble;
use crate::value::Rules;

/// How many commands of a batch are worth a connection of their own.
const COMMANDS_A_LANE: usize = 64;

const CLOSED: &str =
    "the handle is closed; make a new one (its pool and connections are still there)";
const NEVER_MADE: &str = "the handle was never made: the constructor of TagCache did not run or did not succeed; a \
     subclass calls parent::__construct()";

/// How long an [`Errand`] may take at most: somebody waits for it to go on.
const ERRAND_TIMEOUT: Duration = Duration::from_secs(1);

/// The state of a handle.
#[derive(Debug, Default)]
enum State {
    /// The constructor has not run, or has thrown.
    #[default]
    Unmade,
    /// Usable.
    Open(Box<Open>),
    /// `close()` was called.
    Closed,
}

thread_local! {
    /// The options of the open handles of this thread, and of some that are gone.
    static OPEN: RefCell<Vec<Weak<Options>>> = const { RefCell::new(Vec::new()) };
}

/// Returns where the open handles of this thread lead, whether they have sent anything or not.
pub(crate) fn destinations() -> Vec<PoolConfig> {
    let mut all: Vec<PoolConfig> = Vec::new();
    OPEN.with_borrow(|open| {
        for options in open.iter().filter_map(Weak::upgrade) {
            if !all.contains(&options.pool) {
                all.push(options.pool.clone());
            }
        }
    });
    all
}

/// Notes an open handle.
fn note(options: &Rc<Options>) {
    OPEN.with_borrow_mut(|open| {
        // Before it grows, so that a note costs the same however many there are.
        if open.len() == open.capacity() {
            open.retain(|known| known.strong_count() > 0);
            open.reserve(open.len().max(4));
        }
        open.push(Rc::downgrade(options));
    });
}

#[derive(Debug)]
struct Open {
    options: Rc<Options>,
    /// Looked up at the first use, and again in a forked child.
    pool: Option<SharedPool>,
}

/// A handle, as the methods of its object see it. It is borrowed only between two calls into
/// PHP, so code of the user that runs within a call may use, close or remake the same handle.
#[derive(Debug, Default)]
pub(crate) struct HandleCell(RefCell<State>);

impl HandleCell {
    /// Makes the handle, or makes it anew.
    pub(crate) fn open(&self, options: Options) {
        let options = Rc::new(options);
        note(&options);
        self.0.replace(State::Open(Box::new(Open {
            options,
            pool: None,
        })));
    }

    /// Ends the handle. Its pool stays for others.
    pub(crate) fn close(&self) {
        let mut state = self.0.borrow_mut();
        if matches!(*state, State::Open(_)) {
            *state = State::Closed;
        }
    }

    /// Fails if the handle can't be used.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.with(|_| Ok(()))
    }

    /// Gives `use_it` how names and values are written and read.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`] if the handle can't be used.
    pub(crate) fn with_rules<R>(
        &self,
        use_it: impl FnOnce(&Arc<Rules>) -> R,
    ) -> Result<R, Failure> {
        self.with(|open| Ok(use_it(&open.options.rules)))
    }

    /// Sends the commands of `buffers` and waits for their replies. No code of the user runs in here.
    /// *May bail out* after the call, when it writes to the slow log.
    ///
    /// # Errors
    ///
    /// Those of [`call()`], and [`Failure::Closed`].
    pub(crate) fn call(&self, buffers: &mut Buffers) -> Result<(), Failure> {
        let (done, slow) = self.with(|open| {
            let limits = open.options.limits;
            let deadline = Deadline::after(limits.timeout);
            let pool = open.pool().get();
            Ok(exchange(pool, &limits, &deadline, buffers, Wants::All))
        })?;
        finish(done, slow)
    }

    /// Returns the way to the server as it is now, for a call in several exchanges.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`].
    pub(crate) fn route(&self) -> Result<Route, Failure> {
        self.with(|open| {
            Ok(Route {
                pool: registry::pool(&open.options.pool),
                limits: open.options.limits,
            })
        })
    }

    /// Starts a fan-out of `commands` and returns at once. No code of PHP runs in here.
    ///
    /// # Errors
    ///
    /// Those of [`Fanout::start`], and [`Failure::Closed`].
    pub(crate) fn start(&self, commands: &Commands) -> Result<Fanout, Failure> {
        self.with(|open| {
            let limits = open.options.limits;
            let pool = open.pool().get();
            // Half of the pool at most, so that one batch does not shut everybody else out.
            let most = (pool.config().size as usize / 2).max(1);
            let lanes = commands.len().div_ceil(COMMANDS_A_LANE).clamp(1, most);
            Ok(Fanout::start(pool, &limits, commands, lanes).inspect_err(trouble::note)?)
        })
    }

    /// Returns what sends `commands`, one that removes entries, whatever becomes of the handle.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`].
    pub(crate) fn errand(&self, commands: Commands) -> Result<Errand, Failure> {
        self.with(|open| {
            let limits = open.options.limits;
            let timeout = limits.timeout.min(ERRAND_TIMEOUT);
            Ok(Errand {
                pool: registry::pool(&open.options.pool),
                limits: CallLimits { timeout, ..limits },
                commands,
            })
        })
    }

    /// Returns the pool.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`].
    pub(crate) fn shared_pool(&self) -> Result<Arc<Pool>, Failure> {
        self.with(|open| Ok(open.pool().share()))
    }

    /// Returns the options of a handle with `prefix` behind the prefix of this one.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`], and those of [`Options::below`].
    pub(crate) fn options_below(&self, prefix: &[u8]) -> Result<Options, Failure> {
        self.with(|open| open.options.below(prefix))
    }

    /// Returns the options; `Err` with a word for the state if there are none.
    pub(crate) fn options(&self) -> Result<Options, &'static str> {
        match &*self.0.borrow() {
            State::Open(open) => Ok((*open.options).clone()),
            State::Closed => Err("closed"),
            State::Unmade => Err("not made"),
        }
    }

    fn with<R>(&self, use_it: impl FnOnce(&mut Open) -> Result<R, Failure>) -> Result<R, Failure> {
        match &mut *self.0.borrow_mut() {
            State::Open(open) => use_it(open),
            State::Closed => Err(Failure::Closed(CLOSED)),
            State::Unmade => Err(Failure::Closed(NEVER_MADE)),
        }
    }
}

/// What a caller does with an exchange that ends before the last command, as its replies became too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// It has failed.
    All,
    /// What it has is used, and the rest is asked for in another.
    Part,
}

/// Sends the commands of `buffers` and waits for their replies; returns also what there is to log. Runs no PHP code.
fn exchange(
    pool: &Pool,
    limits: &CallLimits,
    deadline: &Deadline,
    buffers: &mut Buffers,
    wants: Wants,
) -> (Result<(), Error>, Option<slowlog::Line>) {
    let (commands, replies) = (&buffers.commands, &mut buffers.replies);
    let mut done = call(pool, limits, deadline, commands, replies);
    if wants == Wants::Part && matches!(done, Err(Error::CallTooLarge { .. })) {
        done = Ok(());
    }
    let error = done.as_ref().err();
    error.inspect(|error| trouble::note(error));
    let slow = slowlog::judge(pool, commands, &buffers.replies, error);
    (done, slow)
}

/// Writes the line, when nothing is borrowed: what leaves by a bailout must not take buffers or the handle with it.
fn finish(done: Result<(), Error>, slow: Option<slowlog::Line>) -> Result<(), Failure> {
    if let Some(line) = slow {
        line.write();
    }
    Ok(done?)
}

/// The way to the server of one call in several exchanges, whatever code of the user does with the handle in between.
#[derive(Debug)]
pub(crate) struct Route {
    pool: SharedPool,
    limits: CallLimits,
}

impl Route {
    /// Returns how many bytes the replies of an exchange may have.
    pub(crate) fn max_call_bytes(&self) -> usize {
        self.limits.max_call_bytes
    }

    /// Sends the commands of `buffers` and waits for their replies, within what `spent` leaves of the time limit,
    /// and adds what it took. What is done between two exchanges does not count. *May bail out* after it.
    ///
    /// # Errors
    ///
    /// Those of [`call()`].
    pub(crate) fn call(
        &self,
        spent: &mut Duration,
        buffers: &mut Buffers,
        wants: Wants,
    ) -> Result<(), Failure> {
        let deadline = Deadline::resumed(self.limits.timeout, *spent);
        let pool = self.pool.get();
        let (done, slow) = exchange(pool, &self.limits, &deadline, buffers, wants);
        *spent += buffers.replies.timing().total();
        finish(done, slow)
    }
}

/// A command to be sent later, perhaps while PHP bails out: it runs no PHP code and needs no handle.
#[derive(Debug)]
pub(crate) struct Errand {
    pool: SharedPool,
    limits: CallLimits,
    commands: Commands,
}

impl Errand {
    /// Sends the command; returns how many entries it removed. Does nothing in a forked child, which
    /// does not own what its parent wants to remove.
    ///
    /// # Errors
    ///
    /// Those of [`call()`].
    pub(crate) fn run(&self) -> Result<u64, Failure> {
        self.run_within(self.limits.timeout)
    }

    /// As [`Errand::run`], within `most` if that is less than the errand's own time limit.
    ///
    /// # Errors
    ///
    /// As [`Errand::run`].
    pub(crate) fn run_within(&self, most: Duration) -> Result<u64, Failure> {
        let mut replies = Replies::new();
        let limits = CallLimits {
            timeout: self.limits.timeout.min(most),
            ..self.limits
        };
        let (pool, by) = (self.pool.get(), Deadline::after(limits.timeout));
        call(pool, &limits, &by, &self.commands, &mut replies).inspect_err(trouble::note)?;
        match replies.get(0) {
            Reply::Count(removed) => Ok(removed),
            _ => Ok(0),
        }
    }
}

impl Open {
    fn pool(&mut self) -> &SharedPool {
        let known = self.pool.take().filter(|pool| !pool.get().is_inherited());
        self.pool
            .insert(known.unwrap_or_else(|| registry::pool(&self.options.pool)))
    }
}
