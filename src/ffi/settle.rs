//! What `__serialize()` and `__sleep()` will give, known before PHP's serializer writes it.
//!
//! PHP asks them while it writes, and writes the integer 0 for a resource in what they give. So they
//! are asked here, once and in the order in which PHP would, and PHP gets a copy of the value in which
//! each object is a `__PHP_Incomplete_Class` that holds what was given. For such an object PHP writes
//! the name that it bears and what it holds, which makes the bytes that the object itself would have
//! become. Who shares an object, a reference or an array in the value shares its stand-in in the copy.
//!
//! What is not asked for here stays as it is: enums, and classes of the old interface `Serializable`,
//! which give bytes.

use std::collections::HashMap;
use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    HashTable, IS_ARRAY_EX, IS_REFERENCE_EX, IS_UNDEF, zend_class_entry, zend_hash_index_update,
    zend_hash_update, zend_object, zend_reference, zend_string,
};
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::{ZendHashTable, Zval};

use super::array::{Places, kind_of, slot_of};
use super::given::{given, php_ce_incomplete_class};
use super::inside::{Decider, class_name, decider, is_shared};
use super::{Owned, append, go_on, list};
use crate::error::Failure;
use crate::seen::Seen;

/// How often arrays that are in themselves are copied anew. Nested ones that share one another could
/// be copied without end.
const MOST_ANEW: usize = 1 << 10;
/// The property by which an incomplete object bears its name.
const NAME: &[u8] = b"__PHP_Incomplete_Class_Name";

unsafe extern "C" {
    fn php_store_class_name(object: *mut Zval, name: *mut zend_string);
    fn object_init_ex(object: *mut Zval, class: *mut zend_class_entry) -> c_int;
    fn zend_std_get_properties(object: *mut zend_object) -> *mut HashTable;
    fn tagcache_make_reference(value: *mut Zval);
}

/// A value for PHP's serializer.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The copy.
    pub(crate) value: Zval,
    /// Whether an array stands in it more than once.
    pub(crate) shares: bool,
    /// Everything that was met: PHP tells things apart by their addresses, so none must be used twice,
    /// and whether a reference is shared by its count.
    _kept: ZBox<ZendHashTable>,
}

/// Asks everything in `value` that decides itself what is serialized of it. *May bail out.*
///
/// # Errors
///
/// [`Failure::Serialization`] for a resource and for what can't be serialized, [`Failure::Thrown`] for
/// what code of the user throws.
pub(crate) fn settle(value: &Zval) -> Result<Settled, Failure> {
    let mut kept = ZendHashTable::new();
    let mut walk = Owned::new(Walk::default());
    // SAFETY: an argument of the call, or held by one.
    let value = unsafe { walk.plain(&mut kept, value.dereference(), false)? };
    while !walk.open.is_empty() {
        go_on()?;
        // SAFETY: only `open` makes open tables.
        unsafe { walk.step(&mut kept)? };
    }
    Ok(Settled {
        value,
        shares: walk.shares,
        _kept: kept,
    })
}

/// Where the copy is. The pointers are to what `kept` or the copy has a count on.
#[derive(Debug, Default)]
struct Walk {
    /// The tables that are copied, the innermost last.
    open: Vec<Open>,
    references: HashMap<*const zend_reference, Reference>,
    objects: HashMap<*const zend_object, *mut zend_object>,
    /// The arrays that can stand in more than one place and were copied: `None` for one that is in
    /// itself or has such a one in it, of which each copy may be different.
    arrays: Seen<Option<*mut HashTable>>,
    /// How often an array was met in itself.
    loops: usize,
    /// How often an array was copied anew.
    anew: usize,
    /// Whether an array stands in the copy more than once.
    shares: bool,
}

/// A table that is copied.
#[derive(Debug)]
struct Open {
    source: *const HashTable,
    next: u32,
    target: *mut HashTable,
    kind: Kind,
    /// Whether PHP notices this array when it meets it further in.
    noticed: bool,
    /// Whether it can stand in more than one place.
    shared: bool,
    /// How many loops had been met when it was opened.
    loops: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array,
    /// What `__serialize()` has returned, of an object that bears a name in its copy.
    Returned,
    /// The properties of an object that bears a name in its copy.
    Named,
    /// That of an object that was incomplete before.
    Incomplete,
}

impl Walk {
    /// Copies the next element of the innermost open table, or closes it.
    ///
    /// # Safety
    ///
    /// What [`open`](Self::open) says holds for every open table.
    unsafe fn step(&mut self, kept: &mut ZendHashTable) -> Result<(), Failure> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        // SAFETY: the contract.
        let mut places = Places::from(unsafe { &*open.source }, open.next);
        let place = places.next();
        open.next = places.position();
        let (target, kind) = (open.target, open.kind);
        let Some(place) = place else {
            if let Some(open) = self.open.pop().filter(|open| open.shared) {
                let whole = (open.loops == self.loops).then_some(open.target);
                self.arrays.set(open.source, whole);
            }
            return Ok(());
        };
        let (number, name) = (place.number, place.name);
        // SAFETY: by the contract the place is alive, and the slot that the entry of a declared property
        // refers to; so is the name, also when code of the user has run, as nobody changes the table.
        // The count of the copy goes to the target.
        unsafe {
            let value = slot_of(place.value);
            if kind_of(value) == IS_UNDEF {
                return Ok(());
            }
            if matches!(kind, Kind::Returned | Kind::Named)
                && name.as_ref().is_some_and(|name| name.as_bytes() == NAME)
            {
                return Err(Failure::serialization(
                    "an object in it gives something by the name __PHP_Incomplete_Class_Name, which \
                     PHP keeps for itself",
                ));
            }
            let mut copy = ManuallyDrop::new(self.place(kept, &*value)?);
            if name.is_null() {
                zend_hash_index_update(target, number, &raw mut *copy);
            } else {
                zend_hash_update(target, name, &raw mut *copy);
            }
        }
        Ok(())
    }

    /// Returns the copy of a value in the innermost table; of a reference as PHP takes it: one that
    /// nobody shares is none.
    ///
    /// # Safety
    ///
    /// `value` is alive at least until code of the user runs.
    unsafe fn place(&mut self, kept: &mut ZendHashTable, value: &Zval) -> Result<Zval, Failure> {
        if !value.is_reference() {
            if self.loops > 0 && self.is_in_itself(value)? {
                return Ok(Zval::null());
            }
            // SAFETY: the caller's.
            return unsafe { self.plain(kept, value, true) };
        }
        // SAFETY: a reference has a value and is alive as the caller says, and from when it is kept on
        // until the end. That of a copy is written before anybody reads it.
        unsafe {
            let reference = value.value.ref_;
            let target = &(*reference).val;
            if (*reference).gc.refcount == 1 {
                // Only such a reference closes a loop of arrays: one that is shared is met as itself.
                self.loops += usize::from(self.is_open(target));
                if self.loops > 0 && self.is_in_itself(target)? {
                    return Ok(Zval::null());
                }
                return self.plain(kept, target, true);
            }
            if let Some(known) = self.references.get(&reference.cast_const()) {
                return Ok(known.shared());
            }
            append(kept, value.shallow_clone());
            let copy = Reference::new();
            // It is shared, whether its others are in the value or not.
            append(kept, copy.shared());
            let shared = copy.shared();
            self.references.insert(reference, copy);
            let inner = ManuallyDrop::new(self.plain(kept, target, false)?);
            (&raw mut (*shared.value.ref_).val).write(ptr::read(&raw const *inner));
            Ok(shared)
        }
    }

    /// Returns whether `value` is an array that is being copied.
    fn is_open(&self, value: &Zval) -> bool {
        value.array().is_some_and(|array| {
            let mut arrays = self.open.iter().filter(|open| open.kind == Kind::Array);
            arrays.any(|open| ptr::eq(open.source, array))
        })
    }

    /// Returns whether `value`, in the innermost table, is an array for which PHP writes null because it
    /// is in itself.
    ///
    /// # Errors
    ///
    /// [`Failure::Serialization`] where PHP does not notice and goes on until there is no memory left.
    fn is_in_itself(&self, value: &Zval) -> Result<bool, Failure> {
        let (Some(array), Some(within)) = (value.array(), self.open.last()) else {
            return Ok(false);
        };
        if within.kind == Kind::Array && ptr::eq(within.source, array) {
            return Ok(true);
        }
        if cfg!(php84) && self.is_open(value) {
            return Err(Failure::serialization("it has an array in itself"));
        }
        let mut noticed = self.open.iter().filter(|open| open.noticed);
        Ok(within.kind != Kind::Returned && noticed.any(|open| ptr::eq(open.source, array)))
    }

    /// Returns the copy of a value that is no reference; `direct` if it is an element and not behind a
    /// reference that is shared.
    ///
    /// # Safety
    ///
    /// As [`place`](Self::place).
    unsafe fn plain(
        &mut self,
        kept: &mut ZendHashTable,
        value: &Zval,
        direct: bool,
    ) -> Result<Zval, Failure> {
        if value.is_resource() {
            return Err(Failure::resource());
        }
        if let Some(array) = value.array() {
            let shared = is_shared(array);
            if shared && let Some(copy) = self.copied(array)? {
                return Ok(copy);
            }
            append(kept, value.shallow_clone());
            let mut copy = Zval::new();
            copy.set_hashtable(list(array.len())?);
            // SAFETY: a table that was just made is the copy's alone, and the source was just kept.
            unsafe { self.open(array, copy.value.arr, Kind::Array, direct, shared) };
            return Ok(copy);
        }
        let Some(object) = value.object() else {
            return Ok(value.shallow_clone());
        };
        if let Some(known) = self.objects.get(&ptr::from_ref(object)) {
            // SAFETY: `kept` has a count on the copy.
            return Ok(unsafe { counted(*known) });
        }
        // SAFETY: the class of a live object.
        let class = unsafe { &*object.ce };
        if class.flags().contains(ClassFlags::NotSerializable) {
            return Err(Failure::Serialization(format!(
                "Serialization of '{}' is not allowed",
                class_name(class)
            )));
        }
        if class.flags().contains(ClassFlags::Enum) || decider(object) == Decider::Bytes {
            return Ok(value.shallow_clone());
        }
        // The place that it was found in may be gone when code of the user has run.
        let object: *const zend_object = object;
        let whole = value.shallow_clone();
        append(kept, whole.shallow_clone());
        let given = given(&whole, class)?;
        let source: *const HashTable = given.array().expect("BUG: given() gives an array");
        append(kept, given);
        let mut copy = Zval::new();
        // SAFETY: PHP has made this class of its own before ours, and makes objects of it. It counts
        // the name. The table of an object that was just made is its alone, and both are kept.
        unsafe {
            let incomplete = ptr::eq(class, php_ce_incomplete_class);
            object_init_ex(&raw mut copy, php_ce_incomplete_class);
            if !incomplete {
                php_store_class_name(&raw mut copy, class.name);
            }
            append(kept, copy.shallow_clone());
            self.objects.insert(object, copy.value.obj);
            let kind = match class.__serialize.is_null() {
                _ if incomplete => Kind::Incomplete,
                true => Kind::Named,
                false => Kind::Returned,
            };
            self.open(
                source,
                zend_std_get_properties(copy.value.obj),
                kind,
                false,
                false,
            );
        }
        Ok(copy)
    }

    /// Returns the copy of an array that was met before, where that is the same in every place.
    ///
    /// # Errors
    ///
    /// [`Failure::Serialization`] if arrays that are in themselves are copied anew too often.
    fn copied(&mut self, array: &HashTable) -> Result<Option<Zval>, Failure> {
        let copy = match self.arrays.get(array) {
            None => return Ok(None),
            Some(Some(copy)) => copy,
            Some(None) if self.anew < MOST_ANEW => {
                self.anew += 1;
                return Ok(None);
            }
            Some(None) => {
                return Err(Failure::Serialization(format!(
                    "it has an array in itself, in more than {MOST_ANEW} places"
                )));
            }
        };
        let mut zval = Zval::new();
        zval.value.arr = copy;
        zval.u1.type_info = IS_ARRAY_EX;
        self.shares = true;
        // SAFETY: the copy is complete and part of the whole, which is alive until the walk is over.
        unsafe { (*copy).gc.refcount += 1 };
        Ok(Some(zval))
    }

    /// Opens a table for [`step`](Self::step).
    ///
    /// # Safety
    ///
    /// `kept` has a count on `source`, which also keeps PHP from changing it in place, and on the object
    /// whose slots its entries refer to. `target` is part of the copy, where only this walk reaches it.
    unsafe fn open(
        &mut self,
        source: *const HashTable,
        target: *mut HashTable,
        kind: Kind,
        direct: bool,
        shared: bool,
    ) {
        let within = self.open.last().map(|open| open.kind);
        self.open.push(Open {
            source,
            next: 0,
            target,
            kind,
            noticed: direct && within.is_some_and(|within| within != Kind::Returned),
            shared,
            loops: self.loops,
        });
    }
}

/// A reference in the copy, on which `kept` has a count.
#[derive(Debug)]
struct Reference(*mut zend_reference);

impl Reference {
    /// Makes one to null. Its first count is that of the first [`shared`](Self::shared).
    fn new() -> Self {
        let mut made = ManuallyDrop::new(Zval::null());
        // SAFETY: the zval is ours; what it becomes stays counted.
        unsafe {
            tagcache_make_reference(&raw mut *made);
            (*made.value.ref_).gc.refcount = 0;
            Self(made.value.ref_)
        }
    }

    /// Returns a zval with a count of its own.
    ///
    /// # Safety
    ///
    /// The reference is alive: `kept` has a count, or nobody had one.
    unsafe fn shared(&self) -> Zval {
        let mut zval = Zval::new();
        zval.value.ref_ = self.0;
        zval.u1.type_info = IS_REFERENCE_EX;
        // SAFETY: the caller's.
        unsafe { (*self.0).gc.refcount += 1 };
        zval
    }
}

/// Returns a zval with a count of its own.
///
/// # Safety
///
/// The object is alive.
unsafe fn counted(object: *mut zend_object) -> Zval {
    let mut zval = Zval::new();
    // SAFETY: the caller's; only the count changes.
    zval.set_object(unsafe { &mut *object });
    zval
}
