//! What is inside an object, without running code of its class.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use ext_php_rs::ffi::{IS_UNDEF, zend_function, zend_hash_str_find};
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ce};

use super::array::kind_of;
use super::foreign::INTERNAL;
use super::{Items, Key, elements};

/// The kind of a class that PHP code defines.
const USER: c_char = 2;

/// Returns whether PHP lets objects of this class be serialized at all.
pub(crate) fn is_serializable(object: &ZendObject) -> bool {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    !class.flags().contains(ClassFlags::NotSerializable)
}

/// Returns whether an object consists of its properties and nothing else, and its class and those
/// it extends leave it to others to serialize it: `stdClass`, and classes of PHP code without
/// methods such as `__serialize()` or `__wakeup()`. No enum does. Its properties are those of a new
/// object and others with names that can be written in PHP: one that was taken away would be there
/// again, and one whose name begins with NUL would be taken for another's.
pub(crate) fn is_plain(object: &ZendObject) -> bool {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    if class
        .flags()
        .intersects(ClassFlags::Enum | ClassFlags::NotSerializable)
        || is_lazy(object)
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
    !decides
        && line.all(|class| class.type_ == USER || ptr::eq(class, ce::stdclass()))
        && !lacks_declared(object, class)
        && !has_mangled(object)
}

/// Returns whether `value` is a reference to `array` that nothing else shares: PHP takes it for the
/// array.
pub(crate) fn refers_alone_to(value: &Zval, array: &ZendHashTable) -> bool {
    value.is_reference()
        // SAFETY: a live reference.
        && unsafe { (*value.value.ref_).gc.refcount } == 1
        && value
            .dereference()
            .array()
            .is_some_and(|inner| ptr::eq(inner, array))
}

/// Returns whether an array can stand in more than one place. An empty one has nothing in it to look at
/// twice.
pub(crate) fn is_shared(array: &ZendHashTable) -> bool {
    array.gc.refcount > 1 && !array.is_empty()
}

/// Returns whether a property has been taken away that a new object of the class has.
fn lacks_declared(object: &ZendObject, class: &ClassEntry) -> bool {
    let declared = usize::try_from(class.default_properties_count).unwrap_or(0);
    let slots = object.properties_table.as_ptr();
    (0..declared).any(|slot| {
        // SAFETY: a class has as many defaults as it declares properties, and an object as many slots.
        unsafe {
            kind_of(slots.add(slot)) == IS_UNDEF
                && kind_of(class.default_properties_table.add(slot)) != IS_UNDEF
        }
    })
}

/// Returns whether a property that its class does not declare has a name like those by which PHP keeps
/// private and protected ones.
fn has_mangled(object: &ZendObject) -> bool {
    // SAFETY: null or the live table of this object.
    let Some(dynamic) = (unsafe { object.properties.as_ref() }) else {
        return false;
    };
    Items::of(dynamic).any(|(name, value)| {
        !value.is_indirect()
            && matches!(Key::from_zval(&name), Some(Key::Str(name)) if name.first() == Some(&0))
    })
}

/// Names an object for messages, as "an object of class X".
pub(crate) fn class_named(object: &ZendObject) -> String {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    let kind = if class.flags().contains(ClassFlags::Enum) {
        "the enum"
    } else {
        "an object of class"
    };
    format!("{kind} {}", class_name(class))
}

/// Returns the name of a class for messages.
pub(super) fn class_name(class: &ClassEntry) -> String {
    // SAFETY: a class has a name.
    let name = unsafe { &*class.name }.as_bytes();
    // That of an anonymous class goes on behind a NUL, with a path.
    let name = name.split(|byte| *byte == 0).next();
    String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
}

fn has_method(class: &ClassEntry, name: &CStr) -> bool {
    !method(class, name).is_null()
}

/// Returns the method of that name, null if there is none.
/// `name` is in lower case, as PHP keeps them.
pub(super) fn method(class: &ClassEntry, name: &CStr) -> *mut zend_function {
    // SAFETY: reads the table of methods of a live class, whose elements are functions.
    unsafe {
        zend_hash_str_find(
            &raw const class.function_table,
            name.as_ptr(),
            name.count_bytes(),
        )
        .as_ref()
        .map_or(ptr::null_mut(), |method| method.value.func)
    }
}

/// What can have something in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node<'a> {
    /// An array.
    Array(&'a ZendHashTable),
    /// An object.
    Object(&'a ZendObject),
}

impl<'a> Node<'a> {
    /// Returns what `value` holds if it is an array or object. It was found in `whole`, which has a
    /// count on it, if through others, and nothing changes `whole` while it is looked at; the zval that
    /// led to it may go.
    pub(crate) fn of(value: &Zval, _whole: &'a Zval) -> Option<Self> {
        if value.is_array() {
            // SAFETY: the zval holds an array, which lives as long as what it was found in.
            Some(Self::Array(unsafe { &*value.value.arr }))
        } else if value.is_object() {
            // SAFETY: as above, an object.
            Some(Self::Object(unsafe { &*value.value.obj }))
        } else {
            None
        }
    }
}

/// Who decides what is serialized of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decider {
    /// Nobody: its properties are.
    Nobody,
    /// A class of PHP's own.
    Php,
    /// Code of the user, which is asked then: `__serialize()`, `__sleep()`, or what makes a lazy object.
    User,
    /// Code of the user, which makes the bytes itself: the old interface `Serializable`.
    Bytes,
}

/// Tells who decides what is serialized of an object.
pub(crate) fn decider(object: &ZendObject) -> Decider {
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    // SAFETY: null or a live function, of which `type_` is the first field.
    match unsafe { class.__serialize.as_ref() }.map(|function| unsafe { function.type_ }) {
        Some(INTERNAL) => Decider::Php,
        Some(_) => Decider::User,
        None if class.serialize.is_some() => Decider::Bytes,
        None if has_method(class, c"__sleep") || is_lazy(object) => Decider::User,
        None => Decider::Nobody,
    }
}

/// Returns whether the properties of an object are made, or stand elsewhere, when somebody asks.
#[cfg(php84)]
fn is_lazy(object: &ZendObject) -> bool {
    /// PHP's flags of an object that is not made yet, and of one that stands for another.
    const LAZY: u32 = 1 << 31 | 1 << 30;
    object.extra_flags & LAZY != 0
}

#[cfg(not(php84))]
fn is_lazy(_object: &ZendObject) -> bool {
    false
}

/// Calls `visit` with what PHP would serialize of an object: its properties, or for a class of PHP's
/// own that decides itself all that it holds. With nothing if code of the user decides. Returns who
/// does. What `visit` gets is good for the call only.
pub(crate) fn properties(object: &ZendObject, mut visit: impl FnMut(&Zval)) -> Decider {
    let decider = decider(object);
    match decider {
        Decider::Php => {
            held(object, visit);
            return decider;
        }
        Decider::User | Decider::Bytes => return decider,
        Decider::Nobody => {}
    }
    // SAFETY: the class of a live object.
    let class = unsafe { &*object.ce };
    let declared = usize::try_from(class.default_properties_count).unwrap_or(0);
    let slots = object.properties_table.as_ptr();
    for slot in 0..declared {
        // SAFETY: an object has as many slots behind it as its class declares.
        let value = unsafe { &*slots.add(slot) };
        // SAFETY: as above. An undefined one is not serialized.
        if unsafe { kind_of(value) } != IS_UNDEF {
            visit(value);
        }
    }
    // SAFETY: null or the live table of this object, whose entries for declared properties refer
    // back to the slots above.
    if let Some(dynamic) = unsafe { object.properties.as_ref() } {
        elements(dynamic, |value| {
            if !value.is_indirect() {
                visit(value);
            }
        });
    }
    decider
}

/// Calls `visit` with all that an object holds, as it tells PHP's collector of garbage.
fn held(object: &ZendObject, mut visit: impl FnMut(&Zval)) {
    let mut values: *mut Zval = ptr::null_mut();
    let mut count: c_int = 0;
    // SAFETY: the handlers of a live object. The collector may ask at any time, and what it is
    // told is alive until it asks again: many classes tell it in one buffer that they share.
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
