//! Arrays: reading in order without copying keys, and writing under any key.

use std::ffi::c_int;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    GC_IMMUTABLE, HashTable, IS_INTERNED_STRING_EX, IS_STRING_EX, IS_UNDEF, zend_string,
};
use ext_php_rs::types::{ZendHashTable, Zval};

unsafe extern "C" {
    fn array_set_zval_key(table: *mut HashTable, key: *mut Zval, value: *mut Zval) -> c_int;
}

/// A key of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// An integer, also for a string such as "5".
    Int(i64),
    /// A string of any bytes.
    Str(&'a [u8]),
}

/// The elements of an array in order. Values may be references.
pub(crate) struct Items<'a>(Places<'a>);

impl<'a> Items<'a> {
    /// Starts at the first element of `table`, which nobody changes meanwhile: it is an argument
    /// of the call, or made by it.
    pub(crate) fn of(table: &'a ZendHashTable) -> Self {
        Self(Places { table, next: 0 })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = (Zval, &'a Zval);

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.0.next()?;
        Some((place.key(), place.value))
    }
}

/// Calls `visit` with the values of an array, whose keys are not needed.
pub(crate) fn elements<'a>(table: &'a ZendHashTable, visit: impl FnMut(&'a Zval)) {
    values(table).for_each(visit);
}

/// The values of an array in order, whose keys are not needed; see [`Items::of`].
pub(crate) fn values(table: &ZendHashTable) -> impl Iterator<Item = &Zval> {
    Places { table, next: 0 }.map(|place| place.value)
}

/// Set in `flags` of a table whose values stand without buckets (HASH_FLAG_PACKED, a macro).
const PACKED: u32 = 1 << 2;

/// The places of a table that are in use, read as Zend's macros ZEND_HASH_FOREACH_* do: its
/// functions take three calls an element.
struct Places<'a> {
    table: &'a HashTable,
    next: u32,
}

struct Place<'a> {
    value: &'a Zval,
    /// The number, if `name` is null.
    number: u64,
    name: *mut zend_string,
}

impl<'a> Iterator for Places<'a> {
    type Item = Place<'a>;

    fn next(&mut self) -> Option<Place<'a>> {
        while self.next < self.table.nNumUsed {
            let at = self.next;
            self.next += 1;
            // SAFETY: a table has `nNumUsed` places that are initialised, zvals or buckets as the
            // flag says; they live for `'a`, in which nobody changes the table (`Items::of`).
            let place = unsafe {
                if self.table.u.flags & PACKED == 0 {
                    let bucket = &*self.table.__bindgen_anon_1.arData.add(at as usize);
                    Place {
                        value: &bucket.val,
                        number: bucket.h,
                        name: bucket.key,
                    }
                } else {
                    Place {
                        value: &*self.table.__bindgen_anon_1.arPacked.add(at as usize),
                        number: u64::from(at),
                        name: ptr::null_mut(),
                    }
                }
            };
            // SAFETY: every view of the type holds its first byte.
            if u32::from(unsafe { place.value.u1.v.type_ }) != IS_UNDEF {
                return Some(place);
            }
        }
        None
    }
}

impl Place<'_> {
    /// Returns the key, with a count of its own.
    fn key(&self) -> Zval {
        let mut key = Zval::new();
        if self.name.is_null() {
            key.set_long(self.number.cast_signed());
        } else {
            // SAFETY: the key of a bucket is a string that lives as long as the table.
            unsafe { zval_of_string(&mut key, self.name) };
        }
        key
    }
}

/// Makes `into`, which holds nothing, a string with a count of its own (ZVAL_STR_COPY, a macro).
///
/// # Safety
///
/// `text` is a string of Zend's.
unsafe fn zval_of_string(into: &mut Zval, text: *mut zend_string) {
    into.value.str_ = text;
    // SAFETY: the caller's; interned strings are not counted.
    unsafe {
        if (*text).gc.u.type_info & GC_IMMUTABLE == 0 {
            (*text).gc.refcount += 1;
            into.u1.type_info = IS_STRING_EX;
        } else {
            into.u1.type_info = IS_INTERNED_STRING_EX;
        }
    }
}

impl<'a> Key<'a> {
    /// Returns the key that `value` is, if it can be one as it stands.
    pub(crate) fn from_zval(value: &'a Zval) -> Option<Self> {
        let value = value.dereference();
        match value.long() {
            Some(number) => Some(Self::Int(number)),
            None => value.zend_str().map(|text| Self::Str(text.as_bytes())),
        }
    }
}

/// Sets `table[key]`, with the conversion of keys that `$table[$key] = ...` does. `key` is an
/// integer or a string. *May bail out.*
pub(crate) fn insert(table: &mut ZendHashTable, key: &Zval, value: Zval) {
    let mut value = value;
    // SAFETY: the table is ours and not shared yet; PHP takes its own count of key and value,
    // and `value` gives its up when dropped here. An integer or string key can't fail.
    unsafe {
        array_set_zval_key(table, ptr::from_ref(key).cast_mut(), &raw mut value);
    }
}

/// Makes an array with room for `elements`. *May bail out.*
pub(crate) fn list(elements: usize) -> ZBox<ZendHashTable> {
    ZendHashTable::with_capacity(u32::try_from(elements).unwrap_or(0))
}

/// Appends to a list. *May bail out.*
pub(crate) fn append(list: &mut ZendHashTable, value: Zval) {
    list.push(value)
        .expect("BUG: a list has room for 2^63 elements");
}

/// Returns a copy of `table` in which every element that is a reference stands for itself, or
/// `None` if there is none. User code that runs later can change what a reference refers to, but
/// not the copy. *May bail out.*
pub(crate) fn without_references(table: &ZendHashTable) -> Option<ZBox<ZendHashTable>> {
    if !values(table).any(Zval::is_reference) {
        return None;
    }
    let mut copy = ZendHashTable::with_capacity(u32::try_from(table.len()).unwrap_or(0));
    for (key, value) in Items::of(table) {
        insert(&mut copy, &key, value.dereference().shallow_clone());
    }
    Some(copy)
}
