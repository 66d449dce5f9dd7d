//! Noticing a fork without a system call: a counter that the child's side of `fork` raises.
//!
//! A pool belongs to the process that made it. `getpid` on every check-out would cost more than the check-out, so
//! the pool keeps the generation it was made in and compares. Every fork of a process that has a pool runs the
//! handler (`pthread_atfork`); a raw `clone` that bypasses libc does not, which PHP never does.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::conn::sys;

static GENERATION: AtomicU64 = AtomicU64::new(0);
static INSTALL: Once = Once::new();

/// Returns how many forks lie between this process and the one that made its first pool. One relaxed load.
#[must_use]
pub fn generation() -> u64 {
    // Relaxed: written only in a child while it has a single thread; nothing else is published through it.
    let generation = GENERATION.load(Ordering::Relaxed);
    #[cfg(all(test, not(any(loom, shuttle))))]
    let generation = generation + pretended::forks();
    generation
}

/// For tests: a thread that believes to be a forked child, while the process and its other threads are not.
#[cfg(all(test, not(any(loom, shuttle))))]
pub(crate) mod pretended {
    use std::cell::Cell;

    thread_local! {
        static FORKS: Cell<u64> = const { Cell::new(0) };
    }

    pub(super) fn forks() -> u64 {
        FORKS.with(Cell::get)
    }

    /// The calling thread is a child as long as this lives.
    #[derive(Debug)]
    pub(crate) struct Child(());

    impl Child {
        pub(crate) fn new() -> Self {
            FORKS.with(|forks| forks.set(forks.get() + 1));
            Self(())
        }
    }

    impl Drop for Child {
        fn drop(&mut self) {
            FORKS.with(|forks| forks.set(forks.get() - 1));
        }
    }
}

/// Returns whether this process is a child of one that had a pool. In such a process nothing may park on
/// inherited wait tables (see `pool::gate`).
pub(crate) fn is_child() -> bool {
    generation() != 0
}

/// Registers the handler, once in the life of the library. Called when a pool is made.
pub(crate) fn install() {
    INSTALL.call_once(|| sys::at_fork_in_child(in_child));
}

/// Runs in the child before `fork` returns there: only the calling thread exists, only async-signal-safe calls
/// are allowed, so it does one atomic addition and nothing else.
extern "C" fn in_child() {
    // Relaxed: the child has one thread now, and threads that it makes later are ordered by their creation.
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
