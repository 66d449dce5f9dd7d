//! Arrays: reading in order without copying keys, and writing under any key.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    HashTable, zend_hash_get_current_data_ex, zend_hash_get_current_key_zval_ex,
    zend_hash_move_forward_ex,
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
pub(crate) struct Items<'a> {
    table: *mut HashTable,
    position: u32,
    life: PhantomData<&'a ZendHashTable>,
}

impl<'a> Items<'a> {
    /// Starts at the first element of `table`, which nobody changes meanwhile: it is an argument
    /// of the call, or made by it.
    pub(crate) fn of(table: &'a ZendHashTable) -> Self {
        let table = ptr::from_ref(table).cast_mut();
        Self {
            table,
            position: 0,
            life: PhantomData,
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = (Zval, &'a Zval);

    fn next(&mut self) -> Option<Self::Item> {
        let mut key = Zval::new();
        // SAFETY: the table lives for `'a`; these functions only read it, take any position and
        // skip holes, and the key gets a count of its own.
        unsafe {
            let value = zend_hash_get_current_data_ex(self.table, &raw mut self.position);
            let value = value.as_ref()?;
            zend_hash_get_current_key_zval_ex(self.table, &raw mut key, &raw mut self.position);
            zend_hash_move_forward_ex(self.table, &raw mut self.position);
            Some((key, value))
        }
    }
}

/// Calls `visit` with the values of an array, whose keys are not needed.
pub(crate) fn elements<'a>(table: &'a ZendHashTable, mut visit: impl FnMut(&'a Zval)) {
    let table = ptr::from_ref(table).cast_mut();
    let mut position = 0;
    loop {
        // SAFETY: as in `Items`.
        let value: Option<&'a Zval> = unsafe {
            let value = zend_hash_get_current_data_ex(table, &raw mut position).as_ref();
            zend_hash_move_forward_ex(table, &raw mut position);
            value
        };
        match value {
            Some(value) => visit(value),
            None => return,
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

/// Appends to a list. *May bail out.*
pub(crate) fn append(list: &mut ZendHashTable, value: Zval) {
    list.push(value)
        .expect("BUG: a list has room for 2^63 elements");
}

/// Returns a copy of `table` in which every element that is a reference stands for itself, or
/// `None` if there is none. User code that runs later can change what a reference refers to, but
/// not the copy. *May bail out.*
pub(crate) fn without_references(table: &ZendHashTable) -> Option<ZBox<ZendHashTable>> {
    if !Items::of(table).any(|(_, value)| value.is_reference()) {
        return None;
    }
    let mut copy = ZendHashTable::with_capacity(u32::try_from(table.len()).unwrap_or(0));
    for (key, value) in Items::of(table) {
        insert(&mut copy, &key, value.dereference().shallow_clone());
    }
    Some(copy)
}
