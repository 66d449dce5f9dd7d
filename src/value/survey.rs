//! What is in a value, looked at before a serializer gets it: whatever would not come back as it
//! is must be refused before anything is written.

use std::collections::HashSet;
use std::ptr;

use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};

use crate::error::Failure;
use crate::ffi::{self, Decider, Items, Key, Node};

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
    /// Whether an array may be an element of itself, by a reference that nothing else shares.
    pub(super) itself: bool,
}

impl Limits {
    /// Anything but resources, for which `serialize()` would write the integer 0.
    pub(super) const NO_RESOURCES: Self = Self {
        serializer: "php",
        references: true,
        objects: Objects::All,
        text: false,
        depth: usize::MAX,
        itself: true,
    };
}

/// Refuses a value that has something in it that `limits` does not let pass; returns whether code of
/// the user decides what else is (`__serialize()`, `__sleep()`), which is not known here. Runs no code
/// of PHP.
///
/// # Errors
///
/// [`Failure::Serialization`] that names what it is.
pub(super) fn check(value: &Zval, limits: &Limits) -> Result<bool, Failure> {
    let mut survey = Survey {
        whole: value,
        limits,
        references: HashSet::new(),
        objects: HashSet::new(),
        open: Vec::new(),
        user_decides: false,
    };
    survey.look(value, 0)?;
    while let Some((node, depth)) = survey.open.pop() {
        survey.enter(node, depth)?;
    }
    Ok(survey.user_decides)
}

/// Everything in the value is alive until the survey is over, since no code runs that could end it;
/// the place where it was found need not be.
struct Survey<'a> {
    whole: &'a Zval,
    limits: &'a Limits,
    /// References and objects can lead in a circle, so what they lead to is noted.
    references: HashSet<*const Zval>,
    objects: HashSet<*const ZendObject>,
    /// What has to be entered, and how deep it lies.
    open: Vec<(Node<'a>, usize)>,
    user_decides: bool,
}

impl<'a> Survey<'a> {
    /// Checks a value by itself and notes what has to be entered.
    fn look(&mut self, value: &Zval, depth: usize) -> Result<(), Failure> {
        let target = value.dereference();
        if value.is_reference() && !self.references.insert(ptr::from_ref(target)) {
            return if self.limits.references {
                Ok(())
            } else {
                Err(refuse(
                    self.limits,
                    "a reference to what is elsewhere in it",
                ))
            };
        }
        if target.is_resource() {
            return Err(Failure::resource());
        }
        if self.limits.text {
            check_text(target, self.limits)?;
        }
        if let Some(node) = Node::of(target, self.whole) {
            self.open.push((node, depth));
        }
        Ok(())
    }

    /// Checks what is in an array or object.
    fn enter(&mut self, node: Node<'a>, depth: usize) -> Result<(), Failure> {
        let limits = self.limits;
        let mut done = Ok(());
        match node {
            Node::Array(array) => {
                if depth >= limits.depth {
                    return Err(too_deep(limits));
                }
                if limits.text {
                    check_keys(array, limits)?;
                }
                ffi::elements(array, |value| {
                    if !limits.itself && ffi::refers_alone_to(value, array) {
                        done = Err(refuse(limits, "an array in itself"));
                    }
                    self.look_on(&mut done, value, depth + 1);
                });
            }
            Node::Object(object) => {
                let fits = match limits.objects {
                    Objects::All => true,
                    Objects::Plain => ffi::is_plain(object),
                    Objects::None => false,
                };
                if !fits && ffi::is_serializable(object) {
                    return Err(refuse(limits, &ffi::class_named(object)));
                }
                if !fits {
                    return Err(Failure::Serialization(format!(
                        "PHP lets nothing serialize {}",
                        ffi::class_named(object)
                    )));
                }
                if !self.objects.insert(ptr::from_ref(object)) {
                    return Ok(());
                }
                if depth >= limits.depth {
                    return Err(too_deep(limits));
                }
                let decider = ffi::properties(object, |value| {
                    self.look_on(&mut done, value, depth + 1);
                });
                self.user_decides |= decider == Decider::User;
            }
        }
        done
    }

    /// As [`look`](Self::look), unless something was refused before.
    fn look_on(&mut self, done: &mut Result<(), Failure>, value: &Zval, depth: usize) {
        if done.is_ok() {
            *done = self.look(value, depth);
        }
    }
}

fn check_keys(array: &ZendHashTable, limits: &Limits) -> Result<(), Failure> {
    for (key, _) in Items::of(array) {
        if let Some(Key::Str(key)) = Key::from_zval(&key)
            && std::str::from_utf8(key).is_err()
        {
            return Err(refuse(limits, "a key that is not valid UTF-8"));
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
    let others = match limits.serializer {
        "igbinary" => "the serializer 'php' can",
        _ => "the serializers 'php' and 'igbinary' can",
    };
    Failure::Serialization(format!(
        "the serializer '{}' can't give back {what}; {others}",
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
