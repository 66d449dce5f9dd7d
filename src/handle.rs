//! What an object of class `TagCache` holds: its options, and the pool that they lead to.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use tagcache_client::{Pool, PoolConfig};

use crate::error::Failure;
use crate::options::Options;
use crate::registry;
use crate::route::{Route, Wants};
use crate::scratch::Buffers;
use crate::slowlog;
use crate::value::Rules;

const CLOSED: &str =
    "the handle is closed; make a new one (its pool and connections are still there)";
const NEVER_MADE: &str = "the handle was never made: the constructor of TagCache did not run or did not succeed; a \
     subclass calls parent::__construct()";

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
    route: Option<Route>,
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
            route: None,
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
    /// Those of [`Route::exchange`], and [`Failure::Closed`].
    pub(crate) fn call(&self, buffers: &mut Buffers) -> Result<(), Failure> {
        let (commands, replies) = (&buffers.commands, &mut buffers.replies);
        let done = self.with(|open| {
            let route = open.route();
            Ok(route.exchange(Duration::ZERO, commands, replies, Wants::All))
        })?;
        slowlog::write();
        Ok(done?)
    }

    /// Returns the way to the server as it is now, for what takes longer than a call.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`].
    pub(crate) fn route(&self) -> Result<Route, Failure> {
        self.with(|open| Ok(open.route().clone()))
    }

    /// Returns the pool.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`].
    pub(crate) fn shared_pool(&self) -> Result<Arc<Pool>, Failure> {
        self.with(|open| Ok(open.route().pool().share()))
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

impl Open {
    fn route(&mut self) -> &Route {
        let known = self.route.take();
        let known = known.filter(|route| !route.pool().get().is_inherited());
        self.route.insert(known.unwrap_or_else(|| {
            let pool = registry::pool(&self.options.pool);
            Route::new(pool, self.options.limits)
        }))
    }
}
