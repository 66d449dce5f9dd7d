//! The fan-outs of the calling thread that are under way, whichever Fiber has sent them: who
//! finds no connection free drives them first, since a thread that holds one must not wait for
//! another (rule L3).

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tagcache_client::{Fanout, MakeRoom};

/// A fan-out as its batch and this list share it. It is borrowed only between two calls into
/// PHP. The batch has the only strong count, so that the connections go home with it.
pub(super) type Shared = RefCell<Option<Fanout>>;

thread_local! {
    static OPEN: RefCell<Vec<Weak<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// Notes a fan-out that has been started.
pub(super) fn note(fanout: &Rc<Shared>) {
    OPEN.with_borrow_mut(|open| {
        open.retain(|known| known.upgrade().is_some_and(|known| holds(&known)));
        if holds(fanout) {
            open.push(Rc::downgrade(fanout));
        }
    });
}

/// Gives `use_it` what makes room if the thread has fan-outs under way. Calls nothing of PHP.
pub(crate) fn with_room<R>(use_it: impl FnOnce(Option<MakeRoom<'_>>) -> R) -> R {
    if OPEN.with_borrow(Vec::is_empty) {
        use_it(None)
    } else {
        use_it(Some(&mut make_room))
    }
}

/// Drives the fan-outs for at most `wait`, or until one of their connections went home. Returns
/// false if they hold none.
fn make_room(wait: Duration) -> bool {
    let holding: Vec<Rc<Shared>> = OPEN.with_borrow_mut(|open| {
        open.retain(|known| known.upgrade().is_some_and(|known| holds(&known)));
        open.iter().filter_map(Weak::upgrade).collect()
    });
    let Some(first) = holding.first() else {
        return false;
    };
    // What has arrived at any of them costs no wait.
    if !holding.iter().any(|fanout| drive(fanout, Duration::ZERO)) {
        drive(first, wait);
    }
    true
}

/// Returns whether a connection went home.
fn drive(fanout: &Shared, wait: Duration) -> bool {
    let mut fanout = fanout.borrow_mut();
    let Some(fanout) = &mut *fanout else {
        return false;
    };
    let before = fanout.connections();
    fanout.drive_until_freed(wait);
    fanout.connections() < before
}

fn holds(fanout: &Shared) -> bool {
    fanout
        .borrow()
        .as_ref()
        .is_some_and(|fanout| !fanout.is_done())
}
