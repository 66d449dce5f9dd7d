//! A descriptor as a PHP stream.

use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::os::fd::RawFd;
use std::ptr;

use ext_php_rs::ffi::zend_resource;
use ext_php_rs::flags::ZvalTypeFlags;
use ext_php_rs::types::Zval;

/// The head of PHP's `php_stream`, up to its resource; laid out alike in all releases from 8.0
/// on, of whose bit fields only the first is written here.
#[repr(C)]
struct Stream {
    ops: *const c_void,
    context: *mut c_void,
    filters: [[*mut c_void; 3]; 2],
    wrapper: *mut c_void,
    wrapper_this: *mut c_void,
    wrapper_data: Zval,
    bits: u8,
    bits_and_mode: [u8; 19],
    flags: u32,
    resource: *mut zend_resource,
}

/// The bit that says that the stream is known to the script.
const EXPOSED: u8 = 1 << 4;

unsafe extern "C" {
    #[cfg(not(php_debug))]
    fn _php_stream_fopen_from_fd(
        fd: c_int,
        mode: *const c_char,
        persistent_id: *const c_char,
        zero_position: bool,
    ) -> *mut Stream;
    #[cfg(php_debug)]
    fn _php_stream_fopen_from_fd(
        fd: c_int,
        mode: *const c_char,
        persistent_id: *const c_char,
        zero_position: bool,
        depth: c_int,
        file: *const c_char,
        line: u32,
        original_file: *const c_char,
        original_line: u32,
    ) -> *mut Stream;
}

/// Makes a stream of a duplicate of `fd`, which `stream_select()` can wait for. *May bail out.*
///
/// # Errors
///
/// What the system says if it is short of descriptors.
pub(crate) fn stream_of(fd: RawFd) -> io::Result<Zval> {
    // SAFETY: duplicates a descriptor; no pointer is passed.
    let own = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) };
    if own < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the stream takes the duplicate over, and PHP makes a resource with each stream,
    // whose count goes to the zval.
    unsafe {
        #[cfg(not(php_debug))]
        let stream = _php_stream_fopen_from_fd(own, c"r".as_ptr(), ptr::null(), false);
        #[cfg(php_debug)]
        let stream = _php_stream_fopen_from_fd(
            own,
            c"r".as_ptr(),
            ptr::null(),
            false,
            0,
            c"stream.rs".as_ptr(),
            0,
            ptr::null(),
            0,
        );
        if stream.is_null() {
            libc::close(own);
            return Err(io::Error::other("PHP made no stream of it"));
        }
        (*stream).bits |= EXPOSED;
        let mut value = Zval::new();
        value.u1.type_info = ZvalTypeFlags::ResourceEx.bits();
        value.value.res = (*stream).resource;
        Ok(value)
    }
}
