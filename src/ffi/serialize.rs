//! PHP's `serialize()` and `unserialize()`, through the functions that PHP exports for
//! extensions: they work when the user has disabled the functions, and exceptions propagate.

use std::ffi::{c_int, c_void};
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{HashTable, ext_php_rs_zend_string_release};
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use super::foreign::Watch;
use super::refusal::refusable;
use crate::error::Failure;

/// PHP's buffer of a string that grows.
#[repr(C)]
pub(super) struct SmartStr {
    pub(super) text: *mut ZendStr,
    pub(super) room: usize,
}

type SerializeData = *mut c_void;
type UnserializeData = *mut c_void;

unsafe extern "C" {
    fn php_var_serialize_init() -> SerializeData;
    fn php_var_serialize(out: *mut SmartStr, value: *mut Zval, data: *mut SerializeData);
    fn php_var_serialize_destroy(data: SerializeData);
    fn php_var_unserialize_init() -> UnserializeData;
    fn php_var_unserialize(
        into: *mut Zval,
        cursor: *mut *const u8,
        end: *const u8,
        data: *mut UnserializeData,
    ) -> c_int;
    fn php_var_unserialize_destroy(data: UnserializeData);
    fn php_var_unserialize_set_allowed_classes(data: UnserializeData, classes: *mut HashTable);
    fn var_tmp_var(data: *mut UnserializeData) -> *mut Zval;
}

/// Serializes `value`. Runs `__serialize()` and the like, which may call the cache, throw or
/// exit. The caller holds [`apart`](super::apart). *May bail out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what user code throws, [`Failure::Refused`] for what PHP can't serialize, as
/// a closure.
pub(crate) fn serialize(value: &Zval) -> Result<ZBox<ZendStr>, Failure> {
    let mut out = SmartStr {
        text: ptr::null_mut(),
        room: 0,
    };
    // SAFETY: init, use, destroy as PHP's own `serialize()` does; the value is an argument of the
    // call or held by one, and is not written to.
    let done = refusable(|| unsafe {
        let mut data = php_var_serialize_init();
        php_var_serialize(&raw mut out, ptr::from_ref(value).cast_mut(), &raw mut data);
        php_var_serialize_destroy(data);
    });
    if done.is_err() && !out.text.is_null() {
        // SAFETY: the buffer is ours alone.
        unsafe { ext_php_rs_zend_string_release(out.text) };
    }
    done?;
    if out.text.is_null() {
        return Err(Failure::serialization(
            "PHP's serializer gave nothing for this value",
        ));
    }
    // SAFETY: `smart_str` built the string, and this is its only count.
    Ok(unsafe { ZBox::from_raw(out.text) })
}

/// Unserializes `payload`. Runs `__unserialize()`, `__wakeup()` and autoloaders, which may call
/// the cache, throw or exit. With `classes` only those in its keys (in lower case) are made, else
/// any. The caller holds [`apart`](super::apart). *May bail out.*
///
/// `terminated` is the payload and a NUL, which is not part of it: PHP's scanner does not look at the
/// end before each byte, it relies on the NUL that ends each of PHP's strings.
///
/// # Panics
///
/// If the last byte is none.
///
/// # Errors
///
/// [`Failure::Thrown`] for what user code throws, [`Failure::Refused`] for what PHP throws,
/// [`Failure::Serialization`] if the bytes are not exactly one serialized value, or PHP warns of something
/// that it leaves out.
pub(crate) fn unserialize(
    terminated: &[u8],
    classes: Option<&ZendHashTable>,
    into: &mut Zval,
) -> Result<(), Failure> {
    let [payload @ .., 0] = terminated else {
        panic!("BUG: a payload without the NUL that PHP's scanner stops at");
    };
    let mut cursor = payload.as_ptr();
    let end = payload.as_ptr_range().end;
    Watch::unserializer();
    // SAFETY: init, use, destroy as PHP's own `unserialize()` does. The value is built in a slot
    // that `data` owns: what runs meanwhile and shares its table of back references must not find a
    // local of ours there. `cursor` stays within `terminated`: no
    // form goes on after the NUL behind `end`. The table of classes outlives its use.
    let whole = refusable(|| unsafe {
        let mut data = php_var_unserialize_init();
        if let Some(classes) = classes {
            php_var_unserialize_set_allowed_classes(data, ptr::from_ref(classes).cast_mut());
        }
        let slot = var_tmp_var(&raw mut data);
        let done = php_var_unserialize(slot, &raw mut cursor, end, &raw mut data) != 0;
        if done {
            *into = (*slot).shallow_clone();
        }
        php_var_unserialize_destroy(data);
        done && cursor == end
    });
    let complaint = Watch::end();
    let complaint = complaint.as_deref().map(|text| {
        // Whose it is stands before it.
        text.split_once("(): ").map_or(&**text, |(_, said)| said)
    });
    if into.is_reference() {
        *into = into.dereference().shallow_clone();
    }
    if !matches!(whole, Ok(true)) {
        *into = Zval::null();
    }
    if !whole? {
        // Not the bytes' fault if PHP has run out of memory, which it says when the call has returned.
        super::go_on()?;
        let at = cursor.addr() - payload.as_ptr().addr();
        return Err(Failure::Serialization(format!(
            "its serialized form is damaged at byte {at} of {}, or nested deeper than PHP's setting \
             'unserialize_max_depth' allows{}{}",
            payload.len(),
            complaint.map_or("", |_| ": "),
            complaint.unwrap_or_default()
        )));
    }
    if let Some(complaint) = complaint {
        *into = Zval::null();
        return Err(Failure::serialization(complaint));
    }
    Ok(())
}
