//! Values that a thread keeps and lends to its calls one after the other.
//!
//! A bailout jumps over the frame that a value was lent to, and its destructor does not run. A
//! [`BailoutGuard`](ext_php_rs::zend::BailoutGuard) would see to that at the price of two
//! allocations a call; here the thread notes what is out, and takes back at the end of the request
//! what nobody can use any more.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::take;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::thread::LocalKey;

/// How many values a thread keeps; more than one is out only when calls nest, as within
/// `__unserialize()`.
const KEEP: usize = 4;

/// What can be lent.
pub(crate) trait Lendable: Default + 'static {
    /// Returns where the calling thread keeps its values.
    fn shelf() -> &'static LocalKey<Shelf<Self>>;

    /// Makes the value ready for the next who borrows it.
    fn tidy(&mut self);
}

/// The values of a thread.
pub(crate) struct Shelf<T> {
    free: RefCell<Vec<Box<T>>>,
    /// Those that are lent, each from `Box::into_raw`. A pointer is in here exactly as long as a
    /// [`Lent`] has it, or a frame had that was jumped over.
    out: RefCell<Vec<NonNull<T>>>,
}

impl<T> Shelf<T> {
    /// Returns an empty one.
    pub(crate) const fn new() -> Self {
        Self {
            free: RefCell::new(Vec::new()),
            out: RefCell::new(Vec::new()),
        }
    }
}

/// A value that is lent: taken by value, so that a call of user code, which borrows again, gets
/// another. It goes back to the thread when dropped.
pub(crate) struct Lent<T: Lendable> {
    value: NonNull<T>,
    /// Not to be sent: it belongs to the thread.
    thread: PhantomData<*mut T>,
}

impl<T: Lendable> Lent<T> {
    /// Borrows a value.
    pub(crate) fn take() -> Self {
        let value = T::shelf().with(|shelf| {
            let value = shelf.free.borrow_mut().pop().unwrap_or_default();
            let value = NonNull::from(Box::leak(value));
            shelf.out.borrow_mut().push(value);
            value
        });
        Self {
            value,
            thread: PhantomData,
        }
    }

    /// Takes back what bailouts have left behind. For the end of a request, when no frame of the
    /// extension is on the stack of the thread and every object that could own one is gone.
    pub(crate) fn reclaim() {
        T::shelf().with(|shelf| {
            for value in take(&mut *shelf.out.borrow_mut()) {
                // SAFETY: from `Box::leak`, and nobody has it any more: see above.
                shelf.put_back(unsafe { Box::from_raw(value.as_ptr()) });
            }
        });
    }
}

impl<T: Lendable> Shelf<T> {
    fn put_back(&self, mut value: Box<T>) {
        value.tidy();
        let mut free = self.free.borrow_mut();
        if free.len() < KEEP {
            free.push(value);
        }
    }
}

impl<T: Lendable> Drop for Lent<T> {
    fn drop(&mut self) {
        // At the end of a thread there may be no shelf left; then the value stays where it is,
        // as nobody can tell whether it is still noted.
        let _ = T::shelf().try_with(|shelf| {
            let mut out = shelf.out.borrow_mut();
            let noted = out
                .iter()
                .rposition(|out| ptr::eq(out.as_ptr(), self.value.as_ptr()));
            if let Some(noted) = noted {
                out.swap_remove(noted);
                drop(out);
                // SAFETY: from `Box::leak`; it was noted as ours, is so no more, and this `Lent`
                // ends here.
                shelf.put_back(unsafe { Box::from_raw(self.value.as_ptr()) });
            }
        });
    }
}

impl<T: Lendable> Deref for Lent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value lives until it is put back, which needs this `Lent` to end, or a
        // request, which no `Lent` in use outlives (see `reclaim`).
        unsafe { self.value.as_ref() }
    }
}

impl<T: Lendable> DerefMut for Lent<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; there is one `Lent` for each value.
        unsafe { self.value.as_mut() }
    }
}

impl<T: Lendable + fmt::Debug> fmt::Debug for Lent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
