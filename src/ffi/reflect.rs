//! Types that the builders of the binding can't express, set on functions already registered, so
//! that Reflection says what the stub says.

use std::ptr;

use ext_php_rs::args::{ArgInfo, ArgInfoTables};
use ext_php_rs::ffi::{ext_php_rs_compiler_globals, zend_function, zend_hash_str_find_ptr_lc};
use ext_php_rs::zend::ClassEntry;
use parking_lot::Mutex;

struct Kept(Mutex<Vec<ArgInfoTables>>);

// SAFETY: what the tables point to is never changed or freed, whichever thread looks at it.
unsafe impl Send for Kept {}
// SAFETY: as above, and the list is behind a lock.
unsafe impl Sync for Kept {}

static KEPT: Kept = Kept(Mutex::new(Vec::new()));

/// Keeps the descriptions of a class's methods for the life of the process: PHP refers to the
/// names in them. For MINIT.
pub(crate) fn keep(infos: ArgInfoTables) {
    KEPT.0.lock().push(infos);
}

/// PHP's bit set of simple types; the values are the same in every release since 8.0.
pub(crate) type TypeMask = u32;
/// `null`.
pub(crate) const NULL: TypeMask = 1 << 1;
/// `false`.
pub(crate) const FALSE: TypeMask = 1 << 2;
/// `string`.
pub(crate) const STRING: TypeMask = 1 << 6;
/// `array`.
pub(crate) const ARRAY: TypeMask = 1 << 7;
/// `static`.
pub(crate) const STATIC: TypeMask = 1 << 15;

/// The bits of the mask that are types; above are flags of the argument.
const TYPES: TypeMask = (1 << 18) - 1;

/// Sets the type of argument `arg` (from 0; `None` is the return type) of a method of `class`,
/// or of a function. A name of a class in the type stays. For MINIT.
///
/// # Panics
///
/// Panics if there is no such function: MINIT reports it and fails.
pub(crate) fn patch(class: Option<&ClassEntry>, name: &str, arg: Option<usize>, types: TypeMask) {
    // SAFETY: in MINIT PHP has one thread and owns these tables; the argument infos of internal
    // functions are writable memory (the binding's boxes, or PHP's copy of them), with the
    // return type in front of the first argument.
    unsafe {
        let table = match class {
            Some(class) => (&raw const class.function_table).cast_mut(),
            None => (*ext_php_rs_compiler_globals()).function_table,
        };
        let function = zend_hash_str_find_ptr_lc(table, name.as_ptr().cast(), name.len())
            .cast::<zend_function>();
        let common = &function
            .as_ref()
            .expect("BUG: a patched function is not registered")
            .common;
        assert!(
            arg.is_none_or(|arg| arg < common.num_args as usize),
            "BUG: no such argument"
        );
        let infos = common.arg_info.cast::<ArgInfo>();
        let info = match arg {
            Some(arg) => infos.add(arg),
            None => infos.sub(1),
        };
        let mask = &raw mut (*info).type_.type_mask;
        ptr::write(mask, (ptr::read(mask) & !TYPES) | types);
    }
}
