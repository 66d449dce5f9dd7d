//! What a call owns besides PHP's memory, while PHP may leave it for good.
//!
//! PHP leaves a call by `longjmp` when a script dies (a bailout), and no destructor of the frames in
//! between runs. It leaves a suspended Fiber where it is when the script dies elsewhere. And the
//! script's shutdown functions, which run after that, can resume that Fiber. So at a bailout nobody can
//! tell by depth or age which frames are gone.
//!
//! Therefore nothing is freed at a bailout. The thread notes what is [`Owned`]; whoever owns it takes it
//! out of the notes by its drop; and what is noted when the request is over is freed then
//! ([`free_all`]): no code of the user runs any more, so nobody is left who could go on with it.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

thread_local! {
    static NOTES: RefCell<Notes> = const { RefCell::new(Notes { places: Vec::new(), free: Vec::new() }) };
}

/// What the calls of a thread own.
struct Notes {
    places: Vec<Option<Note>>,
    /// The places that hold none. Fibers do not end in the order in which they began.
    free: Vec<usize>,
}

/// One value.
#[derive(Clone, Copy)]
struct Note {
    /// From `Box::into_raw`.
    value: NonNull<()>,
    /// Frees it.
    free: unsafe fn(NonNull<()>),
}

/// A value that a frame owns: it is freed by the frame, or if PHP has left that for good, at the end of
/// the request, outside of PHP. So it holds none of PHP's values, whose memory PHP frees by itself.
pub(crate) struct Owned<T: 'static> {
    value: NonNull<T>,
    place: usize,
    /// Not to be sent: the notes are the thread's.
    thread: PhantomData<*mut T>,
}

impl<T: 'static> Owned<T> {
    /// Owns `value`.
    pub(crate) fn new(value: T) -> Self {
        Self::of_box(Box::new(value))
    }

    /// Owns what is in the box.
    pub(crate) fn of_box(value: Box<T>) -> Self {
        let value = NonNull::from(Box::leak(value));
        let place = NOTES.with_borrow_mut(|notes| {
            notes.add(Note {
                value: value.cast(),
                free: free::<T>,
            })
        });
        Self {
            value,
            place,
            thread: PhantomData,
        }
    }

    /// Gives the value away.
    pub(crate) fn into_inner(self) -> T {
        *self
            .into_box()
            .expect("BUG: a frame goes on after the end of its request")
    }

    /// Gives the box away; `None` if it is not noted any more.
    pub(crate) fn into_box(self) -> Option<Box<T>> {
        ManuallyDrop::new(self).take()
    }

    /// Takes the value out of the notes.
    fn take(&mut self) -> Option<Box<T>> {
        // At the end of a thread there may be no notes left; then the value stays where it is, as
        // nobody can tell whether it was freed.
        let noted =
            NOTES.try_with(|notes| notes.borrow_mut().remove(self.place, self.value.cast()));
        // SAFETY: from `Box::leak` in `of_box`; it was noted as ours and is so no more, so `free_all`
        // has not freed it and will not, and this `Owned` ends here (by its drop or `into_box`).
        (noted == Ok(true)).then(|| unsafe { Box::from_raw(self.value.as_ptr()) })
    }
}

impl Notes {
    fn add(&mut self, note: Note) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.places[place] = Some(note);
                place
            }
            None => {
                self.places.push(Some(note));
                self.places.len() - 1
            }
        }
    }

    /// Removes the note of `value` from its place; false if it is not there.
    fn remove(&mut self, place: usize, value: NonNull<()>) -> bool {
        match self.places.get_mut(place) {
            Some(slot) if slot.is_some_and(|note| ptr::eq(note.value.as_ptr(), value.as_ptr())) => {
                *slot = None;
                self.free.push(place);
                true
            }
            _ => false,
        }
    }

    /// Removes the last note.
    fn pop(&mut self) -> Option<Note> {
        // They would be beyond the end.
        self.free.clear();
        while let Some(place) = self.places.pop() {
            if place.is_some() {
                return place;
            }
        }
        None
    }
}

/// Frees what calls have left behind that PHP has left for good. For the end of a request, when PHP
/// runs no code of the user any more: no frame of the extension is on the stack of the thread, no Fiber
/// will be resumed, and every object is gone.
pub(crate) fn free_all() {
    // Nothing is borrowed while a value is freed: that may use the network.
    while let Some(note) = NOTES.with_borrow_mut(Notes::pop) {
        // SAFETY: made by `of_box` for this value, which was noted, so its `Owned` has not freed it;
        // and it will not, as no frame goes on that has one.
        unsafe { (note.free)(note.value) };
    }
}

/// # Safety
///
/// `value` is from `Box::into_raw` of a `Box<T>`, and nobody uses it any more.
unsafe fn free<T>(value: NonNull<()>) {
    // SAFETY: the caller's.
    drop(unsafe { Box::from_raw(value.cast::<T>().as_ptr()) });
}

impl<T: 'static> Drop for Owned<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl<T: 'static> Deref for Owned<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value lives until this `Owned` ends, or the request, in which no frame goes on
        // that has one (see `free_all`).
        unsafe { self.value.as_ref() }
    }
}

impl<T: 'static> DerefMut for Owned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; there is one `Owned` for each value, and the notes do not look at it.
        unsafe { self.value.as_mut() }
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
