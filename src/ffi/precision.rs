//! The precision by which PHP writes floats into what it serializes.

use ext_php_rs::ffi::ext_php_rs_process_globals;
use ext_php_rs::zend::BailoutGuard;

/// The shortest form that reads back the same.
const SHORTEST: i64 = -1;
/// From so many digits on, any form reads back the same.
const ENOUGH: i64 = 17;

/// The setting to go back to.
#[derive(Debug)]
pub(crate) struct Precision(i64);

impl Drop for Precision {
    fn drop(&mut self) {
        // SAFETY: a number of this thread's globals.
        unsafe { (*ext_php_rs_process_globals()).serialize_precision = self.0 };
    }
}

/// Lets PHP write floats exactly until the guard is dropped, if the setting `serialize_precision`
/// would not.
pub(crate) fn exact_floats() -> Option<BailoutGuard<Precision>> {
    // SAFETY: called on a PHP thread; reads and writes a number of its globals.
    unsafe {
        let precision = &raw mut (*ext_php_rs_process_globals()).serialize_precision;
        let set = precision.read();
        if set == SHORTEST || set >= ENOUGH {
            return None;
        }
        precision.write(SHORTEST);
        Some(BailoutGuard::new(Precision(set)))
    }
}
