//! Objects of the final classes that only the extension makes (pipelines, batches, futures): a
//! state in front of the standard object, and the PHP values that the state holds on to, which
//! the collector of cycles has to know.

use std::cell::UnsafeCell;
use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, offset_of, take};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use ext_php_rs::ffi::{
    HashTable, ext_php_rs_zend_object_alloc, object_properties_init, std_object_handlers,
    zend_function, zend_object, zend_object_handlers, zend_object_std_dtor, zend_object_std_init,
};
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ClassEntry;

use super::{Call, Owned, Slot};

unsafe extern "C" {
    fn zend_objects_not_comparable(one: *mut Zval, other: *mut Zval) -> c_int;
    fn zend_throw_error(class: *mut ClassEntry, format: *const c_char, ...);
    fn object_init_ex(object: *mut Zval, class: *mut ClassEntry) -> c_int;
}

/// What an object of such a class holds. A method that calls into PHP (which may run user code
/// that uses the same object, or bail out) does so with nothing of the state borrowed.
pub(crate) trait Instance: Default + 'static {
    /// Returns where the class is kept.
    fn class() -> &'static Class<Self>;

    /// Returns the values that the object holds on to.
    fn held(&self) -> &Held;
}

/// PHP values that an object holds on to.
#[derive(Debug, Default)]
pub(crate) struct Held(UnsafeCell<Vec<Zval>>);

impl Held {
    /// Adds one and returns its number.
    pub(crate) fn push(&self, value: Zval) -> usize {
        // SAFETY: no reference into the vector leaves this type, and its methods call nothing
        // that could come back here while they have one.
        let values = unsafe { &mut *self.0.get() };
        values.push(value);
        values.len() - 1
    }

    /// Returns another reference to value `n`.
    pub(crate) fn get(&self, n: usize) -> Option<Zval> {
        // SAFETY: as in `push`; the copy only counts.
        unsafe { &*self.0.get() }.get(n).map(Zval::shallow_clone)
    }

    /// Removes all and returns them: what is dropped may run destructors of the user.
    pub(crate) fn take(&self) -> Values {
        // SAFETY: as in `push`.
        let values = take(unsafe { &mut *self.0.get() });
        Values(Owned::new(
            values.into_iter().map(ManuallyDrop::new).collect(),
        ))
    }
}

/// PHP values in a list of ours. If PHP leaves the frame for good, the list is freed with what is
/// [`Owned`], and the values are PHP's to free.
pub(crate) struct Values(Owned<Vec<ManuallyDrop<Zval>>>);

impl Values {
    /// Returns value `n`.
    pub(crate) fn get(&self, n: usize) -> Option<&Zval> {
        self.0.get(n).map(|value| &**value)
    }

    /// Takes all out.
    pub(crate) fn into_list(mut self) -> Vec<Zval> {
        let values = take(&mut *self.0);
        values.into_iter().map(ManuallyDrop::into_inner).collect()
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        while let Some(value) = self.0.pop() {
            drop(ManuallyDrop::into_inner(value));
        }
    }
}

/// Such a class, and how its objects are handled. Made as a static.
pub(crate) struct Class<T> {
    slot: Slot,
    handlers: UnsafeCell<MaybeUninit<zend_object_handlers>>,
    kind: PhantomData<fn() -> T>,
}

// SAFETY: the handlers are written in MINIT only, when PHP has one thread and no object exists;
// PHP reads them after. The slot is made for sharing.
unsafe impl<T> Sync for Class<T> {}

/// What PHP allocates for an object.
#[repr(C)]
struct Object<T> {
    state: T,
    std: zend_object,
}

impl<T: Instance> Class<T> {
    /// Returns one that is not registered yet.
    pub(crate) const fn unregistered() -> Self {
        Self {
            slot: Slot::empty(),
            handlers: UnsafeCell::new(MaybeUninit::uninit()),
            kind: PhantomData,
        }
    }

    /// Makes `class` create objects with a `T`. For MINIT.
    pub(crate) fn install(&self, class: &'static mut ClassEntry) {
        // SAFETY: see `Sync` above; the standard handlers are constants of PHP.
        unsafe {
            let mut handlers = std_object_handlers;
            handlers.offset = offset_of!(Object<T>, std) as c_int;
            handlers.free_obj = Some(free::<T>);
            handlers.clone_obj = None;
            handlers.compare = Some(zend_objects_not_comparable);
            handlers.get_constructor = Some(no_constructor);
            handlers.get_gc = Some(held::<T>);
            (*self.handlers.get()).write(handlers);
        }
        class.ce_flags |= ClassFlags::NotSerializable.bits();
        class.__bindgen_anon_2.create_object = Some(create::<T>);
        self.slot.set(class);
    }

    /// Returns the class.
    pub(crate) fn entry(&self) -> &'static ClassEntry {
        self.slot.get()
    }

    /// Makes an object in `into` and returns its state. *May bail out.*
    pub(crate) fn make<'a>(&self, into: &'a mut Zval) -> &'a T {
        // SAFETY: the class is registered, and one that can be made: final and not abstract.
        let made = unsafe { object_init_ex(into, self.slot.raw()) } == 0;
        assert!(made, "BUG: PHP makes objects of a class like this");
        self.state(into).expect("BUG: the object was just made")
    }

    /// Returns the state of `value` if it is of this class.
    pub(crate) fn state<'a>(&self, value: &'a Zval) -> Option<&'a T> {
        let object = value.object()?;
        if !ptr::eq(object.handlers, self.handlers.get().cast()) {
            return None;
        }
        // SAFETY: only `create` sets these handlers, and the object lives as long as the zval.
        Some(unsafe { &(*from_std::<T>(ptr::from_ref(object))).state })
    }

    /// Returns the state of the object that a method was called on.
    pub(crate) fn this<'a>(&self, call: &Call<'a>) -> &'a T {
        self.state(call.this_zval())
            .expect("BUG: a method of this class on something else")
    }
}

/// Returns a reference to the object that a method was called on.
pub(crate) fn this(call: &Call<'_>) -> Zval {
    let mut this = Zval::new();
    // SAFETY: a method has an object in its frame, which keeps it alive; only its count changes.
    this.set_object(unsafe { &mut *call.this_zval().value.obj });
    this
}

unsafe extern "C" fn create<T: Instance>(class: *mut ClassEntry) -> *mut zend_object {
    // SAFETY: PHP passes a live class; the allocation holds an `Object` and the properties of
    // the class, and every field is written before PHP sees the object. A default state only
    // makes empty containers. The handlers were written in MINIT.
    unsafe {
        let object =
            ext_php_rs_zend_object_alloc(size_of::<Object<T>>(), class).cast::<Object<T>>();
        (&raw mut (*object).state).write(T::default());
        let std = &raw mut (*object).std;
        zend_object_std_init(std, class);
        object_properties_init(std, class);
        (*std).handlers = T::class().handlers.get().cast();
        std
    }
}

unsafe extern "C" fn free<T: Instance>(std: *mut zend_object) {
    // SAFETY: PHP calls this once for an object that `create` made, also after a fatal error,
    // and never touches it after except to release the memory.
    unsafe {
        let state = &raw mut (*from_std::<T>(std)).state;
        // A panic must not reach PHP; the hook has reported it.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let held = (*state).held().take();
            // Without its values the state holds nothing of PHP's.
            let state = Owned::new(state.read());
            // What is dropped may run destructors of the user, which may end the script.
            drop(held);
            drop(state);
        }));
        zend_object_std_dtor(std);
    }
}

unsafe extern "C" fn held<T: Instance>(
    std: *mut zend_object,
    table: *mut *mut Zval,
    count: *mut c_int,
) -> *mut HashTable {
    // SAFETY: PHP passes an object that `create` made and two places to fill; it reads the
    // values before anything else runs.
    unsafe {
        let values = &mut *(*from_std::<T>(std)).state.held().0.get();
        table.write(values.as_mut_ptr());
        count.write(c_int::try_from(values.len()).unwrap_or(c_int::MAX));
    }
    ptr::null_mut()
}

unsafe extern "C" fn no_constructor(std: *mut zend_object) -> *mut zend_function {
    // SAFETY: throws, with a name that the class keeps; PHP looks for the exception.
    unsafe {
        let name = (*(*std).ce).name;
        zend_throw_error(
            ptr::null_mut(),
            c"%s can't be made by new; call the method of TagCache that makes one".as_ptr(),
            name.as_ref()
                .map_or(c"This class".as_ptr(), |name| name.val.as_ptr()),
        );
    }
    ptr::null_mut()
}

/// # Safety
///
/// `std` is that of an object that `create::<T>` made.
unsafe fn from_std<T>(std: *const zend_object) -> *mut Object<T> {
    // SAFETY: by the contract `std` lies at this offset in an `Object`.
    unsafe {
        std.cast::<c_void>()
            .byte_sub(offset_of!(Object<T>, std))
            .cast_mut()
            .cast()
    }
}
