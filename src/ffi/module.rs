//! The symbol by which PHP finds the module.

use ext_php_rs::zend::{ModuleEntry, StaticModuleEntry};

use crate::lifecycle;

/// Returns the module. PHP calls it once when it loads the library.
#[unsafe(no_mangle)]
// SAFETY (of the name): PHP looks it up in this library only, under this name and signature.
pub(crate) extern "C" fn get_module() -> *mut ModuleEntry {
    static MODULE: StaticModuleEntry = StaticModuleEntry::new();
    MODULE.get_or_init(lifecycle::module)
}
