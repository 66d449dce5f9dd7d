//! Whose turn it is to make a value: one thread of the process for each key. The others sleep until
//! it is done, without a connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tagcache_client::fork;

use crate::ffi::Owned;
use crate::process::PerProcess;

/// Whose turns they are.
static TURNS: PerProcess<Mutex<HashMap<Id, Arc<Holder>>>> = PerProcess::new();

/// What a turn is for: server and key.
pub(super) type Id = (String, Vec<u8>);

struct Holder {
    thread: ThreadId,
    /// Signalled when the turn is over; waits with the lock of the table.
    over: Condvar,
}

/// The turn of this thread, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    id: Id,
    generation: u64,
}

/// How asking for a turn went.
#[derive(Debug)]
pub(super) enum Asked {
    /// It is this thread's, at once.
    Mine(Owned<Turn>),
    /// It is this thread's, after another's.
    MineAfter(Owned<Turn>),
    /// This thread has it already: in a callback within the callback, or in another fiber.
    Nested,
    /// Another thread has it (still).
    Taken,
}

/// Asks for the turn, and waits for it until `until`, if that is given.
pub(super) fn ask(id: &Id, until: Option<Instant>) -> Asked {
    let generation = fork::generation();
    let me = thread::current().id();
    let mut turns = TURNS.get().lock();
    let mut waited = false;
    while let Some(holder) = turns.get(id).map(Arc::clone) {
        if holder.thread == me {
            return Asked::Nested;
        }
        let Some(until) = until else {
            return Asked::Taken;
        };
        if holder.over.wait_until(&mut turns, until).timed_out() && turns.contains_key(id) {
            return Asked::Taken;
        }
        waited = true;
    }
    let holder = Holder {
        thread: me,
        over: Condvar::new(),
    };
    turns.insert(id.clone(), Arc::new(holder));
    let turn = Owned::new(Turn {
        id: id.clone(),
        generation,
    });
    if waited {
        Asked::MineAfter(turn)
    } else {
        Asked::Mine(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The turn that a forked child inherits is its parent's.
        if self.generation != fork::generation() {
            return;
        }
        let holder = TURNS.get().lock().remove(&self.id);
        if let Some(holder) = holder {
            holder.over.notify_all();
        }
    }
}
