//! What is inside an object, without running code of its class.

use std::ffi::{CStr, c_char};

use ext_php_rs::ffi::zend_hash_str_find_ptr_lc;
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ce};

use super::Items;

/// The kind of a class that PHP code defines.
const USER: c_char = 2;

/// Returns whether an object consists of its properties and nothing else, and its class and those
/// it extends leave it to others to serialize it: `stdClass`, and classes of PHP code without
/// methods such as `__serialize()` or `__wakeup()`. No enum does.
pub(crate) fn is_plain(object: &ZendObject) -> bool {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    if class
        .flags()
        .intersects(ClassFlags::Enum | ClassFlags::NotSerializable)
    {
        return false;
    }
    let decides = !class.__serialize.is_null()
        || !class.__unserialize.is_null()
        || class.serialize.is_some()
        || class.unserialize.is_some()
        || has_method(class, c"__sleep")
        || has_method(class, c"__wakeup");
    let mut line = std::iter::successors(Some(class), |class| class.parent());
    !decides && line.all(|class| class.type_ == USER || std::ptr::eq(class, ce::stdclass()))
}

/// Names an object for messages, as "an object of class X".
pub(crate) fn class_named(object: &ZendObject) -> String {
    // SAFETY: the class of a live object, which has a name.
    let (class, name) = unsafe { (&*object.ce, &*(*object.ce).name) };
    let kind = if class.flags().contains(ClassFlags::Enum) {
        "the enum"
    } else {
        "an object of class"
    };
    // The name of an anonymous class goes on behind a NUL, with a path.
    let name = name.as_bytes().split(|byte| *byte == 0).next();
    format!(
        "{kind} {}",
        String::from_utf8_lossy(name.unwrap_or_default())
    )
}

fn has_method(class: &ClassEntry, name: &CStr) -> bool {
    // SAFETY: reads the table of methods of a live class.
    unsafe {
        !zend_hash_str_find_ptr_lc(
            &raw const class.function_table,
            name.as_ptr(),
            name.count_bytes(),
        )
        .is_null()
    }
}

/// Calls `visit` with the properties that PHP would serialize of an object; with none if the class
/// decides itself what is serialized (`__serialize()`, `__sleep()`, or in C).
pub(crate) fn properties<'a>(object: &'a ZendObject, mut visit: impl FnMut(&'a Zval)) {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    if has_method(class, c"__sleep") || !class.__serialize.is_null() || class.serialize.is_some() {
        return;
    }
    let declared = usize::try_from(class.default_properties_count).unwrap_or(0);
    let slots = object.properties_table.as_ptr();
    for slot in 0..declared {
        // SAFETY: an object has as many slots behind it as its class declares; a slot may be
        // undefined, which is no type that a visitor looks for.
        visit(unsafe { &*slots.add(slot) });
    }
    // SAFETY: null or the live table of this object, whose entries for declared properties refer
    // back to the slots above.
    if let Some(dynamic) = unsafe { object.properties.as_ref() } {
        for (_, value) in Items::of(dynamic) {
            if !value.is_indirect() {
                visit(value);
            }
        }
    }
}
