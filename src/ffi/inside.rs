//! What is inside an object, without running code of its class.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use ext_php_rs::ffi::zend_hash_str_find_ptr_lc;
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ce};

use super::foreign::INTERNAL;
use super::{Items, elements};

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
    !decides && line.all(|class| class.type_ == USER || ptr::eq(class, ce::stdclass()))
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

/// Calls `visit` with what PHP would serialize of an object: its properties, or for a class of PHP's
/// own that decides itself all that it holds. With nothing if code of the user decides
/// (`__serialize()`, `__sleep()`).
pub(crate) fn properties<'a>(object: &'a ZendObject, mut visit: impl FnMut(&'a Zval)) {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    // SAFETY: null or a live function, of which `type_` is the first field.
    let decides = unsafe { class.__serialize.as_ref() }.map(|function| unsafe { function.type_ });
    match decides {
        Some(INTERNAL) => return held(object, visit),
        Some(_) => return,
        None if has_method(class, c"__sleep") || class.serialize.is_some() => return,
        None => {}
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

/// Calls `visit` with all that an object holds, as it tells PHP's collector of garbage.
fn held<'a>(object: &'a ZendObject, mut visit: impl FnMut(&'a Zval)) {
    let mut values: *mut Zval = ptr::null_mut();
    let mut count: c_int = 0;
    // SAFETY: the handlers of a live object. The collector may ask at any time, and what it is
    // told is alive at least until it asks again.
    unsafe {
        let Some(tell) = object
            .handlers
            .as_ref()
            .and_then(|handlers| handlers.get_gc)
        else {
            return;
        };
        let object = ptr::from_ref(object).cast_mut();
        let table = tell(object, &raw mut values, &raw mut count);
        for n in 0..usize::try_from(count).unwrap_or(0) {
            visit(&*values.add(n));
        }
        if let Some(table) = table.as_ref() {
            elements(table, |value| {
                if !value.is_indirect() {
                    visit(value);
                }
            });
        }
    }
}
