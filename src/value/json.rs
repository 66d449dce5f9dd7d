//! The serializer `json`: PHP's own encoder and decoder, for arrays that come back as they were.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};

use super::survey::{Least, Limits, Objects};
use crate::error::Failure;
use crate::ffi;

/// How deep arrays may be nested: PHP's own default for `json_decode()`.
const DEPTH: usize = 512;

/// JSON has no objects with a class, no references, no bytes, no NAN and no infinities.
pub(super) const LIMITS: Limits = Limits {
    serializer: "json",
    references: false,
    objects: Objects::None,
    text: true,
    depth: DEPTH,
    itself: false,
    // , 0 []
    least: Some(Least {
        key: 1,
        value: 1,
        array: 1,
    }),
};

/// Serializes an array that [`LIMITS`] lets pass. *May bail out.*
pub(super) fn write(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    ffi::exact_floats(|| ffi::json_encode(value, DEPTH))
        .ok_or_else(|| Failure::serialization("PHP's JSON encoder refuses it"))
}

/// Unserializes; objects become arrays. *May bail out.*
pub(super) fn read(text: &[u8], into: &mut Zval) -> Result<(), Failure> {
    // PHP's decoder counts what is in the innermost array as a level, its encoder does not.
    if ffi::json_decode(&*ffi::string(text)?, DEPTH + 1, into) {
        return Ok(());
    }
    *into = Zval::null();
    // Not the text's fault if PHP has run out of memory, which it says when the call has returned.
    ffi::go_on()?;
    Err(Failure::Serialization(format!(
        "its JSON is damaged, or nested deeper than {DEPTH}"
    )))
}
