//! The tables of `phpinfo()`.

use std::ffi::CString;

use ext_php_rs::ffi::{
    ZEND_MODULE_API_NO, php_info_print_table_end, php_info_print_table_header,
    php_info_print_table_row, php_info_print_table_start,
};

/// Returns the number of PHP's module interface that this was built for.
pub(crate) fn php_api() -> u32 {
    ZEND_MODULE_API_NO
}

/// Begins a table.
pub(crate) fn table_start() {
    // SAFETY: prints; called from the info callback.
    unsafe { php_info_print_table_start() };
}

/// Ends a table.
pub(crate) fn table_end() {
    // SAFETY: as above.
    unsafe { php_info_print_table_end() };
}

/// Prints a row of two columns; PHP escapes them where it prints HTML.
pub(crate) fn table_row(name: &str, value: &str) {
    let (name, value) = (c_string(name), c_string(value));
    // SAFETY: as many C strings as the count says, all alive.
    unsafe { php_info_print_table_row(2, name.as_ptr(), value.as_ptr()) };
}

/// Prints a heading of two columns.
pub(crate) fn table_header(name: &str, value: &str) {
    let (name, value) = (c_string(name), c_string(value));
    // SAFETY: as above.
    unsafe { php_info_print_table_header(2, name.as_ptr(), value.as_ptr()) };
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).expect("BUG: NUL was replaced")
}
