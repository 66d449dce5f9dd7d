//! A call from PHP: its arguments with PHP's own conversions and messages, and its object.

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use ext_php_rs::ffi::zend_wrong_parameters_count_error;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData};

use super::error::c_string;
use super::{exception_is_pending, object};
use crate::error::Failure;
use crate::handle::HandleCell;

unsafe extern "C" {
    fn zend_parse_arg_str_slow(arg: *mut Zval, dest: *mut *mut ZendStr, arg_num: u32) -> bool;
    fn zend_parse_arg_long_slow(arg: *mut Zval, dest: *mut i64, arg_num: u32) -> bool;
    fn zend_parse_arg_double_slow(arg: *mut Zval, dest: *mut f64, arg_num: u32) -> bool;
    fn zend_throw_error(class: *mut ClassEntry, format: *const c_char, ...);
    fn zend_argument_type_error(arg_num: u32, format: *const c_char, ...);
    #[cfg(not(php83))]
    #[link_name = "zend_zval_type_name"]
    fn type_name(arg: *const Zval) -> *const c_char;
    #[cfg(php83)]
    #[link_name = "zend_zval_value_name"]
    fn type_name(arg: *const Zval) -> *const c_char;
}

/// One call of a method or function by PHP.
///
/// What it hands out lives as long as the call: PHP keeps the arguments in the frame, and a
/// string or array is not changed in place while the frame has a count on it.
pub(crate) struct Call<'a> {
    frame: &'a ExecuteData,
    given: usize,
}

/// Runs the body of an entry point: checks the number of arguments, and keeps panics from crossing
/// into PHP (they become `Error`). A bailout goes through, see [`Owned`](super::Owned).
pub(crate) fn handle(
    frame: &ExecuteData,
    result: &mut Zval,
    body: impl FnOnce(&Call<'_>, &mut Zval),
) {
    enter(|| {
        if let Some(call) = Call::new(frame) {
            body(&call, result);
        }
    });
}

/// Runs what PHP has called; a panic becomes an `Error`, unless an exception is pending.
pub(super) fn enter(body: impl FnOnce()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(body)) else {
        return;
    };
    if exception_is_pending() {
        return;
    }
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = c_string(&format!(
        "Rust panic: {}",
        text.unwrap_or("without a message")
    ));
    // SAFETY: null stands for the class `Error`; the one conversion takes a string that ends in NUL.
    unsafe { zend_throw_error(ptr::null_mut(), c"%s".as_ptr(), message.as_ptr()) };
}

impl<'a> Call<'a> {
    fn new(frame: &'a ExecuteData) -> Option<Self> {
        // SAFETY: a frame of an internal function has its function set, and `common` is laid out
        // alike in every variant of the union; PHP keeps both for the length of the call.
        let (given, required, declared) = unsafe {
            let common = &(*frame.func).common;
            (
                frame.This.u2.num_args,
                common.required_num_args,
                common.num_args,
            )
        };
        if given < required || given > declared {
            // SAFETY: throws ArgumentCountError; needs only to be called within a PHP call.
            unsafe { zend_wrong_parameters_count_error(required, declared) };
            return None;
        }
        Some(Self {
            frame,
            given: given as usize,
        })
    }

    /// Returns argument `n`, from 0; `None` if it was left out.
    fn arg(&self, n: usize) -> Option<*mut Zval> {
        if n >= self.given {
            return None;
        }
        // SAFETY: `n` is below the number of arguments that PHP pushed on the frame.
        unsafe { self.frame.zend_call_arg(n) }.map(ptr::from_mut)
    }

    fn required(&self, n: usize) -> *mut Zval {
        self.arg(n)
            .expect("BUG: the count of arguments was checked against the signature")
    }

    /// Returns a value of any type.
    pub(crate) fn value(&self, n: usize) -> &'a Zval {
        // SAFETY: PHP keeps the argument for the length of the call, which `'a` is bound to;
        // the other accessors change an argument only in place of its own type check.
        unsafe { &*self.required(n) }.dereference()
    }

    /// Returns a value of any type, `None` if it was left out.
    pub(crate) fn optional_value(&self, n: usize) -> Option<&'a Zval> {
        self.has(n).then(|| self.value(n))
    }

    /// Returns whether argument `n` was given.
    pub(crate) fn has(&self, n: usize) -> bool {
        n < self.given
    }

    /// Returns a string as any internal function takes it: in weak mode also what converts to
    /// one, which may run `__toString()`. *May bail out.*
    pub(crate) fn str(&self, n: usize) -> Result<&'a [u8], Failure> {
        self.str_expecting(n, c"of type string")
    }

    /// As [`Call::str`], with `expected` in the message.
    pub(crate) fn str_expecting(&self, n: usize, expected: &CStr) -> Result<&'a [u8], Failure> {
        let arg = self.required(n);
        // SAFETY: `arg` is a live argument of this call.
        if let Some(text) = unsafe { &*arg }.zend_str() {
            return Ok(bytes_of(text));
        }
        let mut text = ptr::null_mut();
        // SAFETY: as above; the conversion replaces the argument in its place on the frame, so
        // the frame owns the new string.
        if unsafe { zend_parse_arg_str_slow(arg, &raw mut text, number(n)) } {
            // SAFETY: PHP set it to a live string that the frame owns.
            return Ok(bytes_of(unsafe { &*text }));
        }
        Err(self.wrong_type(n, expected))
    }

    /// Returns an integer as any internal function takes it. *May bail out.*
    pub(crate) fn long(&self, n: usize) -> Result<i64, Failure> {
        self.long_expecting(n, c"of type int")
    }

    /// Returns an integer, `None` for null or if it was left out. *May bail out.*
    pub(crate) fn optional_long(&self, n: usize) -> Result<Option<i64>, Failure> {
        match self.optional_value(n) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(_) => self.long_expecting(n, c"of type ?int").map(Some),
        }
    }

    fn long_expecting(&self, n: usize, expected: &CStr) -> Result<i64, Failure> {
        let arg = self.required(n);
        // SAFETY: `arg` is a live argument of this call.
        if let Some(number) = unsafe { &*arg }.long() {
            return Ok(number);
        }
        let mut long = 0;
        // SAFETY: as above; `long` outlives the call.
        if unsafe { zend_parse_arg_long_slow(arg, &raw mut long, number(n)) } {
            return Ok(long);
        }
        Err(self.wrong_type(n, expected))
    }

    /// Returns a float, `None` for null or if it was left out. *May bail out.*
    pub(crate) fn optional_double(&self, n: usize) -> Result<Option<f64>, Failure> {
        match self.optional_value(n) {
            None => return Ok(None),
            Some(value) if value.is_null() => return Ok(None),
            Some(_) => {}
        }
        let arg = self.required(n);
        // SAFETY: `arg` is a live argument of this call.
        if let Some(number) = unsafe { &*arg }.double() {
            return Ok(Some(number));
        }
        let mut double = 0.0;
        // SAFETY: as above; `double` outlives the call.
        if unsafe { zend_parse_arg_double_slow(arg, &raw mut double, number(n)) } {
            return Ok(Some(double));
        }
        Err(self.wrong_type(n, c"of type ?float"))
    }

    /// Returns an array.
    pub(crate) fn array(&self, n: usize) -> Result<&'a ZendHashTable, Failure> {
        self.value(n)
            .array()
            .ok_or_else(|| self.wrong_type(n, c"of type array"))
    }

    /// Returns an array, `None` if it was left out.
    pub(crate) fn optional_array(&self, n: usize) -> Result<Option<&'a ZendHashTable>, Failure> {
        if self.has(n) {
            self.array(n).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Throws the `TypeError` that PHP throws for an argument of another type.
    pub(crate) fn wrong_type(&self, n: usize, expected: &CStr) -> Failure {
        if !exception_is_pending() {
            // SAFETY: the format takes two C strings, both end in NUL and outlive the call; the
            // name of a type is static or that of a live class.
            unsafe {
                zend_argument_type_error(
                    number(n),
                    c"must be %s, %s given".as_ptr(),
                    expected.as_ptr(),
                    type_name(self.required(n)),
                );
            }
        }
        Failure::Thrown
    }

    /// Returns the handle of the object that the method was called on.
    pub(crate) fn this(&self) -> &'a HandleCell {
        object::handle_of(&self.frame.This).expect("BUG: a method of TagCache on something else")
    }

    /// Returns the object that the method was called on.
    pub(crate) fn this_zval(&self) -> &'a Zval {
        &self.frame.This
    }

    /// Returns the handle of an argument that must be a `TagCache`.
    pub(crate) fn handle(&self, n: usize) -> Result<&'a HandleCell, Failure> {
        object::handle_of(self.value(n)).ok_or_else(|| self.wrong_type(n, c"of type TagCache"))
    }

    /// Returns the class that a static method was called on.
    pub(crate) fn called_class(&self) -> *mut ClassEntry {
        // SAFETY: in a static call PHP keeps the called class where an object would be.
        unsafe { self.frame.This.value.ce }
    }
}

/// Returns the bytes of a string that the frame of the call owns.
fn bytes_of<'a>(text: &ZendStr) -> &'a [u8] {
    let bytes = text.as_bytes();
    // SAFETY: the frame owns a count of the string until the call returns, and PHP never
    // changes a string of which it can't be sure to be the only owner. The lifetime is cut to
    // that of the call by the only callers, methods of `Call<'a>`.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) }
}

/// Returns the number by which PHP's messages call argument `n`.
fn number(n: usize) -> u32 {
    u32::try_from(n + 1).expect("BUG: no function has that many arguments")
}
