//! Serializing while PHP serializes.
//!
//! The method `serialize()` of the old interface `Serializable`, and its `unserialize()`, run in the
//! middle of PHP's own work, and what they serialize shares PHP's table of references: it is meant to
//! become a part of the whole. What they give to the cache is not, and must not refer to what is
//! only there.

use std::ffi::{c_uint, c_void};
use std::mem::MaybeUninit;

use ext_php_rs::zend::BailoutGuard;

/// What PHP has noted, as `headers.c` declares it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Nesting {
    lock: c_uint,
    serialize_level: c_uint,
    serialize_data: *mut c_void,
    unserialize_level: c_uint,
    unserialize_data: *mut c_void,
}

unsafe extern "C" {
    fn tagcache_nesting_leave(outer: *mut Nesting) -> bool;
    fn tagcache_nesting_return(outer: *const Nesting);
}

impl Drop for Nesting {
    fn drop(&mut self) {
        // SAFETY: writes back what `apart` took from the globals of this thread.
        unsafe { tagcache_nesting_return(self) };
    }
}

/// Makes what is serialized and unserialized until the guard is dropped stand for itself, wherever
/// PHP is meanwhile; `None` if PHP does nothing of the kind.
pub(crate) fn apart() -> Option<BailoutGuard<Nesting>> {
    let mut outer = MaybeUninit::uninit();
    // SAFETY: called on a PHP thread; `outer` is written where true is returned.
    unsafe {
        tagcache_nesting_leave(outer.as_mut_ptr()).then(|| BailoutGuard::new(outer.assume_init()))
    }
}
