//! What an object gives to PHP's serializer: what its `__serialize()` returns, the properties that its
//! `__sleep()` names, or all of them.

use std::ffi::{c_char, c_int};
use std::mem::ManuallyDrop;
use std::ptr;

use ext_php_rs::ffi::{
    E_NOTICE, E_WARNING, GC_IMMUTABLE, HashTable, IS_ARRAY_EX, IS_UNDEF, php_error_docref,
    zend_call_known_function, zend_class_entry, zend_function, zend_hash_find, zend_hash_update,
    zend_object,
};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ClassEntry;

use super::array::{kind_of, slot_of};
use super::caught::returned;
use super::inside::{class_name, method};
use super::refusal::refusable;
use super::{Owned, exception_is_pending, list, string, values};
use crate::error::Failure;

/// How grave PHP finds it that `__sleep()` names something twice.
const TWICE: u32 = if cfg!(php83) { E_WARNING } else { E_NOTICE };
/// What PHP is told the properties are wanted for (ZEND_PROP_PURPOSE_SERIALIZE).
const TO_SERIALIZE: c_int = 2;

unsafe extern "C" {
    /// The class of objects whose own class is not there, of which PHP writes the name that they bear.
    pub(super) static php_ce_incomplete_class: *mut zend_class_entry;
    fn zend_get_properties_for(object: *mut Zval, purpose: c_int) -> *mut HashTable;
    fn zend_type_error(format: *const c_char, ...);
    fn tagcache_slot_is_typed(object: *mut zend_object, slot: *mut Zval) -> bool;
}

/// Returns what PHP would write of the object in `whole`, as an array, whose entries may refer to its
/// slots.
pub(super) fn given(whole: &Zval, class: &ClassEntry) -> Result<Zval, Failure> {
    if !class.__serialize.is_null() {
        let given = call(whole, class.__serialize)?;
        if given.is_array() {
            return Ok(given);
        }
        // SAFETY: throws; the one conversion takes the name of a live class, which ends with a NUL.
        refusable(|| unsafe {
            zend_type_error(
                c"%s::__serialize() must return an array".as_ptr(),
                (*class.name).val.as_ptr(),
            );
        })?;
        return Err(Failure::Thrown);
    }
    let sleep = method(class, c"__sleep");
    // SAFETY: a class that PHP has made before ours.
    if sleep.is_null() || unsafe { ptr::eq(class, php_ce_incomplete_class) } {
        return properties_for(whole);
    }
    match call(whole, sleep)?.array() {
        Some(names) => named(whole, class, names),
        None => Err(Failure::Serialization(format!(
            "{}::__sleep() must return an array of the names of properties",
            class_name(class)
        ))),
    }
}

/// Calls a method of an object without arguments.
fn call(whole: &Zval, method: *mut zend_function) -> Result<Zval, Failure> {
    let mut result = Zval::new();
    // SAFETY: `whole` has a count on the object, whose class has the method; the result is ours.
    unsafe {
        zend_call_known_function(
            method,
            whole.value.obj,
            (*whole.value.obj).ce,
            &raw mut result,
            0,
            ptr::null_mut(),
            ptr::null_mut(),
        );
    }
    returned(result)
}

/// Returns the properties of an object, which a lazy one makes now.
fn properties_for(whole: &Zval) -> Result<Zval, Failure> {
    let mut given = Zval::new();
    // SAFETY: a live object. PHP gives null, or a table with a count for us, which goes to the zval;
    // one that is never counted must not be there.
    unsafe {
        let table = zend_get_properties_for(ptr::from_ref(whole).cast_mut(), TO_SERIALIZE);
        match table.as_ref() {
            Some(counted) if counted.gc.u.type_info & GC_IMMUTABLE == 0 => {
                given.value.arr = table;
                given.u1.type_info = IS_ARRAY_EX;
            }
            Some(fixed) => given.set_hashtable(fixed.to_owned()),
            None => given.set_hashtable(ZendHashTable::new()),
        }
    }
    if exception_is_pending() {
        return Err(Failure::Thrown);
    }
    Ok(given)
}

/// Returns the properties that `__sleep()` names, as PHP finds them: by the name as it is, as that of a
/// private one, of a protected one. PHP warns of names that lead nowhere or twice to the same, and
/// leaves them out.
fn named(whole: &Zval, class: &ClassEntry, names: &ZendHashTable) -> Result<Zval, Failure> {
    let properties = properties_for(whole)?;
    let properties = properties.array().expect("BUG: properties are an array");
    let mut found = list(names.len())?;
    for name in values(names) {
        let Some(name) = name.dereference().zend_str() else {
            return Err(Failure::Serialization(format!(
                "{}::__sleep() must return an array of the names of properties",
                class_name(class)
            )));
        };
        let (level, complaint) =
            match add_named(&mut found, properties, whole, class, name.as_bytes())? {
                Named::Added => continue,
                Named::Twice => (TWICE, c"\"%s\" is returned from __sleep() multiple times"),
                Named::Nothing => (
                    E_WARNING,
                    c"\"%s\" returned as member variable from __sleep() but does not exist",
                ),
            };
        // SAFETY: the one conversion takes a string of PHP's, which ends with a NUL.
        unsafe {
            php_error_docref(
                ptr::null(),
                level as c_int,
                complaint.as_ptr(),
                name.val.as_ptr(),
            );
        }
        if exception_is_pending() {
            return Err(Failure::Thrown);
        }
    }
    let mut given = Zval::new();
    given.set_hashtable(found);
    Ok(given)
}

enum Named {
    /// It is found, or has a type and no value yet.
    Added,
    Twice,
    Nothing,
}

fn add_named(
    found: &mut ZendHashTable,
    properties: &ZendHashTable,
    whole: &Zval,
    class: &ClassEntry,
    name: &[u8],
) -> Result<Named, Failure> {
    // SAFETY: a class has a name.
    let class_name = unsafe { &*class.name }.as_bytes();
    let forms: [&[&[u8]]; 3] = [
        &[name],
        &[b"\0", class_name, b"\0", name],
        &[b"\0*\0", name],
    ];
    for form in forms {
        let full = string(&Owned::new(form.concat()))?;
        let key = ptr::from_ref(&*full).cast_mut();
        // SAFETY: reads a live table, whose entries may refer to slots of the object; the value that is
        // found is copied with a count, which goes to the table of what was found.
        unsafe {
            let entry: *const Zval = zend_hash_find(properties, key);
            if entry.is_null() {
                continue;
            }
            let slot = slot_of(entry);
            if kind_of(slot) == IS_UNDEF {
                if tagcache_slot_is_typed(whole.value.obj, slot.cast_mut()) {
                    return Ok(Named::Added);
                }
                continue;
            }
            if !zend_hash_find(found, key).is_null() {
                return Ok(Named::Twice);
            }
            let mut copy = ManuallyDrop::new((*slot).shallow_clone());
            zend_hash_update(found, key, &raw mut *copy);
            return Ok(Named::Added);
        }
    }
    Ok(Named::Nothing)
}
