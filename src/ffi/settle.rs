//! What `__serialize()` and `__sleep()` will give, known before PHP's serializer writes it.
//!
//! PHP asks them while it writes, and writes the integer 0 for a resource in what they give. So they
//! are asked here, once and in the order in which PHP would, and PHP gets a copy of the value in which
//! each object is a `__PHP_Incomplete_Class` that holds what was given. For such an object PHP writes
//! the name that it bears and what it holds, which makes the bytes that the object itself would have
//! become. Who shares an object or a reference in the value shares its stand-in in the copy.
//!
//! What is not asked for here stays as it is: enums, and classes of the old interface `Serializable`,
//! which give bytes.

use std::collections::HashMap;
use std::ffi::{c_char, c_int};
use std::mem::ManuallyDrop;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi::{
    E_NOTICE, E_WARNING, GC_IMMUTABLE, HashTable, IS_ARRAY_EX, IS_INDIRECT, IS_REFERENCE_EX,
    IS_UNDEF, php_error_docref, zend_call_known_function, zend_class_entry, zend_function,
    zend_hash_find, zend_hash_index_update, zend_hash_update, zend_object, zend_reference,
    zend_string,
};
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::{BailoutGuard, ClassEntry};

use super::array::Places;
use super::inside::{Decider, class_name, decider, method};
use super::{append, exception_is_pending, go_on, list, string, values};
use crate::error::Failure;

/// The property by which an incomplete object bears its name.
const NAME: &[u8] = b"__PHP_Incomplete_Class_Name";
/// How grave PHP finds it that `__sleep()` names something twice.
const TWICE: u32 = if cfg!(php83) { E_WARNING } else { E_NOTICE };
/// What PHP is told the properties are wanted for (ZEND_PROP_PURPOSE_SERIALIZE).
const TO_SERIALIZE: c_int = 2;

unsafe extern "C" {
    static php_ce_incomplete_class: *mut zend_class_entry;
    fn php_store_class_name(object: *mut Zval, name: *mut zend_string);
    fn object_init_ex(object: *mut Zval, class: *mut zend_class_entry) -> c_int;
    fn zend_std_get_properties(object: *mut zend_object) -> *mut HashTable;
    fn zend_get_properties_for(object: *mut Zval, purpose: c_int) -> *mut HashTable;
    fn zend_type_error(format: *const c_char, ...);
    fn tagcache_make_reference(value: *mut Zval);
    fn tagcache_slot_is_typed(object: *mut zend_object, slot: *mut Zval) -> bool;
}

/// A value for PHP's serializer.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The copy.
    pub(crate) value: Zval,
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
    let mut walk = BailoutGuard::new(Walk::default());
    // SAFETY: an argument of the call, or held by one.
    let value = unsafe { walk.get_mut().plain(&mut kept, value.dereference())? };
    while !walk.get().open.is_empty() {
        go_on()?;
        // SAFETY: only `open` makes open tables.
        unsafe { walk.get_mut().step(&mut kept)? };
    }
    Ok(Settled { value, _kept: kept })
}

/// Where the copy is. The pointers are to what `kept` or the copy has a count on.
#[derive(Debug, Default)]
struct Walk {
    /// The tables that are copied, the innermost last.
    open: Vec<Open>,
    references: HashMap<*const zend_reference, Reference>,
    objects: HashMap<*const zend_object, *mut zend_object>,
}

/// A table that is copied.
#[derive(Debug)]
struct Open {
    source: *const HashTable,
    next: u32,
    target: *mut HashTable,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array,
    /// What is given of an object that bears a name in its copy.
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
        let (source, target, kind) = (open.source, open.target, open.kind);
        let Some(place) = place else {
            self.open.pop();
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
            if kind == Kind::Named && name.as_ref().is_some_and(|name| name.as_bytes() == NAME) {
                return Err(Failure::serialization(
                    "an object in it gives something by the name __PHP_Incomplete_Class_Name, which \
                     PHP keeps for itself",
                ));
            }
            let within = (kind == Kind::Array).then_some(source);
            let mut copy = ManuallyDrop::new(self.place(kept, &*value, within)?);
            if name.is_null() {
                zend_hash_index_update(target, number, &raw mut *copy);
            } else {
                zend_hash_update(target, name, &raw mut *copy);
            }
        }
        Ok(())
    }

    /// Returns the copy of a value in a table; of a reference as PHP takes it: one that nobody shares
    /// is none. `within` is the array that it stands in: for that in itself PHP writes null.
    ///
    /// # Safety
    ///
    /// `value` is alive at least until code of the user runs.
    unsafe fn place(
        &mut self,
        kept: &mut ZendHashTable,
        value: &Zval,
        within: Option<*const HashTable>,
    ) -> Result<Zval, Failure> {
        if !value.is_reference() {
            // SAFETY: the caller's.
            return unsafe { self.plain(kept, value) };
        }
        // SAFETY: a reference has a value and is alive as the caller says, and from when it is kept on
        // until the end. That of a copy is written before anybody reads it.
        unsafe {
            let reference = value.value.ref_;
            let target = &*(&raw const (*reference).val);
            if (*reference).gc.refcount == 1 {
                if within
                    .is_some_and(|within| target.is_array() && ptr::eq(target.value.arr, within))
                {
                    return Ok(Zval::null());
                }
                return self.plain(kept, target);
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
            let inner = ManuallyDrop::new(self.plain(kept, target)?);
            (&raw mut (*shared.value.ref_).val).write(ptr::read(&raw const *inner));
            Ok(shared)
        }
    }

    /// Returns the copy of a value that is no reference.
    ///
    /// # Safety
    ///
    /// As [`place`](Self::place).
    unsafe fn plain(&mut self, kept: &mut ZendHashTable, value: &Zval) -> Result<Zval, Failure> {
        if value.is_resource() {
            return Err(Failure::resource());
        }
        if let Some(array) = value.array() {
            append(kept, value.shallow_clone());
            let mut copy = Zval::new();
            copy.set_hashtable(list(array.len())?);
            // SAFETY: a table that was just made is the copy's alone, and the source was just kept.
            unsafe { self.open(array, copy.value.arr, Kind::Array) };
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
            let kind = if incomplete {
                Kind::Incomplete
            } else {
                Kind::Named
            };
            self.open(source, zend_std_get_properties(copy.value.obj), kind);
        }
        Ok(copy)
    }

    /// Opens a table for [`step`](Self::step).
    ///
    /// # Safety
    ///
    /// `kept` has a count on `source`, which also keeps PHP from changing it in place, and on the object
    /// whose slots its entries refer to. `target` is part of the copy, where only this walk reaches it.
    unsafe fn open(&mut self, source: *const HashTable, target: *mut HashTable, kind: Kind) {
        self.open.push(Open {
            source,
            next: 0,
            target,
            kind,
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

/// Returns what an entry of a table stands for: a slot, or itself.
///
/// # Safety
///
/// The entry is alive.
unsafe fn slot_of(entry: *const Zval) -> *const Zval {
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
unsafe fn kind_of(value: *const Zval) -> u32 {
    // SAFETY: the caller's; every view of the type holds its first byte.
    unsafe { u32::from((*value).u1.v.type_) }
}

/// Returns what PHP would write of the object in `whole`, as an array, whose entries may refer to its
/// slots.
fn given(whole: &Zval, class: &ClassEntry) -> Result<Zval, Failure> {
    if !class.__serialize.is_null() {
        let given = call(whole, class.__serialize)?;
        if given.is_array() {
            return Ok(given);
        }
        // SAFETY: throws; the one conversion takes the name of a live class, which ends with a NUL.
        unsafe {
            zend_type_error(
                c"%s::__serialize() must return an array".as_ptr(),
                (*class.name).val.as_ptr(),
            );
        }
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
    if exception_is_pending() {
        return Err(Failure::Thrown);
    }
    if result.is_reference() {
        result = result.dereference().shallow_clone();
    }
    Ok(result)
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
        let full = string(BailoutGuard::new(form.concat()).get())?;
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
