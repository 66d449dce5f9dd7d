//! PHP's error log.

use std::ffi::{CString, c_char, c_int};

unsafe extern "C" {
    fn php_log_err_with_severity(message: *const c_char, severity: c_int);
}

/// Writes a line to PHP's error log, wherever `error_log` says that is. *May bail out.*
pub(crate) fn log(line: &str) {
    let line = CString::new(line.replace('\0', "\\0")).expect("BUG: NUL was replaced");
    // SAFETY: a string that ends in NUL and outlives the call.
    unsafe { php_log_err_with_severity(line.as_ptr(), libc::LOG_WARNING) };
}
