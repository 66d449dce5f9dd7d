//! Reading, showing and removing INI settings.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use ext_php_rs::ffi::{zend_ini_entry, zend_string};
use ext_php_rs::zend::ModuleEntry;

unsafe extern "C" {
    fn zend_ini_string_ex(
        name: *const c_char,
        name_length: usize,
        original: c_int,
        exists: *mut bool,
    ) -> *mut c_char;
    fn zend_unregister_ini_entries(module_number: c_int);
    fn display_ini_entries(module: *mut ModuleEntry);
}

/// Lets PHP change a setting. Without a function here `ini_restore()` does nothing. What a setting
/// is worth shows when a handle is made.
pub(crate) extern "C" fn ini_accept(
    _entry: *mut zend_ini_entry,
    _value: *mut zend_string,
    _one: *mut c_void,
    _two: *mut c_void,
    _three: *mut c_void,
    _stage: c_int,
) -> c_int {
    0
}

/// Returns the text of a setting; `None` if it is not registered or has no value. `read` gets it
/// because PHP may replace it as soon as user code runs.
pub(crate) fn ini_text<R>(name: &CStr, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
    let mut exists = false;
    // SAFETY: PHP returns null or a string that ends in NUL and lives until the setting is
    // changed, which `read`, a function of ours that runs no PHP code, does not do.
    unsafe {
        let text = zend_ini_string_ex(name.as_ptr(), name.count_bytes(), 0, &raw mut exists);
        (!text.is_null()).then(|| read(CStr::from_ptr(text).to_bytes()))
    }
}

/// Returns a setting that names a file; `None` if it is empty.
pub(crate) fn ini_path(name: &CStr) -> Option<PathBuf> {
    ini_text(name, |text| {
        (!text.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(text)))
    })
    .flatten()
}

/// Removes the settings of the module. For MSHUTDOWN.
pub(crate) fn ini_unregister(module_number: i32) {
    // SAFETY: PHP passed the number to MSHUTDOWN.
    unsafe { zend_unregister_ini_entries(module_number) };
}

/// Prints the table of settings in `phpinfo()`.
pub(crate) fn ini_display(module: *mut ModuleEntry) {
    // SAFETY: PHP passed the module to the info callback.
    unsafe { display_ini_entries(module) };
}
