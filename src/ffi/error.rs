//! Exceptions and warnings, and the class entries they need.

use std::ffi::{CString, c_char};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::{mem, ptr};

use ext_php_rs::ffi::{
    E_DEPRECATED, E_WARNING, ext_php_rs_executor_globals, php_error_docref, zend_read_property,
    zend_throw_exception,
};
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::ClassEntry;

use super::Owned;
use super::foreign::Watch;

unsafe extern "C" {
    static spl_ce_RuntimeException: *mut ClassEntry;
    static spl_ce_InvalidArgumentException: *mut ClassEntry;
    fn zend_exception_set_previous(exception: *mut ZendObject, previous: *mut ZendObject);
    fn zend_update_property_stringl(
        scope: *mut ClassEntry,
        object: *mut ZendObject,
        name: *const c_char,
        name_length: usize,
        value: *const c_char,
        value_length: usize,
    );
    fn zend_update_property_long(
        scope: *mut ClassEntry,
        object: *mut ZendObject,
        name: *const c_char,
        name_length: usize,
        value: i64,
    );
}

/// Where the class entry of one of our classes is kept. MINIT sets it, anew when a server
/// restarts its modules in the same process.
pub(crate) struct Slot(AtomicPtr<ClassEntry>);

impl Slot {
    /// Returns a slot for a class that is not registered yet.
    pub(crate) const fn empty() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Notes the class. For MINIT.
    pub(crate) fn set(&self, class: &'static mut ClassEntry) {
        // Release: pairs with the Acquire in `raw`; threads start after MINIT anyhow.
        self.0.store(class, Ordering::Release);
    }

    /// Returns the class as PHP wants it.
    pub(crate) fn raw(&self) -> *mut ClassEntry {
        // Acquire: pairs with the Release in `set`.
        self.0.load(Ordering::Acquire)
    }

    /// Returns the class.
    pub(crate) fn get(&self) -> &'static ClassEntry {
        // SAFETY: set in MINIT to a class that PHP keeps until the module is shut down, and the
        // module has no code running then.
        unsafe { self.raw().as_ref() }.expect("BUG: a class is used before MINIT registered it")
    }
}

/// Returns the SPL class that is extended: `RuntimeException` or `InvalidArgumentException`.
pub(crate) fn spl_parent(invalid_argument: bool) -> &'static ClassEntry {
    // SAFETY: SPL is part of every PHP and registers its classes before a shared extension's
    // MINIT.
    unsafe {
        let class = if invalid_argument {
            spl_ce_InvalidArgumentException
        } else {
            spl_ce_RuntimeException
        };
        &*class
    }
}

/// Returns whether an exception is on its way.
pub(crate) fn exception_is_pending() -> bool {
    // SAFETY: called on a PHP thread, whose globals exist.
    unsafe { !(*ext_php_rs_executor_globals()).exception.is_null() }
}

/// Throws. An exception that is pending becomes the previous one. *May bail out.*
pub(crate) fn throw(class: &Slot, message: &str) -> *mut ZendObject {
    let message = c_string(message);
    // SAFETY: the class is registered, the message ends in NUL and is copied.
    unsafe { zend_throw_exception(class.raw(), message.as_ptr(), 0) }
}

/// Throws, with `previous`, an exception that was taken off its way, as the previous one. *May bail out.*
pub(crate) fn throw_because_of(class: &Slot, message: &str, mut previous: Zval) {
    let thrown = throw(class, message);
    // SAFETY: `thrown` is pending and so alive; the count of the previous one goes to it.
    unsafe {
        if let Some(object) = previous.object_mut() {
            zend_exception_set_previous(thrown, object);
            mem::forget(previous);
        }
    }
}

/// Sets a private property of an exception just thrown. *May bail out.*
pub(crate) fn update_str(class: &Slot, object: *mut ZendObject, name: &str, value: &str) {
    // SAFETY: `object` comes from `throw`, which leaves it pending and so alive; PHP copies name
    // and value.
    unsafe {
        zend_update_property_stringl(
            class.raw(),
            object,
            name.as_ptr().cast(),
            name.len(),
            value.as_ptr().cast(),
            value.len(),
        );
    }
}

/// As [`update_str`], for an integer.
pub(crate) fn update_long(class: &Slot, object: *mut ZendObject, name: &str, value: i64) {
    // SAFETY: as in `update_str`.
    unsafe {
        zend_update_property_long(class.raw(), object, name.as_ptr().cast(), name.len(), value);
    }
}

/// Reads a private property that `class` declares from the object in `this`.
pub(crate) fn this_property(class: &Slot, this: &Zval, name: &str) -> Zval {
    match this.object() {
        Some(object) => read_property(class.get(), object, name),
        None => Zval::new(),
    }
}

/// Reads a property as code within `scope` would.
pub(crate) fn read_property(scope: &ClassEntry, object: &ZendObject, name: &str) -> Zval {
    let mut scratch = Zval::new();
    // SAFETY: class and object are alive; PHP returns a zval that lives in the object, in
    // `scratch` or for ever, and it is copied before either goes.
    unsafe {
        let value = zend_read_property(
            ptr::from_ref(scope).cast_mut(),
            ptr::from_ref(object).cast_mut(),
            name.as_ptr().cast(),
            name.len(),
            true,
            &raw mut scratch,
        );
        value
            .as_ref()
            .map_or_else(Zval::new, |value| value.dereference().shallow_clone())
    }
}

/// Raises E_WARNING in the name of the function that runs. *May bail out*, and a handler of the
/// user may throw.
pub(crate) fn raise_warning(message: &str) {
    raise(E_WARNING, message);
}

/// Raises E_DEPRECATED; otherwise as [`raise_warning`].
pub(crate) fn raise_deprecated(message: &str) {
    raise(E_DEPRECATED, message);
}

fn raise(level: u32, message: &str) {
    // PHP may have left a call for good that had a frame at the same place.
    drop(Watch::end());
    let message = Owned::new(c_string(message));
    // SAFETY: the one conversion takes a string that ends in NUL and outlives the call.
    unsafe {
        php_error_docref(
            ptr::null(),
            level.cast_signed(),
            c"%s".as_ptr(),
            message.as_ptr(),
        )
    };
}

pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).expect("BUG: NUL was replaced")
}
