//! A pointer to something that lives for ever once it is published.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Holds nothing or a value that is never freed, and can be replaced without a lock. A forked
/// child replaces what it must not touch: a lock could be held by a thread that is not there.
pub(crate) struct Leaked<T: 'static>(AtomicPtr<T>);

impl<T: Sync> Leaked<T> {
    /// Returns an empty one.
    pub(crate) const fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Returns the value, if there is one.
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: Acquire pairs with the Release in `replace`; what is stored is never freed.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Publishes `new` unless somebody else has replaced `old` meanwhile; returns what is
    /// published then.
    pub(crate) fn replace(&self, old: Option<&'static T>, new: T) -> &'static T {
        let old = old.map_or(ptr::null_mut(), |old| ptr::from_ref(old).cast_mut());
        let new = Box::into_raw(Box::new(new));
        // Release on success: pairs with the Acquire in `get`. Acquire on failure: as in `get`.
        match self
            .0
            .compare_exchange(old, new, Ordering::Release, Ordering::Acquire)
        {
            // SAFETY: just made, and from now on never freed.
            Ok(_) => unsafe { &*new },
            Err(winner) => {
                // SAFETY: `new` was not published, so it is ours alone; the winner never freed.
                unsafe {
                    drop(Box::from_raw(new));
                    &*winner
                }
            }
        }
    }
}
