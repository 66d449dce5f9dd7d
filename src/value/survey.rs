//! What is in a value, looked at before a serializer gets it: whatever would not come back as it
//! is must be refused before anything is written.
//!
//! A value may hold the same array in many places, which costs PHP nothing, and a serializer writes
//! most of them again for each place: a few nested ones, each with two places, make more bytes than
//! there is memory. Here each array is entered once. What it comes to wherever else it stands is noted,
//! so that the survey takes as long as the value is large in memory, and tells how large it gets.

use std::mem;

use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};

use crate::error::Failure;
use crate::ffi::{self, Decider, Items, Key, Node};
use crate::seen::Seen;

/// More bytes no handle reads: the ranges of `max_reply_bytes` and `max_decompressed_bytes` end here.
const LARGEST: u64 = 1 << 30;

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

/// The fewest bytes that a serializer writes, without those of strings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    /// For the key of an element.
    pub(super) key: u64,
    /// For what is no array, also for an object or a reference that it has written before.
    pub(super) value: u64,
    /// For an array without its elements.
    pub(super) array: u64,
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
    /// What it writes at least; `None` if it writes an array once, wherever it stands.
    pub(super) least: Option<Least>,
}

impl Limits {
    /// Anything but resources, for which `serialize()` would write the integer 0.
    pub(super) const PHP: Self = Self {
        serializer: "php",
        references: true,
        objects: Objects::All,
        text: false,
        depth: usize::MAX,
        itself: true,
        // i:0; N; a:0:{}
        least: Some(Least {
            key: 4,
            value: 2,
            array: 6,
        }),
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
        least: limits.least.unwrap_or(Least {
            key: 0,
            value: 0,
            array: 0,
        }),
        seen: Seen::default(),
        open: Vec::new(),
        within: Vec::new(),
        size: 0,
        user_decides: false,
    };
    survey.run(value)?;
    if limits.least.is_some() && survey.size > LARGEST {
        return Err(too_large(limits));
    }
    Ok(survey.user_decides)
}

/// Everything in the value is alive until the survey is over, since no code runs that could end it;
/// the place where it was found need not be.
struct Survey<'a> {
    whole: &'a Zval,
    limits: &'a Limits,
    least: Least,
    /// References and objects, and arrays that stand in more than one place.
    seen: Seen<Note>,
    /// What has to be entered.
    open: Vec<Child<'a>>,
    /// What was entered, the outermost first, without the innermost.
    within: Vec<Entered<'a>>,
    /// The fewest bytes that all of it takes.
    size: u64,
    user_decides: bool,
}

/// What was found in an array or object.
#[derive(Clone, Copy)]
struct Child<'a> {
    node: Node<'a>,
    /// Whether a reference led to it, which stands for it wherever else its array does.
    referred: bool,
}

/// An array or object whose content is looked at.
struct Entered<'a> {
    child: Child<'a>,
    /// How deep it lies.
    depth: usize,
    /// Where in `open` its children begin.
    children: usize,
    /// What was counted of it up to now.
    again: Again,
}

/// What an array comes to where it stands once more. Objects and shared references that are in it
/// are then written by their numbers only.
#[derive(Clone, Copy, Debug, Default)]
struct Again {
    /// The fewest bytes.
    size: u64,
    /// How many levels of arrays it has.
    levels: u32,
    /// Whether there are references in it.
    references: bool,
}

/// What is known of something that was met before.
#[derive(Clone, Copy, Debug, Default)]
enum Note {
    /// A reference or an object, or an array that is being looked at.
    #[default]
    Met,
    /// An array.
    Known(Again),
}

impl Again {
    /// Counts `bytes`.
    fn count(&mut self, bytes: u64) {
        self.size = self.size.saturating_add(bytes);
    }

    /// Counts an array that is in this one, or a reference that leads to it.
    fn add(&mut self, inner: Self, referred: bool, least: Least) {
        self.count(if referred { least.value } else { inner.size });
        self.levels = self.levels.max(inner.levels);
        self.references |= inner.references;
    }
}

impl<'a> Survey<'a> {
    fn run(&mut self, value: &Zval) -> Result<(), Failure> {
        let mut again = Again::default();
        let Some(node) = Node::of(value, self.whole) else {
            return self.look(value, &mut again);
        };
        let root = Child {
            node,
            referred: false,
        };
        let Some(mut inner) = self.enter(root, 0, &mut again)? else {
            return Ok(());
        };
        loop {
            if self.open.len() > inner.children {
                let child = self.open.pop().expect("BUG: it has more than none");
                if let Some(entered) = self.enter(child, inner.depth + 1, &mut inner.again)? {
                    self.within.push(mem::replace(&mut inner, entered));
                }
                continue;
            }
            let Some(outer) = self.within.pop() else {
                return Ok(());
            };
            let left = mem::replace(&mut inner, outer);
            self.leave(&left, &mut inner.again);
        }
    }

    /// Notes what an array comes to, all of which has been looked at, and counts it in the one that it
    /// is in.
    fn leave(&mut self, left: &Entered<'_>, within: &mut Again) {
        let Node::Array(array) = left.child.node else {
            return;
        };
        let again = Again {
            levels: left.again.levels.saturating_add(1),
            ..left.again
        };
        if ffi::is_shared(array) {
            self.seen.set(array, Note::Known(again));
        }
        within.add(again, left.child.referred, self.least);
    }

    /// Checks a value by itself, counts it, and notes it if it has to be entered.
    #[inline]
    fn look(&mut self, value: &Zval, within: &mut Again) -> Result<(), Failure> {
        let target = value.dereference();
        let referred = value.is_reference();
        if referred {
            within.references = true;
            if self.seen.get(target).is_some() {
                return self.met_again(within);
            }
            self.seen.set(target, Note::Met);
        }
        if target.is_resource() {
            return Err(Failure::resource());
        }
        if self.limits.text {
            check_text(target, self.limits)?;
        }
        if let Some(node) = Node::of(target, self.whole) {
            self.open.push(Child { node, referred });
            return Ok(());
        }
        let text = target.zend_str().map_or(0, |text| text.as_bytes().len());
        within.size += self.least.value;
        if referred {
            self.count(text as u64);
        } else {
            within.size += text as u64;
        }
        Ok(())
    }

    /// Checks and counts what is in an array or object of which `within` is made. Returns it if that
    /// has to be entered; not what was met before.
    fn enter(
        &mut self,
        child: Child<'a>,
        depth: usize,
        within: &mut Again,
    ) -> Result<Option<Entered<'a>>, Failure> {
        let mut entered = Entered {
            child,
            depth,
            children: self.open.len(),
            again: Again::default(),
        };
        match child.node {
            Node::Array(array) => {
                if ffi::is_shared(array) {
                    match self.seen.get(array) {
                        None => {}
                        Some(Note::Met) => {
                            within.references = true;
                            self.count(self.least.value);
                            return self.met_again(within).map(|()| None);
                        }
                        Some(Note::Known(again)) => {
                            if again.references && !self.limits.references {
                                return Err(elsewhere(self.limits));
                            }
                            if depth + again.levels as usize > self.limits.depth {
                                return Err(too_deep(self.limits));
                            }
                            self.count(again.size);
                            within.add(again, child.referred, self.least);
                            return Ok(None);
                        }
                    }
                }
                self.elements(array, &mut entered)?;
            }
            Node::Object(object) => {
                self.count(self.least.value);
                within.count(self.least.value);
                if self.seen.get(object).is_some() {
                    return Ok(None);
                }
                self.seen.set(object, Note::Met);
                self.properties(object, &mut entered)?;
            }
        }
        if self.open.len() > entered.children {
            if let Node::Array(array) = child.node
                && ffi::is_shared(array)
            {
                self.seen.set(array, Note::Met);
            }
            return Ok(Some(entered));
        }
        self.leave(&entered, within);
        Ok(None)
    }

    /// Looks at the elements of an array.
    fn elements(
        &mut self,
        array: &'a ZendHashTable,
        entered: &mut Entered<'a>,
    ) -> Result<(), Failure> {
        let limits = self.limits;
        if entered.depth >= limits.depth {
            return Err(too_deep(limits));
        }
        if limits.text {
            check_keys(array, limits)?;
        }
        entered.again.size = self.least.array + self.least.key * array.len() as u64;
        for value in ffi::values(array) {
            if !limits.itself && ffi::refers_alone_to(value, array) {
                return Err(refuse(limits, "an array in itself"));
            }
            self.look(value, &mut entered.again)?;
        }
        self.count(entered.again.size);
        Ok(())
    }

    /// Looks at the properties of an object, or what else it holds.
    fn properties(
        &mut self,
        object: &ZendObject,
        entered: &mut Entered<'a>,
    ) -> Result<(), Failure> {
        let limits = self.limits;
        let fits = match limits.objects {
            Objects::All => true,
            Objects::Plain => ffi::is_plain(object),
            Objects::None => false,
        };
        if !fits {
            let named = ffi::class_named(object);
            return Err(if ffi::is_serializable(object) {
                refuse(limits, &named)
            } else {
                Failure::Serialization(format!("PHP lets nothing serialize {named}"))
            });
        }
        if entered.depth >= limits.depth {
            return Err(too_deep(limits));
        }
        let mut done = Ok(());
        let decider = ffi::properties(object, |value| {
            if done.is_ok() {
                done = self.look(value, &mut entered.again);
            }
        });
        self.user_decides |= decider == Decider::User;
        self.count(entered.again.size);
        done
    }

    /// Counts a reference that was met before, or an array that is in itself by one.
    fn met_again(&self, within: &mut Again) -> Result<(), Failure> {
        if !self.limits.references {
            return Err(elsewhere(self.limits));
        }
        within.count(self.least.value);
        Ok(())
    }

    fn count(&mut self, bytes: u64) {
        self.size = self.size.saturating_add(bytes);
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

fn elsewhere(limits: &Limits) -> Failure {
    refuse(limits, "a reference to what is elsewhere in it")
}

fn too_large(limits: &Limits) -> Failure {
    Failure::Serialization(format!(
        "it would take more than 1 GiB, which no handle reads: the serializer '{}' writes an array as \
         often as it stands in it; 'igbinary' writes it once",
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
