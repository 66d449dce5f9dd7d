//! Strings in PHP's memory, of a length that the network decides, and whether there is room for arrays.
//!
//! Most releases of PHP bail out of an allocation that would exceed `memory_limit`. Some (Debian's
//! 8.2, told by the field `delayed_oom`) let it succeed, note it and raise the fatal error when
//! the function has returned; beyond a second, hard limit they end the process on the spot. There
//! a function that allocates in a loop has to look whether it should return, and must not ask for
//! a large block blindly.

use std::mem::MaybeUninit;
use std::slice;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::ZendStr;
use tagcache_client::{Room, unpack_string};

use crate::error::Failure;

/// Makes a string. *May bail out.*
///
/// # Errors
///
/// [`Failure::Thrown`] if PHP waits for the call to return to raise its fatal error.
#[inline]
pub(crate) fn string(bytes: &[u8]) -> Result<ZBox<ZendStr>, Failure> {
    delayed::check(bytes.len())?;
    Ok(ZendStr::new(bytes, false))
}

unsafe extern "C" {
    fn tagcache_string_make(length: usize) -> *mut ZendStr;
    pub(super) fn tagcache_string_bytes(string: *mut ZendStr) -> *mut MaybeUninit<u8>;
}

/// Unpacks the string that `wire` is the serialized form of; `None` for everything else. *May bail out.*
///
/// # Errors
///
/// As [`string`].
pub(crate) fn unpacked(wire: &[u8]) -> Result<Option<ZBox<ZendStr>>, Failure> {
    let mut string = NewString(None);
    // True says that all of it was written. What is left otherwise is freed unread.
    Ok(if unpack_string(wire, &mut string)? {
        string.0
    } else {
        None
    })
}

/// A string whose bytes are written where they will stay.
struct NewString(Option<ZBox<ZendStr>>);

impl Room for NewString {
    type Error = Failure;

    /// *May bail out.*
    fn make(&mut self, len: usize) -> Result<&mut [MaybeUninit<u8>], Failure> {
        delayed::check(len)?;
        // SAFETY: it returns a string of its own with one reference, which the box takes over, or bails out, and then
        // nothing here is to be dropped: `self` holds no string yet, or one in PHP's memory, which goes with the rest.
        let string = unsafe {
            let string = tagcache_string_make(len);
            ZBox::from_raw(string)
        };
        let string: &mut ZendStr = self.0.insert(string);
        // SAFETY: `string` is one of `len` bytes, which nobody else knows of, and it is borrowed for as
        // long as they are.
        Ok(unsafe { slice::from_raw_parts_mut(tagcache_string_bytes(string), len) })
    }
}

/// Says whether there is room for a block of `bytes`. *May bail out.*
///
/// # Errors
///
/// As [`string`].
pub(super) fn room(bytes: usize) -> Result<(), Failure> {
    delayed::check(bytes)
}

/// Says whether a loop that allocates may go on.
///
/// # Errors
///
/// As [`string`].
pub(crate) fn go_on() -> Result<(), Failure> {
    delayed::check(0)
}

/// Looks up, in MINIT, what the running PHP does.
pub(crate) fn probe_allocator() {
    delayed::probe();
}

#[cfg(not(php_delayed_oom))]
mod delayed {
    use crate::error::Failure;

    pub(super) fn probe() {}

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the other kind of PHP can fail here"
    )]
    pub(super) fn check(_bytes: usize) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(php_delayed_oom)]
mod delayed {
    use std::ffi::{c_char, c_int};
    use std::sync::atomic::{AtomicBool, Ordering};

    use ext_php_rs::ffi::{E_ERROR, ext_php_rs_executor_globals, ext_php_rs_process_globals};

    use crate::error::Failure;

    unsafe extern "C" {
        fn zend_memory_usage(real: bool) -> usize;
        fn zend_error_noreturn(kind: c_int, format: *const c_char, ...) -> !;
    }

    /// Blocks from this size on are mapped one by one, so one can jump over both limits.
    const LARGE: usize = 1 << 20;

    static PRESENT: AtomicBool = AtomicBool::new(false);

    /// An older PHP of the same series loads this library too and lacks the field.
    pub(super) fn probe() {
        // SAFETY: looks a name up among the symbols of the process.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"zend_handle_delayed_oom".as_ptr()) };
        // Relaxed: a flag on its own, set before there are threads.
        PRESENT.store(!found.is_null(), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn check(bytes: usize) -> Result<(), Failure> {
        // Relaxed: as above.
        if !PRESENT.load(Ordering::Relaxed) {
            return Ok(());
        }
        // SAFETY: called on a PHP thread; `probe` has found that the field is there.
        if unsafe { (*ext_php_rs_executor_globals()).delayed_oom.state } != 0 {
            return Err(Failure::Thrown);
        }
        if bytes >= LARGE {
            check_large(bytes);
        }
        Ok(())
    }

    #[cold]
    fn check_large(bytes: usize) {
        // SAFETY: reads two numbers; then reports as the allocator of other releases does and
        // bails out, with two numbers for its two conversions.
        unsafe {
            let limit = (*ext_php_rs_process_globals()).memory_limit;
            if let Ok(limit) = usize::try_from(limit)
                && limit > 0
                && zend_memory_usage(true).saturating_add(bytes) > limit
            {
                zend_error_noreturn(
                    E_ERROR as c_int,
                    c"Allowed memory size of %zu bytes exhausted (tried to allocate %zu bytes)"
                        .as_ptr(),
                    limit,
                    bytes,
                );
            }
        }
    }
}
