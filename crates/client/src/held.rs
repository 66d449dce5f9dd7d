//! What the calling thread holds, and how it gets one connection more without waiting for itself (rule L3).
//!
//! A thread that holds a connection must not stand in line for another: the one it waits for may be its own. All that
//! a thread holds between two calls is in its fan-outs, so they are noted here, and whoever finds no connection free
//! drives them until one has gone home or nothing is held. Then, not before, it stands in line.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use crate::config::CallLimits;
use crate::conn::Connection;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::pool::{Home, Loan, Pool};

/// How long a thread that holds connections drives them before it looks again whether somebody else's has become free.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What holds connections between two calls of its thread.
pub(crate) trait Holder {
    /// Returns how many are checked out to the calling process.
    fn connections(&self) -> usize;

    /// Goes on with its exchanges for at most `wait`, or until a connection has gone home.
    fn drive_until_freed(&self, wait: Duration);
}

thread_local! {
    static HELD: RefCell<Vec<Weak<dyn Holder>>> = const { RefCell::new(Vec::new()) };
}

/// Notes a holder of the calling thread. At the end of a thread there may be no place for it: what is begun there can
/// only wait for others.
pub(crate) fn note(holder: Weak<dyn Holder>) {
    let _ = HELD.try_with(|held| {
        let mut held = held.borrow_mut();
        held.retain(is_holding);
        if is_holding(&holder) {
            held.push(holder);
        }
    });
}

/// Forgets a holder that ends.
pub(crate) fn forget(holder: *const dyn Holder) {
    let _ = HELD.try_with(|held| {
        let is_other = |known: &Weak<dyn Holder>| !std::ptr::addr_eq(known.as_ptr(), holder);
        held.borrow_mut().retain(is_other);
    });
}

/// Checks a connection out; it goes back to `home`, which is `pool`.
pub(crate) fn check_out<H: Home<Link = Connection> + Clone>(
    pool: &Pool,
    home: H,
    limits: &CallLimits,
    deadline: &Deadline,
) -> Result<Loan<H>, Error> {
    if HELD.try_with(|held| held.borrow().is_empty()) != Ok(false) {
        return pool.check_out_to(home, limits, deadline);
    }
    let patience = deadline.at_most(limits.acquire_timeout);
    loop {
        if let Some(guard) = pool.try_check_out_to(home.clone(), limits, deadline)? {
            return Ok(guard);
        }
        let left = patience.remaining();
        if left.is_some_and(|left| make_room(left.min(LOOK_AGAIN))) {
            deadline.look();
            continue;
        }
        // Nothing is held, so waiting in line is allowed; or the time is over, and the line says so at once.
        let rest = CallLimits {
            acquire_timeout: left.unwrap_or_default(),
            ..*limits
        };
        return pool
            .check_out_to(home, &rest, deadline)
            .map_err(|error| match error {
                Error::PoolExhausted {
                    endpoint,
                    elapsed,
                    size,
                    waiters,
                    ..
                } => Error::PoolExhausted {
                    endpoint,
                    limit: limits.acquire_timeout.min(limits.timeout),
                    elapsed,
                    size,
                    waiters,
                },
                other => other,
            });
    }
}

/// Drives what the thread holds for at most `wait`, or until a connection went home. Returns false if it holds none.
fn make_room(wait: Duration) -> bool {
    let holding: Vec<Rc<dyn Holder>> = HELD.with_borrow_mut(|held| {
        held.retain(is_holding);
        held.iter().filter_map(Weak::upgrade).collect()
    });
    let Some(first) = holding.first() else {
        return false;
    };
    // What has arrived at any of them costs no wait.
    if !holding.iter().any(|one| drive(&**one, Duration::ZERO)) {
        drive(&**first, wait);
    }
    true
}

/// Returns whether a connection went home.
fn drive(holder: &dyn Holder, wait: Duration) -> bool {
    let before = holder.connections();
    holder.drive_until_freed(wait);
    holder.connections() < before
}

fn is_holding(holder: &Weak<dyn Holder>) -> bool {
    holder
        .upgrade()
        .is_some_and(|holder| holder.connections() > 0)
}
