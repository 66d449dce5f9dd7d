//! The INI settings: the default of every option, and `tagcache.max_pools`, the slow log.

use std::ffi::CStr;
use std::num::NonZeroU64;
use std::time::Duration;

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs};

use super::spec::{self, SPECS, Setting, Spec};
use crate::error::Failure;
use crate::ffi;
use crate::registry::MAX_POOLS;

const COUNT: usize = SPECS.len() + 8;

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
    let mut n = 0;
    while n < SESSION.len() {
        entries[i + 3 + n] = IniEntryDef::new(SESSION[n].0, SESSION[n].1, IniEntryPermission::All);
        entries[i + 3 + n].on_modify = Some(ffi::ini_accept);
        n += 1;
    }
    IniEntryDefs::new(entries)
};

/// The settings of the session handler, with their defaults.
const SESSION: [(&CStr, &CStr); 4] = [
    (c"tagcache.session_prefix", c"session:"),
    (c"tagcache.session_locking", c"1"),
    (c"tagcache.session_lock_ms", c"60000"),
    (c"tagcache.session_lock_wait_ms", c"10000"),
];

/// How sessions are kept.
#[derive(Debug)]
pub(crate) struct SessionSettings {
    /// What stands before the id in the key.
    pub(crate) prefix: Vec<u8>,
    /// Whether a session is locked.
    pub(crate) locking: bool,
    /// How long a lock lasts, in milliseconds.
    pub(crate) lock: NonZeroU64,
    /// How long to wait for it.
    pub(crate) wait: Duration,
}

impl SessionSettings {
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] that names the setting and its range.
    pub(crate) fn from_ini() -> Result<Self, Failure> {
        let prefix = ffi::ini_text(SESSION[0].0, <[u8]>::to_vec).unwrap_or_default();
        let locking = ffi::ini_text(SESSION[1].0, |text| {
            !matches!(
                text.to_ascii_lowercase().as_slice(),
                b"" | b"0" | b"off" | b"no" | b"false"
            )
        });
        Ok(Self {
            prefix,
            locking: locking.unwrap_or(true),
            lock: NonZeroU64::new(ms(SESSION[2].0, 1)?).expect("BUG: the range begins at 1"),
            wait: Duration::from_millis(ms(SESSION[3].0, 0)?),
        })
    }
}

fn ms(name: &CStr, least: u64) -> Result<u64, Failure> {
    const DAY_MS: u64 = 86_400_000;
    let read = ffi::ini_text(name, |text| {
        let number = std::str::from_utf8(text).ok()?.trim().parse().ok();
        number.filter(|ms| (least..=DAY_MS).contains(ms))
    });
    read.flatten().ok_or_else(|| {
        Failure::Invalid(format!(
            "INI setting '{}' must be an integer from {least} to {DAY_MS}",
            name.to_string_lossy()
        ))
    })
}

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
