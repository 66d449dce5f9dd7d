//! Exceptions as values, and calls of the user's functions.

use std::ptr;

use ext_php_rs::ffi::{_call_user_function_impl, ext_php_rs_executor_globals};
use ext_php_rs::types::{ZendObject, ZendStr, Zval};

use super::exception_is_pending;
use crate::error::Failure;

unsafe extern "C" {
    fn zend_is_unwind_exit(exception: *const ZendObject) -> bool;
    fn zend_is_graceful_exit(exception: *const ZendObject) -> bool;
    fn zend_clear_exception();
    fn zend_is_callable(function: *mut Zval, flags: u32, name: *mut *mut ZendStr) -> bool;
}

/// Takes the exception that is pending off its way; `None` if there is none, or if it is the
/// script's `exit`, which nobody may stop.
pub(crate) fn take_exception() -> Option<Zval> {
    // SAFETY: called on a PHP thread; a pending exception is a live object, and it gets a count
    // of ours before PHP gives its own up.
    unsafe {
        let exception = (*ext_php_rs_executor_globals()).exception.as_mut()?;
        if zend_is_unwind_exit(exception) || zend_is_graceful_exit(exception) {
            return None;
        }
        let mut taken = Zval::new();
        taken.set_object(exception);
        zend_clear_exception();
        Some(taken)
    }
}

/// Calls `function` with one argument and drops what it returns. *May bail out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what it throws.
pub(crate) fn call_with(function: &Zval, argument: &Zval) -> Result<(), Failure> {
    let mut result = Zval::new();
    // SAFETY: PHP reads the function and one argument, and writes the result; all three live.
    unsafe {
        _call_user_function_impl(
            ptr::null_mut(),
            ptr::from_ref(function).cast_mut(),
            &raw mut result,
            1,
            ptr::from_ref(argument).cast_mut(),
            ptr::null_mut(),
        );
    }
    if exception_is_pending() {
        Err(Failure::Thrown)
    } else {
        Ok(())
    }
}

/// Returns whether `value` can be called. *May bail out* (autoloaders).
pub(crate) fn is_callable(value: &Zval) -> bool {
    // SAFETY: PHP reads the value; no name is asked for.
    unsafe { zend_is_callable(ptr::from_ref(value).cast_mut(), 0, ptr::null_mut()) }
}

/// Calls `function` without arguments and returns what it returns. *May bail out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what it throws.
pub(crate) fn call_user(function: &Zval) -> Result<Zval, Failure> {
    let mut result = Zval::new();
    // SAFETY: PHP reads the function and writes the result; both live.
    unsafe {
        _call_user_function_impl(
            ptr::null_mut(),
            ptr::from_ref(function).cast_mut(),
            &raw mut result,
            0,
            ptr::null_mut(),
            ptr::null_mut(),
        );
    }
    returned(result)
}

/// Returns what a call of user code has given, not as a reference.
///
/// # Errors
///
/// [`Failure::Thrown`] for what it has thrown.
pub(super) fn returned(result: Zval) -> Result<Zval, Failure> {
    if exception_is_pending() {
        Err(Failure::Thrown)
    } else if result.is_reference() {
        Ok(result.dereference().shallow_clone())
    } else {
        Ok(result)
    }
}
