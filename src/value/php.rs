//! The serializer `php`: PHP's own `serialize()` and `unserialize()`.

use std::collections::HashSet;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};

use crate::error::Failure;
use crate::ffi::{self, Items};

/// Serializes an array, an object or what can't be.
pub(super) fn write(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    if holds_resource(value) {
        return Err(Failure::serialization(
            "a resource (an open file, a stream, a curl handle) can't be stored; store what it was \
             made from",
        ));
    }
    ffi::serialize(value)
}

/// Unserializes what [`write()`] gave.
pub(super) fn read(payload: &[u8], into: &mut Zval) -> Result<(), Failure> {
    ffi::unserialize(payload, into)
}

/// Returns whether `value` is a resource or an array with one in it, for which `serialize()` would
/// write the integer 0. By references an array can contain itself, so those are noted.
fn holds_resource(value: &Zval) -> bool {
    let Some(array) = value.array() else {
        return value.is_resource();
    };
    let mut noted = HashSet::new();
    let mut open = vec![Items::of(array)];
    while let Some(items) = open.last_mut() {
        let Some((_, value)) = items.next() else {
            open.pop();
            continue;
        };
        let target = value.dereference();
        if target.is_resource() {
            return true;
        }
        if let Some(array) = target.array()
            && (!value.is_reference() || noted.insert(ptr::from_ref(array)))
        {
            open.push(Items::of(array));
        }
    }
    false
}
