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

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    E_DEPRECATED, E_NOTICE, E_WARNING, ext_php_rs_executor_globals, zend_call_known_function,
    zend_fetch_function_str, zend_function,
};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::BailoutGuard;

use super::serialize::refusal_by_php;
use super::{exception_is_pending, string};
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
/// [`Failure::Thrown`] for what user code throws, [`Failure::Serialization`] for what can't be
/// serialized, as a closure, and for what the function complains of: it writes something else then.
pub(crate) fn write_by(function: Function, value: &Zval) -> Result<Option<ZBox<ZendStr>>, Failure> {
    let watch = BailoutGuard::new(Watch::begin(function, WRITING));
    let text = call(function, value);
    let complaint = Watch::complaint();
    drop(watch);
    let text = text?;
    if let Some(complaint) = complaint {
        return Err(Failure::Serialization(complaint));
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
/// [`Failure::Thrown`] for what user code throws, [`Failure::Serialization`] for what can't be
/// unserialized, as a closure.
pub(crate) fn read_by(
    function: Function,
    payload: &[u8],
    into: &mut Zval,
) -> Result<Option<String>, Failure> {
    let mut argument = Zval::new();
    argument.set_zend_string(string(payload)?);
    let watch = BailoutGuard::new(Watch::begin(function, READING));
    let result = call(function, &argument);
    let complaint = Watch::complaint();
    drop(watch);
    *into = result?;
    Ok(complaint)
}

fn call(function: Function, argument: &Zval) -> Result<Zval, Failure> {
    let mut result = Zval::new();
    // SAFETY: the function is alive and takes one argument, which it reads; the result is ours.
    unsafe {
        zend_call_known_function(
            function.0.as_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut result,
            1,
            ptr::from_ref(argument).cast_mut(),
            ptr::null_mut(),
        );
    }
    if exception_is_pending() {
        return Err(refusal_by_php().unwrap_or(Failure::Thrown));
    }
    Ok(result)
}

/// What `error_reporting` and its counterpart for the user's handler were.
type Reporting = (c_int, c_int);

thread_local! {
    /// The function whose complaints are caught, null for none.
    static WATCHED: Cell<*const zend_function> = const { Cell::new(ptr::null()) };
    /// By what it complains.
    static KINDS: Cell<c_int> = const { Cell::new(0) };
    static COMPLAINT: RefCell<Option<String>> = const { RefCell::new(None) };
    static SILENCED: Cell<Option<Reporting>> = const { Cell::new(None) };
}

/// Catches what a function complains of, until dropped. May be nested.
#[derive(Debug)]
struct Watch {
    outer: *const zend_function,
    outer_kinds: c_int,
    outer_complaint: Option<String>,
}

impl Watch {
    fn begin(function: Function, kinds: c_int) -> Self {
        Self {
            outer: WATCHED.replace(function.0.as_ptr()),
            outer_kinds: KINDS.replace(kinds),
            outer_complaint: COMPLAINT.take(),
        }
    }

    /// Takes the first complaint since the innermost began.
    fn complaint() -> Option<String> {
        COMPLAINT.take()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        speak();
        WATCHED.set(self.outer);
        KINDS.set(self.outer_kinds);
        COMPLAINT.set(self.outer_complaint.take());
    }
}

/// Registers the hook. For MINIT.
pub(crate) fn watch_errors() {
    // SAFETY: MINIT is where PHP wants its hooks registered; the library stays loaded.
    unsafe { zend_observer_error_register(on_error) };
}

/// PHP calls this for every error before it is shown or given to the user's handler.
extern "C" fn on_error(kind: c_int, _file: *mut ZendStr, _line: u32, message: *mut ZendStr) {
    // A panic must not get into PHP; the thread may be ending, when nothing is watched any more.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let watched = WATCHED.try_with(Cell::get).unwrap_or(ptr::null());
        if watched.is_null() {
            return;
        }
        speak();
        // SAFETY: called on a PHP thread; the frame that runs is alive, and the message too.
        let (own, message) = unsafe {
            let frame = (*ext_php_rs_executor_globals()).current_execute_data;
            (
                !frame.is_null() && ptr::eq((*frame).func, watched),
                message.as_ref(),
            )
        };
        if own && kind & KINDS.try_with(Cell::get).unwrap_or(0) != 0 {
            COMPLAINT.with_borrow_mut(|complaint| {
                complaint.get_or_insert_with(|| {
                    let text = message.map_or(&b""[..], ZendStr::as_bytes);
                    String::from_utf8_lossy(text).into_owned()
                });
            });
            silence();
        }
    }));
}

/// Keeps PHP from showing the error that it is about to show.
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

/// Undoes [`silence`].
fn speak() {
    if let Some((reporting, handler)) = SILENCED.take() {
        // SAFETY: as in `silence`.
        unsafe {
            let globals = &mut *ext_php_rs_executor_globals();
            globals.error_reporting = reporting;
            globals.user_error_handler_error_reporting = handler;
        }
    }
}
