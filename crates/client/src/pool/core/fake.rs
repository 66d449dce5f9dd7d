//! A connection without a socket, for the tests of the pool: it counts its kind, and goes bad when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Keeping, Managed};

/// Where fake connections come from, and what became of them.
#[derive(Debug, Default)]
pub(super) struct World {
    opened: AtomicU64,
    dropped: AtomicU64,
    most: AtomicU64,
}

impl World {
    /// Opens a connection.
    pub(super) fn open(self: &Arc<Self>) -> Fake {
        // Relaxed here and below: counts, compared when the threads have been joined.
        let id = self.opened.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(self.live(), Ordering::Relaxed);
        Fake {
            world: Arc::clone(self),
            id,
            clean: true,
            dead: Arc::default(),
            busy: AtomicBool::new(false),
        }
    }

    /// Returns how many exist.
    pub(super) fn live(&self) -> u64 {
        self.opened.load(Ordering::Relaxed) - self.dropped.load(Ordering::Relaxed)
    }

    /// Returns how many existed at most at once.
    #[cfg(shuttle)]
    pub(super) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// A connection without a socket.
#[derive(Debug)]
pub(super) struct Fake {
    world: Arc<World>,
    pub(super) id: u64,
    /// Whether no call was left half done on it.
    pub(super) clean: bool,
    /// Shared with the test, which plays the peer that hangs up.
    pub(super) dead: Arc<AtomicBool>,
    busy: AtomicBool,
}

impl Fake {
    /// Runs `work` as the only user; a second one at the same time is the failure that the pool exists to prevent.
    #[cfg(shuttle)]
    pub(super) fn with(&self, work: impl FnOnce()) {
        // AcqRel and Release: paired with each other.
        assert!(
            !self.busy.swap(true, Ordering::AcqRel),
            "two users of connection {}",
            self.id
        );
        work();
        self.busy.store(false, Ordering::Release);
    }
}

impl Managed for Fake {
    type Handshake = ();

    fn is_quiet(&self) -> bool {
        !self.dead.load(Ordering::Relaxed) // a flag, publishes nothing
    }

    fn is_clean(&self) -> bool {
        self.clean
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        assert!(
            !*self.busy.get_mut(),
            "connection {} dropped in use",
            self.id
        );
        // Closing takes a while, in which others go on.
        #[cfg(shuttle)]
        if !std::thread::panicking() {
            shuttle::thread::yield_now();
        }
        self.world.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// A pool of `size` with nothing else configured.
pub(super) fn keeping(size: u32) -> Keeping {
    Keeping {
        size,
        max_lifetime: None,
        idle_timeout: None,
        min_idle: 0,
    }
}
