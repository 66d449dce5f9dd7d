//! The serializer `msgpack`: the functions of the extension of that name, found when needed.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};

use super::foreign::Foreign;
use super::survey::{Least, Limits, Objects};
use crate::error::Failure;

/// Its functions.
pub(super) static MSGPACK: Foreign = Foreign {
    name: "msgpack",
    write: "msgpack_pack",
    read: "msgpack_unpack",
    package: "php-msgpack",
};

/// The extension forgets references, packs enums that some of its versions can't unpack, and what
/// a class with methods of its own for this gives can't be known beforehand.
pub(super) const LIMITS: Limits = Limits {
    serializer: "msgpack",
    references: false,
    objects: Objects::Plain,
    text: false,
    depth: 256,
    itself: false,
    least: Some(Least {
        key: 0,
        value: 1,
        array: 1,
    }),
};

/// Serializes. *May bail out.*
pub(super) fn write(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    MSGPACK.write(value)
}

/// Unserializes. *May bail out.*
pub(super) fn read(payload: &[u8], into: &mut Zval) -> Result<(), Failure> {
    MSGPACK.read(payload, into)?;
    let means_so = match payload {
        [0xc0] => into.is_null(),
        [0xc2] => into.is_false(),
        _ => !into.is_null() && !into.is_false(),
    };
    if means_so {
        Ok(())
    } else {
        Err(MSGPACK.damaged("it gives nothing"))
    }
}
