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

/// Returns whether a resource is in `value`, for which `serialize()` would write the integer 0. An
/// object whose class decides itself what is serialized is not looked into. References and objects
/// can lead in a circle, so what they lead to is noted.
fn holds_resource(value: &Zval) -> bool {
    let mut noted = HashSet::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let target = value.dereference();
        if target.is_resource() {
            return true;
        }
        if let Some(array) = target.array() {
            if !value.is_reference() || noted.insert(ptr::from_ref(array).cast::<()>()) {
                open.extend(Items::of(array).map(|(_, value)| value));
            }
        } else if let Some(object) = target.object()
            && noted.insert(ptr::from_ref(object).cast())
        {
            ffi::properties(object, |value| open.push(value));
        }
    }
    false
}
