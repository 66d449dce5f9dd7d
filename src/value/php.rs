//! The serializer `php`: PHP's own `serialize()` and `unserialize()`.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use super::Classes;
use super::survey::{self, Limits};
use crate::error::Failure;
use crate::ffi;

/// Serializes an array or an object. *May bail out.*
pub(super) fn write(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    ffi::exact_floats(|| ffi::serialize(value))
}

/// Serializes one in which code of the user decides what is, after it was asked: what it gives is
/// looked at like the rest. *May bail out.*
pub(super) fn write_settled(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    let settled = ffi::settle(value)?;
    if settled.shares {
        survey::check(&settled.value, &Limits::PHP)?;
    }
    write(&settled.value)
}

/// Unserializes what [`write()`] gave. Objects of other classes than `classes` become
/// `__PHP_Incomplete_Class`, as with PHP's option `allowed_classes`. `terminated` ends with a NUL
/// that is not part of it, as [`ffi::unserialize`] wants it. *May bail out.*
pub(super) fn read(terminated: &[u8], classes: &Classes, into: &mut Zval) -> Result<(), Failure> {
    let allowed = match classes {
        Classes::All => None,
        Classes::Only(names) => Some(table_of(names)?),
    };
    ffi::unserialize(terminated, allowed.as_deref(), into)
}

/// Returns the names as the keys of a table, in lower case, as PHP wants them.
fn table_of(names: &[Vec<u8>]) -> Result<ZBox<ZendHashTable>, Failure> {
    let mut table = ZendHashTable::new();
    for name in names {
        let mut key = Zval::new();
        key.set_zend_string(ffi::string(&name.to_ascii_lowercase())?);
        let mut yes = Zval::new();
        yes.set_bool(true);
        ffi::insert(&mut table, &key, yes);
    }
    Ok(table)
}
