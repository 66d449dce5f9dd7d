//! The serializer `igbinary`: the functions of the extension of that name, found when needed.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};

use super::foreign::Foreign;
use super::survey::Limits;
use crate::error::Failure;

/// Its functions.
pub(super) static IGBINARY: Foreign = Foreign {
    name: "igbinary",
    write: "igbinary_serialize",
    read: "igbinary_unserialize",
    package: "php-igbinary",
};

/// What PHP's serializer takes, but an array in itself comes back as one in another.
pub(super) const LIMITS: Limits = Limits {
    serializer: "igbinary",
    itself: false,
    least: None,
    ..Limits::PHP
};

/// What igbinary writes for null, and with it gives null on purpose.
const NULL: [&[u8]; 2] = [b"\0\0\0\x02\0", b"\0\0\0\x01\0"];

/// Serializes. *May bail out.*
pub(super) fn write(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    IGBINARY.write(value)
}

/// Unserializes. *May bail out.*
pub(super) fn read(payload: &[u8], into: &mut Zval) -> Result<(), Failure> {
    IGBINARY.read(payload, into)?;
    if into.is_null() && !NULL.contains(&payload) {
        return Err(IGBINARY.damaged("it gives nothing"));
    }
    Ok(())
}
