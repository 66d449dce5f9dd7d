//! [`Guard`]: the only way to a connection. Whoever owns it owns the connection; dropping it checks the connection
//! in and then, not before, gives the permit back (rule L4).

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::{Core, Home, Managed, Permit, Slot};

thread_local! {
    static OUT: Cell<u32> = const { Cell::new(0) };
}

/// Returns how many guards the calling thread has checked out and not yet dropped. Zero between calls; anything
/// else there is a leak (a longjmp over the frame that owned the guard).
#[must_use]
pub fn guards_on_this_thread() -> u32 {
    OUT.with(Cell::get)
}

/// An exclusively owned connection. It cannot be cloned, and a connection cannot be reached without one. It shares
/// the pool that it goes back to, or borrows it.
pub struct Guard<C: Managed, H: Home<Link = C> = Arc<Core<C>>> {
    slot: Option<Box<Slot<C>>>,
    permit: Permit<H>,
    now: Instant,
    /// How long the check-out stood in line.
    pub(crate) waited: Duration,
}

impl<C: Managed, H: Home<Link = C>> Guard<C, H> {
    pub(crate) fn new(
        slot: Box<Slot<C>>,
        permit: Permit<H>,
        waited: Duration,
        now: Instant,
    ) -> Self {
        OUT.with(|out| out.set(out.get() + 1));
        Self {
            slot: Some(slot),
            permit,
            now,
            waited,
        }
    }

    /// Returns whether the connection has served a call before this check-out.
    pub(crate) fn reused(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.reused)
    }

    /// Closes the connection as broken and opens another under the same permit (P5), for the one retry.
    pub(crate) fn replace<E>(&mut self, connect: impl FnOnce() -> Result<C, E>) -> Result<(), E> {
        let core = self.permit.core();
        if let Some(mut slot) = self.slot.take() {
            slot.count_traffic();
            core.counters.closed_broken.add_one();
        }
        self.slot = Some(core.open(self.now, connect)?);
        Ok(())
    }
}

impl<C: Managed, H: Home<Link = C>> Deref for Guard<C, H> {
    type Target = C;

    fn deref(&self) -> &C {
        &self
            .slot
            .as_ref()
            .expect("BUG: a failed `replace` ends the guard's use")
            .link
    }
}

impl<C: Managed, H: Home<Link = C>> DerefMut for Guard<C, H> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self
            .slot
            .as_mut()
            .expect("BUG: a failed `replace` ends the guard's use")
            .link
    }
}

impl<C: Managed, H: Home<Link = C>> fmt::Debug for Guard<C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("reused", &self.reused())
            .finish_non_exhaustive()
    }
}

impl<C: Managed, H: Home<Link = C>> Drop for Guard<C, H> {
    fn drop(&mut self) {
        OUT.with(|out| out.set(out.get().saturating_sub(1)));
        let core = self.permit.core();
        if let Some(slot) = self.slot.take()
            && !core.is_inherited()
        {
            core.check_in(slot, self.now, std::thread::panicking());
        }
        // The permit is dropped after this body, with the fields: publish, then release (P5).
    }
}
