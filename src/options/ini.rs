//! The INI settings: the default of every option, and `tagcache.max_pools`, the slow log.

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs};

use super::spec::{self, SPECS, Setting, Spec};
use crate::error::Failure;
use crate::ffi;
use crate::registry::MAX_POOLS;

const COUNT: usize = SPECS.len() + 4;

static ENTRIES: IniEntryDefs<COUNT> = {
    let mut entries = [const { IniEntryDef::end() }; COUNT];
    let mut i = 0;
    while i < SPECS.len() {
        let spec = &SPECS[i];
        entries[i] = IniEntryDef::new(spec.ini, spec.default, IniEntryPermission::All);
        entries[i].on_modify = Some(ffi::ini_accept);
        i += 1;
    }
    entries[i] = IniEntryDef::new(c"tagcache.max_pools", c"64", IniEntryPermission::System);
    entries[i + 1] = IniEntryDef::new(c"tagcache.slow_log_ms", c"0", IniEntryPermission::System);
    entries[i + 2] = IniEntryDef::new(c"tagcache.slow_log", c"", IniEntryPermission::System);
    IniEntryDefs::new(entries)
};

/// Registers the settings. For MINIT.
pub(crate) fn register_ini(module_number: i32) {
    IniEntryDef::register(ENTRIES.as_slice(), module_number);
}

/// Returns `tagcache.max_pools`; its default if it is no number.
pub(crate) fn max_pools() -> usize {
    ffi::ini_text(c"tagcache.max_pools", |text| {
        std::str::from_utf8(text).ok()?.parse().ok()
    })
    .flatten()
    .filter(|pools| *pools > 0)
    .unwrap_or(MAX_POOLS)
}

/// Reads the setting of an option.
pub(super) fn read(spec: &Spec) -> Result<Setting, Failure> {
    ffi::ini_text(spec.ini, |text| spec::from_text(spec, text, "INI setting"))
        .unwrap_or_else(|| spec::from_text(spec, spec.default.to_bytes(), "INI setting"))
}
