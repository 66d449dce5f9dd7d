//! Objects of class `TagCache`: a [`HandleCell`] in front of the standard object.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use ext_php_rs::ffi::{
    ext_php_rs_zend_object_alloc, object_properties_init, std_object_handlers,
    zend_call_known_function, zend_object, zend_object_handlers, zend_object_std_dtor,
    zend_object_std_init,
};
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ClassEntry;

use super::exception_is_pending;
use crate::error::Failure;
use crate::handle::HandleCell;

unsafe extern "C" {
    fn zend_objects_not_comparable(one: *mut Zval, other: *mut Zval) -> c_int;
    fn object_init_ex(object: *mut Zval, class: *mut ClassEntry) -> c_int;
    fn zend_objects_clone_members(new: *mut zend_object, old: *mut zend_object);
}

/// PHP's flag of an object whose destructor has run or must not.
const DESTRUCTOR_CALLED: u32 = 1 << 8;

/// What PHP allocates for an object; its declared properties follow behind.
#[repr(C)]
struct Object {
    handle: HandleCell,
    std: zend_object,
}

struct Handlers(UnsafeCell<MaybeUninit<zend_object_handlers>>);

// SAFETY: written in MINIT only, when PHP has one thread and no object exists; read by PHP after.
unsafe impl Sync for Handlers {}

static HANDLERS: Handlers = Handlers(UnsafeCell::new(MaybeUninit::uninit()));

/// Makes `class` and its subclasses create objects that carry a [`HandleCell`]. For MINIT.
pub(crate) fn install_handlers(class: &mut ClassEntry) {
    // SAFETY: MINIT runs on one thread before any object of the class exists (see `Handlers`),
    // and the standard handlers are constants of PHP.
    unsafe {
        let mut handlers = std_object_handlers;
        handlers.offset = offset_of!(Object, std) as c_int;
        handlers.free_obj = Some(free);
        handlers.clone_obj = None;
        handlers.compare = Some(zend_objects_not_comparable);
        (*HANDLERS.0.get()).write(handlers);
    }
    class.ce_flags |= ClassFlags::NotSerializable.bits();
    class.__bindgen_anon_2.create_object = Some(create);
}

unsafe extern "C" fn create(class: *mut ClassEntry) -> *mut zend_object {
    // SAFETY: PHP passes a live class; the allocation holds an `Object` and the properties of
    // the class, and every field is written before PHP sees the object. An empty cell can't
    // panic. `HANDLERS` was written in MINIT.
    unsafe {
        let object = ext_php_rs_zend_object_alloc(size_of::<Object>(), class).cast::<Object>();
        (&raw mut (*object).handle).write(HandleCell::default());
        let std = &raw mut (*object).std;
        zend_object_std_init(std, class);
        object_properties_init(std, class);
        (*std).handlers = HANDLERS.0.get().cast();
        std
    }
}

unsafe extern "C" fn free(std: *mut zend_object) {
    // SAFETY: PHP calls this once for an object that `create` made, and never touches it after
    // except to release the memory.
    unsafe {
        let handle = &raw mut (*from_std(std)).handle;
        // A panic must not reach PHP; the hook has reported it.
        let _ = catch_unwind(AssertUnwindSafe(|| ptr::drop_in_place(handle)));
        zend_object_std_dtor(std);
    }
}

/// # Safety
///
/// `std` is that of an object that `create` made.
unsafe fn from_std(std: *const zend_object) -> *mut Object {
    // SAFETY: by the contract `std` lies at this offset in an `Object`.
    unsafe {
        std.cast::<c_void>()
            .byte_sub(offset_of!(Object, std))
            .cast_mut()
            .cast()
    }
}

/// Returns the handle in `value` if that is a `TagCache` or of a subclass.
pub(super) fn handle_of(value: &Zval) -> Option<&HandleCell> {
    let object = value.object()?;
    if !ptr::eq(object.handlers, HANDLERS.0.get().cast()) {
        return None;
    }
    // SAFETY: only `create` sets these handlers. The object lives as long as the zval that
    // refers to it.
    Some(unsafe { &(*from_std(ptr::from_ref(object))).handle })
}

/// Makes an object of `class`, a subclass of `base`, as `new static(...$arguments)` does if the
/// subclass has a constructor of its own; returns false, with nothing made, if it has not. *May
/// bail out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what PHP or the constructor throws.
pub(crate) fn construct(
    class: *mut ClassEntry,
    base: &ClassEntry,
    arguments: &[Zval],
    into: &mut Zval,
) -> Result<bool, Failure> {
    // SAFETY: `class` is the class that PHP says was called.
    if ptr::eq(unsafe { (*class).constructor }, base.constructor) {
        return Ok(false);
    }
    new_object(class, into).ok_or(Failure::Thrown)?;
    let object = into
        .object()
        .map_or(ptr::null_mut(), |object| ptr::from_ref(object).cast_mut());
    let mut result = Zval::new();
    // SAFETY: the object was just made; the handler checks that the constructor may be called
    // from here and throws otherwise. The arguments are only read, the result is ours.
    unsafe {
        let constructor = (*(*object).handlers).get_constructor.and_then(|find| {
            let constructor = find(object);
            (!constructor.is_null()).then_some(constructor)
        });
        if let Some(constructor) = constructor {
            zend_call_known_function(
                constructor,
                object,
                class,
                &raw mut result,
                u32::try_from(arguments.len()).expect("BUG: too many arguments"),
                arguments.as_ptr().cast_mut(),
                ptr::null_mut(),
            );
        }
    }
    if exception_is_pending() {
        // As `new` does: the destructor of an object that was not constructed does not run.
        // SAFETY: `into` still holds the object.
        unsafe { (*object).gc.u.type_info |= DESTRUCTOR_CALLED };
        *into = Zval::null();
        return Err(Failure::Thrown);
    }
    Ok(true)
}

/// Makes an object of `class` (`TagCache` or a subclass) in `into`, without calling its
/// constructor, and returns its handle; `None` with an exception pending if PHP refuses, as for
/// an abstract class. *May bail out.*
pub(crate) fn new_object(class: *mut ClassEntry, into: &mut Zval) -> Option<&HandleCell> {
    // SAFETY: `class` is the class that PHP says was called, or our own.
    let made = unsafe { object_init_ex(into, class) } == 0;
    if made { handle_of(into) } else { None }
}

/// Makes a copy of `object`, a `TagCache`, in `into`: of its class, with its properties, and with the
/// handle that `open` makes. Then PHP calls `__clone()`, if a subclass has it. *May bail out.*
///
/// # Errors
///
/// [`Failure::Thrown`] for what PHP or `__clone()` throws.
pub(crate) fn copy_object(
    object: &Zval,
    into: &mut Zval,
    open: impl FnOnce(&HandleCell),
) -> Result<(), Failure> {
    let original = object.object().expect("BUG: a handle is an object");
    let handle = new_object(original.ce, into).ok_or(Failure::Thrown)?;
    open(handle);
    let copy = into.object().expect("BUG: the object was just made");
    // SAFETY: both are live objects of one class, whose properties PHP has set up; the caller's frame
    // holds the original and `into` the copy, whatever `__clone()` does.
    unsafe {
        zend_objects_clone_members(
            ptr::from_ref(copy).cast_mut(),
            ptr::from_ref(original).cast_mut(),
        );
    }
    if exception_is_pending() {
        *into = Zval::null();
        return Err(Failure::Thrown);
    }
    Ok(())
}
