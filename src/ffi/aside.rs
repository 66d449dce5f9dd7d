//! What is put aside in PHP's globals while a value is written or read.
//!
//! PHP keeps for a thread what it is serializing and unserializing, and how many digits of a float it
//! writes. For the length of some calls both are to be other than they are. Two things can happen
//! meanwhile. Code of the user can leave the Fiber for another one, or for the main program: these see
//! what they would see without the call, and change that; so at every switch of Fibers what the one that
//! is left has put aside is put back, and what the other one has is put aside again. And the script can
//! die: then it is put back where the call is left.

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::ptr;

use ext_php_rs::ffi::ext_php_rs_process_globals;
use ext_php_rs::zend::{CatchError, bailout, try_catch};

/// The shortest form of a float that reads back the same, as a number of digits.
const SHORTEST: i64 = -1;
/// From so many digits on, any form reads back the same.
const ENOUGH: i64 = 17;

/// What PHP is serializing and unserializing, as `headers.c` declares it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Nesting {
    lock: c_uint,
    serialize_level: c_uint,
    serialize_data: *mut c_void,
    unserialize_level: c_uint,
    unserialize_data: *mut c_void,
}

/// A call that has put something aside.
#[derive(Debug)]
struct Aside {
    /// In which Fiber it runs.
    fiber: *const c_void,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The setting `serialize_precision`, which PHP knows without us.
    Precision,
    /// What PHP was doing before the call; while another Fiber runs, what it does within the call.
    Nesting(Nesting),
}

type SwitchHook = extern "C" fn(*const c_void, *const c_void);
type BeginHook = extern "C" fn(*const c_void);

unsafe extern "C" {
    fn tagcache_nesting_swap(other: *mut Nesting);
    fn tagcache_fiber() -> *const c_void;
    fn zend_ini_long(name: *const c_char, length: usize, original: c_int) -> i64;
    fn zend_observer_fiber_switch_register(hook: SwitchHook);
    fn zend_observer_fiber_init_register(hook: BeginHook);
}

thread_local! {
    /// The calls of the thread, those of one Fiber in the order in which they began.
    static ASIDE: RefCell<Vec<Aside>> = const { RefCell::new(Vec::new()) };
}

/// Runs `body` so that what it serializes and unserializes stands for itself, wherever PHP is
/// meanwhile. The method `serialize()` of the old interface `Serializable`, and its `unserialize()`, run
/// in the middle of PHP's own work, and what they serialize shares PHP's table of references: it is
/// meant to become a part of the whole. What they give to the cache is not, and must not refer to what
/// is only there. *May bail out.*
pub(crate) fn apart<R>(body: impl FnOnce() -> R) -> R {
    with(What::Nesting(Nesting::NONE), body)
}

/// Runs `body` so that PHP writes floats exactly, also if the setting `serialize_precision` would not.
/// *May bail out.*
pub(crate) fn exact_floats<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: called on a PHP thread; reads a number of its globals.
    let set = unsafe { (*ext_php_rs_process_globals()).serialize_precision };
    if set == SHORTEST || set >= ENOUGH {
        return body();
    }
    with(What::Precision, body)
}

/// Runs `body` with other globals.
fn with<R>(mut what: What, body: impl FnOnce() -> R) -> R {
    // SAFETY: called on a PHP thread; the address is only compared.
    let fiber = unsafe { tagcache_fiber() };
    what.enter();
    ASIDE.with_borrow_mut(|aside| aside.push(Aside { fiber, what }));
    let done = try_catch(AssertUnwindSafe(body));
    let mut ended = ASIDE.with_borrow_mut(|aside| {
        let innermost = aside.iter().rposition(|one| one.fiber == fiber);
        aside.remove(innermost.expect("BUG: a call of this Fiber is noted"))
    });
    ended.what.leave();
    match done {
        Ok(result) => result,
        // SAFETY: goes on with the bailout that was caught; nothing here is left to be dropped.
        Err(CatchError::Bailout) => unsafe { bailout() },
        // The hook has reported it.
        Err(panic) => resume_unwind(Box::new(panic.to_string())),
    }
}

impl Nesting {
    /// PHP does nothing of the kind.
    const NONE: Self = Self {
        lock: 0,
        serialize_level: 0,
        serialize_data: ptr::null_mut(),
        unserialize_level: 0,
        unserialize_data: ptr::null_mut(),
    };

    fn swap(&mut self) {
        // SAFETY: called on a PHP thread. What becomes its state is nothing, or was that of the same
        // Fiber, or of the others while this one runs: so what it refers to belongs to calls that go on.
        unsafe { tagcache_nesting_swap(self) };
    }
}

impl What {
    /// Makes the globals what they are within the call.
    fn enter(&mut self) {
        match self {
            Self::Precision => set_precision(SHORTEST),
            Self::Nesting(other) => other.swap(),
        }
    }

    /// Makes the globals what they are outside of it.
    fn leave(&mut self) {
        match self {
            // Code of the user may have changed the setting meanwhile.
            // SAFETY: called on a PHP thread, with a name that PHP knows.
            Self::Precision => set_precision(unsafe {
                let name = c"serialize_precision";
                zend_ini_long(name.as_ptr(), name.count_bytes(), 0)
            }),
            Self::Nesting(other) => other.swap(),
        }
    }
}

fn set_precision(digits: i64) {
    // SAFETY: called on a PHP thread; a number of its globals.
    unsafe { (*ext_php_rs_process_globals()).serialize_precision = digits };
}

/// Registers the hooks. For MINIT.
pub(crate) fn watch_fibers() {
    // SAFETY: MINIT is where PHP wants its hooks registered; the library stays loaded.
    unsafe {
        zend_observer_fiber_switch_register(on_switch);
        zend_observer_fiber_init_register(on_begin);
    }
}

/// Forgets the calls that PHP has left for good. For the end of a request.
pub(super) fn forget() {
    ASIDE.with_borrow_mut(Vec::clear);
}

/// PHP calls this before one Fiber is left for another. The main program is one, too.
extern "C" fn on_switch(from: *const c_void, to: *const c_void) {
    // The thread may be ending, when nothing is put aside any more. Nothing here panics.
    let _ = ASIDE.try_with(|aside| {
        let mut aside = aside.borrow_mut();
        for one in aside.iter_mut().rev().filter(|one| one.fiber == from) {
            one.what.leave();
        }
        for one in aside.iter_mut().filter(|one| one.fiber == to) {
            one.what.enter();
        }
    });
}

/// PHP calls this before a Fiber begins: it may have the address of one that is no more, and that a
/// script that was dying has left within a call.
extern "C" fn on_begin(fiber: *const c_void) {
    let _ = ASIDE.try_with(|aside| aside.borrow_mut().retain(|one| one.fiber != fiber));
}
