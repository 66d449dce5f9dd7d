//! Arrays: reading in order without copying keys, and writing under any key.

use std::ffi::c_char;
use std::{mem, ptr};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    GC_IMMUTABLE, HashTable, IS_INDIRECT, IS_INTERNED_STRING_EX, IS_STRING_EX, IS_UNDEF,
    zend_string,
};
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use super::memory;
use crate::error::Failure;

unsafe extern "C" {
    fn zend_hash_lookup(table: *mut HashTable, key: *mut zend_string) -> *mut Zval;
    fn zend_hash_real_init_packed(table: *mut HashTable);
    fn zend_hash_index_lookup(table: *mut HashTable, number: u64) -> *mut Zval;
    fn _zend_handle_numeric_str_ex(text: *const c_char, length: usize, number: *mut u64) -> bool;
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
pub(crate) fn values(table: &ZendHashTable) -> impl Iterator<Item = &Zval> + Clone {
    Places { table, next: 0 }.map(|place| place.value)
}

/// The elements of an array in order, with their keys where they stand; see [`Items::of`].
pub(crate) fn pairs(table: &ZendHashTable) -> impl Iterator<Item = (Key<'_>, &Zval)> {
    Places { table, next: 0 }.map(|place| {
        // SAFETY: the key of a bucket is a string that lives as long as the table, which nobody
        // changes meanwhile.
        let key = match unsafe { place.name.as_ref() } {
            Some(name) => Key::Str(name.as_bytes()),
            None => Key::Int(place.number.cast_signed()),
        };
        (key, place.value)
    })
}

/// Returns the first key of an array that is a string; `None` for a list, with or without holes.
pub(crate) fn first_name(table: &ZendHashTable) -> Option<&[u8]> {
    if is_packed(table) {
        return None;
    }
    pairs(table).find_map(|(key, _)| match key {
        Key::Str(name) => Some(name),
        Key::Int(_) => None,
    })
}

/// Set in `flags` of a table whose values stand without buckets (HASH_FLAG_PACKED, a macro).
const PACKED: u32 = 1 << 2;

fn is_packed(table: &HashTable) -> bool {
    // SAFETY: every view of the flags is a number that is always set.
    unsafe { table.u.flags & PACKED != 0 }
}

/// The places of a table that are in use, read as Zend's macros ZEND_HASH_FOREACH_* do: its
/// functions take three calls an element.
#[derive(Clone)]
pub(super) struct Places<'a> {
    table: &'a HashTable,
    next: u32,
}

pub(super) struct Place<'a> {
    pub(super) value: &'a Zval,
    /// The number, if `name` is null.
    pub(super) number: u64,
    pub(super) name: *mut zend_string,
}

impl<'a> Places<'a> {
    /// Starts at place `next` of `table`; else as [`Items::of`].
    pub(super) fn from(table: &'a HashTable, next: u32) -> Self {
        Self { table, next }
    }

    /// Returns the number of the place to go on at.
    pub(super) fn position(&self) -> u32 {
        self.next
    }
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
                if !is_packed(self.table) {
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

/// Returns what an entry of a table stands for: a slot, or itself.
///
/// # Safety
///
/// The entry is alive.
pub(super) unsafe fn slot_of(entry: *const Zval) -> *const Zval {
    // SAFETY: the caller's.
    unsafe {
        if kind_of(entry) == IS_INDIRECT {
            (*entry).value.zv
        } else {
            entry
        }
    }
}

/// Returns the type of a zval.
///
/// # Safety
///
/// It is alive.
pub(super) unsafe fn kind_of(value: *const Zval) -> u32 {
    // SAFETY: the caller's; every view of the type holds its first byte.
    unsafe { u32::from((*value).u1.v.type_) }
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
    /// Gives `use_it` the bytes of the key, the digits of an integer.
    #[inline]
    pub(crate) fn with<R>(self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Str(text) => use_it(text),
            Self::Int(number) => use_it(number.to_string().as_bytes()),
        }
    }

    /// Returns the key that `value` is, if it can be one as it stands.
    #[inline]
    pub(crate) fn from_zval(value: &'a Zval) -> Option<Self> {
        let value = value.dereference();
        match value.zend_str() {
            Some(text) => Some(Self::Str(text.as_bytes())),
            None => value.long().map(Self::Int),
        }
    }
}

/// Sets `table[key]`, with the conversion of keys that `$table[$key] = ...` does. `key` is an
/// integer or a string. *May bail out.*
pub(crate) fn insert(table: &mut ZendHashTable, key: &Zval, value: Zval) {
    let text = key.zend_str().map(ptr::from_ref);
    let mut number = key.long().unwrap_or_default().cast_unsigned();
    // SAFETY: the table is ours and not shared yet; PHP takes its own count of a key that it
    // keeps, and returns a place in the table, null if it was not there. Beside the value a place
    // has a link of the table in `u2`, which stays: the two other parts are copied as
    // ZVAL_COPY_VALUE does, and with them the only count that `value` had.
    unsafe {
        let place = match text {
            Some(text) if !is_number(&*text, &mut number) => {
                zend_hash_lookup(table, text.cast_mut())
            }
            _ => zend_hash_index_lookup(table, number),
        };
        let replaced = Zval {
            value: (*place).value,
            u1: (*place).u1,
            ..Zval::new()
        };
        (*place).value = value.value;
        (*place).u1 = value.u1;
        mem::forget(value);
        drop(replaced);
    }
}

/// Returns whether PHP takes `text` for an integer where it is a key, and which.
fn is_number(text: &ZendStr, number: &mut u64) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes.first(), Some(b'0'..=b'9' | b'-'))
        // SAFETY: reads the bytes, writes the number.
        && unsafe {
            _zend_handle_numeric_str_ex(bytes.as_ptr().cast(), bytes.len(), ptr::from_mut(number))
        }
}

/// Makes an array with room for `elements`, of which the network may decide how many. *May bail out.*
///
/// # Errors
///
/// As [`string`](super::string).
pub(crate) fn list(elements: usize) -> Result<ZBox<ZendHashTable>, Failure> {
    let places = elements.checked_next_power_of_two().unwrap_or(usize::MAX);
    memory::room(places.saturating_mul(size_of::<Zval>()))?;
    Ok(ZendHashTable::with_capacity(
        u32::try_from(elements).unwrap_or(0),
    ))
}

/// Makes a list of strings, about `count` of them. *May bail out.*
///
/// # Errors
///
/// Those of [`string`](super::string).
pub(crate) fn strings<'a>(
    count: usize,
    texts: impl Iterator<Item = &'a [u8]>,
) -> Result<ZBox<ZendHashTable>, Failure> {
    let mut list = list(count)?;
    let table: &mut HashTable = &mut list;
    // SAFETY: the table is new and ours.
    unsafe { zend_hash_real_init_packed(table) };
    for text in texts {
        let mut value = Zval::new();
        value.set_zend_string(super::string(text)?);
        let at = table.nNumUsed;
        if at < table.nTableSize {
            // SAFETY: as ZEND_HASH_FILL_* do: a packed table has `nTableSize` places, of which
            // those from `nNumUsed` on hold nothing yet. The counts follow at once, so that the
            // table is whole whenever PHP bails out.
            unsafe {
                table
                    .__bindgen_anon_1
                    .arPacked
                    .add(at as usize)
                    .write(value)
            };
            table.nNumUsed += 1;
            table.nNumOfElements += 1;
            table.nNextFreeElement = i64::from(at) + 1;
        } else {
            append(table, value);
        }
    }
    Ok(list)
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
