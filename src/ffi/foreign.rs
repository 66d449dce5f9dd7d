//! Functions of other extensions, found by name when they are needed: an extension may be absent,
//! and which one is loaded first is the user's business.
//!
//! A function that reads tells of damaged bytes by warnings, and one that writes of what it can't
//! write and puts null for (a resource, even by a deprecation only). They are caught by PHP's hook for
//! errors and become our failure. What code of the user raises meanwhile (in `__wakeup()`, in an
//! autoloader) goes its usual way.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    E_DEPRECATED, E_NOTICE, E_WARNING, ext_php_rs_executor_globals, zend_call_known_function,
    zend_fetch_function_str, zend_function,
};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::ExecuteData;

use super::refusal::refusable;
use super::{Owned, string};
use crate::error::Failure;

/// The kind of a function that PHP or an extension defines.
pub(super) const INTERNAL: u8 = 1;
/// What a function that reads complains by. That it makes a property which its class does not declare
/// is deprecated, and no complaint about the bytes.
const READING: c_int = (E_WARNING | E_NOTICE) as c_int;
/// What one that writes complains by.
const WRITING: c_int = READING | E_DEPRECATED as c_int;
/// What is shown even where `@` silences: the errors that end a script.
const FATAL: c_int = 1 | 16 | 64 | 256 | 4096 | 4;

type ErrorHook = extern "C" fn(c_int, *mut ZendStr, u32, *mut ZendStr);

unsafe extern "C" {
    static mut zend_error_cb: ErrorHook;
    fn zend_observer_error_register(hook: ErrorHook);
}

/// A function of an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function(NonNull<zend_function>);

/// Finds a function of an extension; a user's function of that name does not count.
pub(crate) fn function(name: &str) -> Option<Function> {
    // SAFETY: PHP reads the name, and gives null or a function that lives as long as its module,
    // which is beyond the call that asks.
    let found = unsafe { zend_fetch_function_str(name.as_ptr().cast::<c_char>(), name.len()) };
    NonNull::new(found)
        // SAFETY: `type_` is the first field of every kind of function.
        .filter(|function| unsafe { function.as_ref().type_ } == INTERNAL)
        .map(Function)
}

/// Calls a function that makes a string of a value; `None` if it gives something else. *May bail
/// out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what user code throws, [`Failure::Refused`] for what can't be serialized, as a
/// closure, [`Failure::Serialization`] for what the function complains of: it writes something else then.
pub(crate) fn write_by(function: Function, value: &Zval) -> Result<Option<ZBox<ZendStr>>, Failure> {
    Watch::begin(Some(function), WRITING);
    let text = call(function, value);
    let complaint = Watch::end();
    let text = text?;
    if let Some(complaint) = complaint {
        return Err(Failure::Serialization(complaint.into_inner()));
    }
    let Some(made) = text.zend_str().map(|text| ptr::from_ref(text).cast_mut()) else {
        return Ok(None);
    };
    // The string's count goes from the zval to the box.
    mem::forget(text);
    // SAFETY: a live string of which the forgotten zval had a count.
    Ok(Some(unsafe { ZBox::from_raw(made) }))
}

/// Calls a function that makes a value of a string. Returns what it complained of. *May bail
/// out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what user code throws, [`Failure::Refused`] for what can't be unserialized, as
/// a closure.
pub(crate) fn read_by(
    function: Function,
    payload: &[u8],
    into: &mut Zval,
) -> Result<Option<Owned<String>>, Failure> {
    let mut argument = Zval::new();
    argument.set_zend_string(string(payload)?);
    Watch::begin(Some(function), READING);
    let result = call(function, &argument);
    let complaint = Watch::end();
    *into = result?;
    Ok(complaint)
}

fn call(function: Function, argument: &Zval) -> Result<Zval, Failure> {
    let mut result = Zval::new();
    // SAFETY: the function is alive and takes one argument, which it reads; the result is ours.
    refusable(|| unsafe {
        zend_call_known_function(
            function.0.as_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut result,
            1,
            ptr::from_ref(argument).cast_mut(),
            ptr::null_mut(),
        );
    })?;
    Ok(result)
}

/// What `error_reporting` and its counterpart for the user's handler were.
type Reporting = (c_int, c_int);

thread_local! {
    /// The calls of functions whose complaints are caught: more than one if they nest, or a Fiber is
    /// suspended in one.
    static WATCHES: RefCell<Vec<Watch>> = const { RefCell::new(Vec::new()) };
    static SILENCED: Cell<Option<Reporting>> = const { Cell::new(None) };
}

/// What shows errors when neither this module nor a handler of the user takes them. Set in MINIT.
static SHOW: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// A call of a function whose complaints are caught.
#[derive(Debug)]
pub(super) struct Watch {
    /// The frame of ours that calls it, and of which function that is. Where PHP has left the frame for
    /// good, another can have its address, but none that calls such a function: it would have begun anew.
    frame: *const ExecuteData,
    ours: *const zend_function,
    /// The function; null for PHP's own unserializer, which is none, and for what that calls of PHP's.
    function: *const zend_function,
    /// By what it complains.
    kinds: c_int,
    /// The first complaint.
    complaint: Option<String>,
}

impl Watch {
    /// Catches what PHP's own unserializer complains of in the frame that runs, until [`Watch::end`].
    pub(super) fn unserializer() {
        Self::begin(None, READING);
    }

    /// Catches what `function` complains of when the frame that runs has called it, until [`Watch::end`].
    fn begin(function: Option<Function>, kinds: c_int) {
        let frame = frame();
        // SAFETY: null or the live frame of a function of ours.
        let ours = unsafe { frame.as_ref() }.map_or(ptr::null(), |frame| frame.func.cast_const());
        WATCHES.with_borrow_mut(|watches| {
            watches.retain(|watch| watch.frame != frame);
            watches.push(Self {
                frame,
                ours,
                function: function.map_or(ptr::null(), |function| function.0.as_ptr().cast_const()),
                kinds,
                complaint: None,
            });
        });
    }

    /// Returns the first complaint.
    pub(super) fn end() -> Option<Owned<String>> {
        speak();
        let frame = frame();
        WATCHES.with_borrow_mut(|watches| {
            let own = watches.iter().rposition(|watch| watch.frame == frame)?;
            watches.remove(own).complaint.map(Owned::new)
        })
    }
}

/// Returns the frame that runs, null if none does.
pub(super) fn frame() -> *const ExecuteData {
    // SAFETY: called on a PHP thread.
    unsafe { (*ext_php_rs_executor_globals()).current_execute_data }
}

/// Registers the hooks. For MINIT.
pub(crate) fn watch_errors() {
    // SAFETY: MINIT is where PHP wants its hooks registered, with one thread; the library stays loaded. A
    // server that restarts its modules may still have ours.
    unsafe {
        zend_observer_error_register(on_error);
        let shows = zend_error_cb;
        if shows as *const () != show as *const () {
            // Relaxed: a pointer on its own, set before there are threads.
            SHOW.store(shows as *mut (), Ordering::Relaxed);
            zend_error_cb = show;
        }
    }
}

/// Forgets the calls that PHP has left for good. For the end of a request.
pub(super) fn forget() {
    speak();
    WATCHES.with_borrow_mut(Vec::clear);
}

/// PHP calls this for every error before it is shown or given to the user's handler.
extern "C" fn on_error(kind: c_int, _file: *mut ZendStr, _line: u32, message: *mut ZendStr) {
    // A panic must not get into PHP; the thread may be ending, when nothing is watched any more.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        speak();
        let caught = WATCHES.try_with(|watches| {
            // SAFETY: called on a PHP thread; a frame that runs is alive, the one that has called it and
            // the message, too.
            unsafe { catch(&mut watches.borrow_mut(), kind, message.as_ref()) }
        });
        if caught == Ok(true) {
            silence();
        }
    }));
}

/// Notes the error if it is a complaint that is caught; returns whether it is.
///
/// # Safety
///
/// For the hook of PHP.
unsafe fn catch(watches: &mut [Watch], kind: c_int, message: Option<&ZendStr>) -> bool {
    // SAFETY: the caller's; `type_` is the first field of every kind of function.
    let calls = unsafe {
        let Some(running) = frame().as_ref() else {
            return false;
        };
        let caller = running.prev_execute_data.as_ref();
        let internal = running
            .func
            .as_ref()
            .is_some_and(|function| function.type_ == INTERNAL);
        watches.iter_mut().find(|watch| {
            let is = |frame: &ExecuteData| {
                ptr::eq(watch.frame, frame) && ptr::eq(watch.ours, frame.func)
            };
            let called = caller.is_some_and(is);
            let own = if watch.function.is_null() {
                is(running) || called && internal
            } else {
                called && ptr::eq(watch.function, running.func)
            };
            own && watch.kinds & kind != 0
        })
    };
    let Some(watch) = calls else {
        return false;
    };
    watch.complaint.get_or_insert_with(|| {
        let text = message.map_or(&b""[..], ZendStr::as_bytes);
        String::from_utf8_lossy(text).into_owned()
    });
    true
}

/// Keeps PHP from giving the error that it is about to show to the user's handler: it goes to [`show`]
/// instead, and no code of the user runs before.
fn silence() {
    // SAFETY: two numbers of this thread's globals.
    unsafe {
        let globals = &mut *ext_php_rs_executor_globals();
        SILENCED.set(Some((
            globals.error_reporting,
            globals.user_error_handler_error_reporting,
        )));
        globals.error_reporting &= FATAL;
        globals.user_error_handler_error_reporting = 0;
    }
}

/// Undoes [`silence`]; returns whether there was something to undo.
fn speak() -> bool {
    let Some((reporting, handler)) = SILENCED.try_with(Cell::take).ok().flatten() else {
        return false;
    };
    // SAFETY: as in `silence`.
    unsafe {
        let globals = &mut *ext_php_rs_executor_globals();
        globals.error_reporting = reporting;
        globals.user_error_handler_error_reporting = handler;
    }
    true
}

/// PHP calls this to show an error. Another extension may have put itself in its place and not pass on
/// what it is given: it is as silent then, and the globals are put right by whoever comes next. *May bail
/// out.*
extern "C" fn show(kind: c_int, file: *mut ZendStr, line: u32, message: *mut ZendStr) {
    if speak() {
        return;
    }
    // Relaxed: as in `watch_errors`.
    let shows = SHOW.load(Ordering::Relaxed);
    // SAFETY: what stood in `zend_error_cb`, which is never null. Nothing here is left to be dropped when
    // it bails out.
    unsafe { mem::transmute::<*mut (), ErrorHook>(shows)(kind, file, line, message) };
}
