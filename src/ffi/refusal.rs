//! Whose exception it is that ends the serializing or unserializing of a value: PHP's own, because of
//! the value, or that of code of the user, in its hooks and autoloaders.
//!
//! PHP throws many classes with many messages for the first (`Exception`, `TypeError`, `Error`,
//! `UnexpectedValueException` and others), and users throw any of them. What tells them apart is the frame
//! that threw: from a frame of the user's code it is the user's, and so is what PHP throws when such a
//! frame calls it. A hook of PHP notes the innermost frame of the user's code at each throw; if that is
//! the one that has called the extension, there was none in between.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::ffi::{ext_php_rs_executor_globals, zend_object};
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData};

use super::foreign::{INTERNAL, frame};
use super::inside::class_name;
use super::{exception_is_pending, read_property, take_exception};
use crate::error::Failure;

type Hook = unsafe extern "C" fn(*mut zend_object);

unsafe extern "C" {
    static mut zend_throw_exception_hook: Option<Hook>;
    fn zend_get_exception_base(exception: *mut ZendObject) -> *mut ClassEntry;
}

thread_local! {
    static THROWN: Cell<Thrown> = const { Cell::new(Thrown::nothing()) };
}

/// What was thrown last. Both may be on their way: while PHP's is, it calls destructors.
#[derive(Clone, Copy)]
struct Thrown {
    /// By PHP.
    by_php: *const ZendObject,
    /// The innermost frame of the user's code at that time.
    under: *const ExecuteData,
    /// By code of the user.
    by_user: *const ZendObject,
}

impl Thrown {
    const fn nothing() -> Self {
        Self {
            by_php: ptr::null(),
            under: ptr::null(),
            by_user: ptr::null(),
        }
    }

    /// Notes an exception, whose address one that is gone may have had.
    fn note(&mut self, exception: *const ZendObject) {
        let running = frame();
        let under = frame_of_user();
        if ptr::eq(running, under) {
            self.by_user = exception;
            if self.by_php == exception {
                self.by_php = ptr::null();
            }
        } else {
            (self.by_php, self.under) = (exception, under);
            if self.by_user == exception {
                self.by_user = ptr::null();
            }
        }
    }
}

/// Whose place [`on_throw`] has taken, null for nobody. Set in MINIT.
static NEXT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Registers the hook. For MINIT.
pub(crate) fn watch_throws() {
    // SAFETY: MINIT is where PHP wants its hooks set, with one thread; the library stays loaded. A server
    // that restarts its modules may still have ours.
    unsafe {
        let next = zend_throw_exception_hook;
        if next.is_none_or(|next| next as *const () != on_throw as *const ()) {
            // Relaxed: a pointer on its own, set before there are threads.
            NEXT.store(
                next.map_or(ptr::null_mut(), |next| next as *mut ()),
                Ordering::Relaxed,
            );
            zend_throw_exception_hook = Some(on_throw);
        }
    }
}

/// PHP calls this when something is thrown while no other exception is on its way.
unsafe extern "C" fn on_throw(exception: *mut zend_object) {
    // The thread may be ending.
    let _ = THROWN.try_with(|thrown| {
        let mut noted = thrown.get();
        noted.note(exception);
        thrown.set(noted);
    });
    // Relaxed: as in `watch_throws`.
    let next = NEXT.load(Ordering::Relaxed);
    if !next.is_null() {
        // SAFETY: a hook that stood where ours does, called as PHP would have.
        unsafe { std::mem::transmute::<*mut (), Hook>(next)(exception) };
    }
}

/// Returns the innermost frame of the user's code, null if there is none.
fn frame_of_user() -> *const ExecuteData {
    let mut frame = frame();
    // SAFETY: called on a PHP thread. The frames that run are alive, and so are their functions, whose
    // kind is the first field of each; a frame may have none.
    unsafe {
        while let Some(running) = frame.as_ref() {
            match running.func.as_ref() {
                Some(function) if function.type_ != INTERNAL => break,
                _ => frame = running.prev_execute_data,
            }
        }
        frame
    }
}

/// Lets PHP `work` on a value, which runs code of the user. *May bail out.*
///
/// # Errors
///
/// [`Failure::Refused`] for what PHP throws because of the value, [`Failure::Thrown`] for what code of the
/// user does, which stays on its way.
pub(super) fn refusable<R>(work: impl FnOnce() -> R) -> Result<R, Failure> {
    THROWN.set(Thrown::nothing());
    let done = work();
    if exception_is_pending() {
        return Err(refusal().unwrap_or(Failure::Thrown));
    }
    Ok(done)
}

/// Takes the exception that is pending off its way if it is PHP's.
fn refusal() -> Option<Failure> {
    let thrown = THROWN.get();
    if thrown.by_php.is_null() || thrown.under != frame_of_user() {
        return None;
    }
    // SAFETY: called on a PHP thread; an exception that is pending is a live object.
    let pending = unsafe { (*ext_php_rs_executor_globals()).exception.as_ref() }?;
    // PHP may have thrown more because of it, of which the hook does not hear.
    let mut kept = Zval::new();
    let mut one: *const ZendObject = pending;
    while one != thrown.by_php {
        if one == thrown.by_user {
            return None;
        }
        // SAFETY: the pending one, or one that `kept` has a count on.
        kept = property(unsafe { &*one }, "previous");
        one = kept.object()?;
    }
    drop(kept);
    let by = take_exception()?;
    let object = by.object()?;
    let message = property(object, "message");
    let why = match message.zend_str().map(|text| text.as_bytes()) {
        // SAFETY: the class of a live object.
        None | Some(b"") => class_name(unsafe { &*object.ce }),
        Some(text) => String::from_utf8_lossy(text).into_owned(),
    };
    Some(Failure::Refused { why, by })
}

/// Reads a property that `Exception` and `Error` have.
fn property(exception: &ZendObject, name: &str) -> Zval {
    // SAFETY: reads which of the two a live object extends.
    let base = unsafe { zend_get_exception_base(ptr::from_ref(exception).cast_mut()) };
    // SAFETY: a class of PHP's own.
    read_property(unsafe { &*base }, exception, name)
}
