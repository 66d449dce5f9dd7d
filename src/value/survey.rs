//! What is in a value, looked at before a serializer gets it: whatever would not come back as it
//! is must be refused before anything is written.

use std::collections::HashSet;
use std::ptr;

use ext_php_rs::types::Zval;

use crate::error::Failure;
use crate::ffi::{self, Items, Key};

/// Which objects a serializer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objects {
    /// Any that PHP says can be serialized.
    All,
    /// Those of classes that leave it to the serializer, except enums.
    Plain,
    /// None.
    None,
}

/// What a serializer takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Its name.
    pub(super) serializer: &'static str,
    /// Whether two places may share a reference.
    pub(super) references: bool,
    /// Which objects.
    pub(super) objects: Objects,
    /// Whether strings must be UTF-8 and floats finite.
    pub(super) text: bool,
    /// How deep arrays and objects may be nested.
    pub(super) depth: usize,
}

impl Limits {
    /// Anything but resources, for which `serialize()` would write the integer 0.
    pub(super) const NO_RESOURCES: Self = Self {
        serializer: "php",
        references: true,
        objects: Objects::All,
        text: false,
        depth: usize::MAX,
    };
}

/// Refuses a value that has something in it that `limits` does not let pass. What code of the user
/// will give (`__serialize()`, `__sleep()`) is not known here. Runs no code of PHP.
///
/// # Errors
///
/// [`Failure::Serialization`] that names what it is.
pub(super) fn check(value: &Zval, limits: &Limits) -> Result<(), Failure> {
    // References and objects can lead in a circle, so what they lead to is noted.
    let mut references: HashSet<*const Zval> = HashSet::new();
    let mut objects = HashSet::new();
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        let target = value.dereference();
        if value.is_reference() && !references.insert(ptr::from_ref(target)) {
            if !limits.references {
                return Err(refuse(limits, "a reference to what is elsewhere in it"));
            }
            continue;
        }
        if target.is_resource() {
            return Err(Failure::serialization(
                "a resource (an open file, a stream, a curl handle) can't be stored; store what it \
                 was made from",
            ));
        }
        if limits.text {
            check_text(target, limits)?;
        }
        if let Some(array) = target.array() {
            if depth >= limits.depth {
                return Err(too_deep(limits));
            }
            if limits.text {
                for (key, _) in Items::of(array) {
                    if let Some(Key::Str(key)) = Key::from_zval(&key)
                        && std::str::from_utf8(key).is_err()
                    {
                        return Err(refuse(limits, "a key that is not valid UTF-8"));
                    }
                }
            }
            ffi::elements(array, |value| open.push((value, depth + 1)));
        } else if let Some(object) = target.object() {
            let fits = match limits.objects {
                Objects::All => true,
                Objects::Plain => ffi::is_plain(object),
                Objects::None => false,
            };
            if !fits {
                return Err(refuse(limits, &ffi::class_named(object)));
            }
            if objects.insert(ptr::from_ref(object)) {
                if depth >= limits.depth {
                    return Err(too_deep(limits));
                }
                ffi::properties(object, |value| open.push((value, depth + 1)));
            }
        }
    }
    Ok(())
}

fn check_text(value: &Zval, limits: &Limits) -> Result<(), Failure> {
    if let Some(text) = value.zend_str() {
        if std::str::from_utf8(text.as_bytes()).is_err() {
            return Err(refuse(limits, "a string that is not valid UTF-8"));
        }
    } else if let Some(number) = value.double()
        && !number.is_finite()
    {
        return Err(refuse(limits, "NAN or INF"));
    }
    Ok(())
}

fn refuse(limits: &Limits, what: &str) -> Failure {
    Failure::Serialization(format!(
        "the serializer '{}' can't give back {what}; the serializers 'php' and 'igbinary' can",
        limits.serializer
    ))
}

fn too_deep(limits: &Limits) -> Failure {
    Failure::Serialization(format!(
        "it is nested deeper than {} levels, which is what the serializer '{}' takes",
        limits.depth, limits.serializer
    ))
}

/// Names the kind of a value for messages.
pub(super) fn kind(value: &Zval) -> String {
    if let Some(object) = value.object() {
        ffi::class_named(object)
    } else if value.is_array() {
        "an array".to_owned()
    } else {
        "a resource".to_owned()
    }
}
