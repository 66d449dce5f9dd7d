//! What pipelines and batches collect: commands, encoded, and what their replies will become.
//! No connection is involved.
//!
//! Both classes have the same methods for it, one for each command: [`METHODS`].

use std::cell::{Cell, RefCell};
use std::mem;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ExecuteData;
use tagcache_client::{Commands, TagMatch};

use crate::error::Failure;
use crate::ffi::{self, Call, Held, Instance, Owned, Values};
use crate::handle::HandleCell;
use crate::ops::encode::{self, ttl};
use crate::ops::{self, Answer, Count, Put};
use crate::scratch::{Buffers, Scratch};
use crate::signature::{
    BY, DEFAULT, Handler, ITEMS, KEY, KEYS, MODE, NO_TAGS, Param, TAG, TAGS, TTL, VALUE, declare,
};

/// One call that was made, and which commands are its.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// What the replies become.
    pub(crate) answer: Answer,
    /// The first command.
    pub(crate) first: usize,
    /// How many commands; a bulk call has many, one with nothing to do none.
    pub(crate) count: usize,
    /// The number of the held value that the call is about.
    pub(crate) about: usize,
    /// That of its default.
    pub(crate) default: Option<usize>,
}

/// The commands of a pipeline or batch.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    /// A handle of its own, with the options that the maker's had: closing that changes nothing.
    pub(crate) handle: HandleCell,
    commands: RefCell<Commands>,
    asked: RefCell<Vec<Asked>>,
    pub(crate) held: Held,
    /// Why nothing can be added any more.
    over: Cell<Option<&'static str>>,
}

/// All that was collected, taken out.
pub(crate) struct Collected {
    /// Buffers with the commands in them.
    pub(crate) scratch: Scratch,
    /// The calls, in order.
    pub(crate) asked: Owned<Vec<Asked>>,
    /// What they are about.
    pub(crate) held: Values,
}

impl Collector {
    /// Lets commands be collected with the options of `handle`.
    pub(crate) fn open(&self, handle: &HandleCell) -> Result<(), Failure> {
        handle.check()?;
        if let Ok(options) = handle.options() {
            self.handle.open(options);
        }
        Ok(())
    }

    /// Returns the number of calls.
    pub(crate) fn len(&self) -> usize {
        self.asked.borrow().len()
    }

    /// Returns call `n`.
    pub(crate) fn asked(&self, n: usize) -> Option<Asked> {
        self.asked.borrow().get(n).copied()
    }

    /// Ends the collecting: later calls fail with `why`. Returns the commands.
    pub(crate) fn finish(&self, why: &'static str) -> Commands {
        self.over.set(Some(why));
        self.commands.take()
    }

    /// Begins anew with what [`Collector::finish`] returned.
    pub(crate) fn resume(&self, commands: Commands) {
        self.over.set(None);
        self.commands.replace(commands);
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Result<Collected, Failure> {
        let mut scratch = ops::begin(&self.handle)?;
        mem::swap(&mut scratch.commands, &mut *self.commands.borrow_mut());
        Ok(Collected {
            scratch,
            asked: Owned::new(self.asked.take()),
            held: self.held.take(),
        })
    }

    /// Puts back what was taken a moment ago.
    pub(crate) fn put_back(&self, mut collected: Collected) {
        mem::swap(
            &mut collected.scratch.commands,
            &mut *self.commands.borrow_mut(),
        );
        self.asked.replace(collected.asked.into_inner());
        for value in collected.held.into_list() {
            self.held.push(value);
        }
    }

    fn check(&self) -> Result<(), Failure> {
        match self.over.get() {
            None => Ok(()),
            Some(why) => Err(Failure::Closed(why)),
        }
    }

    /// Adds the commands in `buffers` as one call; returns its number.
    fn add(
        &self,
        buffers: &Buffers,
        answer: Answer,
        about: Zval,
        default: Option<Zval>,
    ) -> Result<usize, Failure> {
        // Code of the user that ran since the first check may have ended the collecting.
        self.check()?;
        let mut commands = self.commands.borrow_mut();
        let first = commands.len();
        commands.append(&buffers.commands);
        let mut asked = self.asked.borrow_mut();
        asked.push(Asked {
            answer,
            first,
            count: commands.len() - first,
            about: self.held.push(about),
            default: default.map(|default| self.held.push(default)),
        });
        Ok(asked.len() - 1)
    }

    /// Encodes a call that is about its first argument, and adds it.
    fn ask(
        &self,
        call: &Call<'_>,
        answer: Answer,
        encode: impl FnOnce(&mut Buffers) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        let mut scratch = ops::begin(&self.handle)?;
        encode(&mut scratch)?;
        let about = call
            .optional_value(0)
            .map_or_else(Zval::null, Zval::shallow_clone);
        self.add(&scratch, answer, about, None)
    }

    /// As [`Collector::ask`], for many items, of which only the keys are kept.
    fn ask_items(
        &self,
        call: &Call<'_>,
        answer: Answer,
        encode: impl FnOnce(&mut Buffers, &ZendHashTable) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        let mut scratch = ops::begin(&self.handle)?;
        let items = call.array(0)?;
        let pinned = ffi::without_references(items);
        let items = pinned.as_deref().unwrap_or(items);
        encode(&mut scratch, items)?;
        let mut keys = Zval::new();
        keys.set_hashtable(encode::keys_of(items));
        self.add(&scratch, answer, keys, None)
    }
}

/// A class whose objects collect.
pub(crate) trait Collects: Instance {
    /// Returns what collects.
    fn collector(&self) -> &Collector;

    /// Sets what the method returns that has added call `n`. *May bail out.*
    fn added(&self, call: &Call<'_>, n: usize, result: &mut Zval);
}

/// A method that adds a call.
struct Method {
    name: &'static str,
    params: &'static [Param],
    collect: fn(&Call<'_>, &Collector) -> Result<usize, Failure>,
}

/// Adds the methods of all commands to `class`, each with the return type `returns`.
pub(crate) fn declare_all<T: Collects>(class: ClassBuilder, returns: DataType) -> ClassBuilder {
    METHODS
        .iter()
        .zip(entries::<T>())
        .fold(class, |class, (method, entry)| {
            let builder = declare(method.name, entry, method.params, Some(returns));
            class.method(builder, MethodFlags::Public)
        })
}

/// Returns the names of the methods that [`declare_all`] adds.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|method| method.name)
}

extern "C" fn entry<T: Collects, const N: usize>(frame: &mut ExecuteData, result: &mut Zval) {
    fn body<T: Collects>(
        collect: fn(&Call<'_>, &Collector) -> Result<usize, Failure>,
        call: &Call<'_>,
        result: &mut Zval,
    ) -> Result<(), Failure> {
        let this = T::class().this(call);
        this.collector().check()?;
        let n = collect(call, this.collector())?;
        this.added(call, n, result);
        Ok(())
    }
    ffi::handle(frame, result, |call, result| {
        if let Err(failure) = body::<T>(METHODS[N].collect, call, result) {
            failure.throw();
        }
    });
}

/// Defines [`METHODS`] and an entry point for each.
macro_rules! methods {
    ($($n:literal $name:literal [$($param:expr),*] |$call:ident, $to:ident| $body:expr;)*) => {
        const METHODS: &[Method] = &[$(
            Method {
                name: $name,
                params: &[$($param),*],
                collect: |$call, $to| $body,
            },
        )*];

        fn entries<T: Collects>() -> impl Iterator<Item = Handler> {
            [$(entry::<T, $n> as Handler),*].into_iter()
        }
    };
}

methods! {
    0 "set" [KEY, VALUE, NO_TAGS, TTL] |call, to| put(call, to, Put::Always);
    1 "add" [KEY, VALUE, NO_TAGS, TTL] |call, to| put(call, to, Put::IfAbsent);
    2 "get" [KEY, DEFAULT] |call, to| {
        let key = call.str(0)?;
        let mut scratch = ops::begin(&to.handle)?;
        encode::get(&mut scratch, key)?;
        let default = call.optional_value(1).map(Zval::shallow_clone);
        to.add(&scratch, Answer::Get, call.value(0).shallow_clone(), default)
    };
    3 "has" [KEY] |call, to| {
        let key = call.str(0)?;
        to.ask(call, Answer::Has, |buffers| encode::get(buffers, key))
    };
    4 "delete" [KEY] |call, to| {
        let key = call.str(0)?;
        to.ask(call, Answer::Delete, |buffers| encode::delete(buffers, key))
    };
    5 "increment" [KEY, BY, TTL, NO_TAGS] |call, to| count(call, to, Count::Up);
    6 "decrement" [KEY, BY, TTL, NO_TAGS] |call, to| count(call, to, Count::Down);
    7 "invalidateTag" [TAG] |call, to| {
        let tag = call.str(0)?;
        to.ask(call, Answer::Removed("INV_TAG"), |buffers| {
            encode::invalidate_tag(buffers, tag)
        })
    };
    8 "invalidateTags" [TAGS, MODE] |call, to| {
        let (tags, how) = (call.array(0)?, ops::mode(call, 1)?);
        to.ask(call, Answer::Removed(ops::verb(how)), |buffers| {
            encode::invalidate_tags(buffers, tags, how)
        })
    };
    9 "keysByTag" [TAG] |call, to| {
        let tag = call.str(0)?;
        to.ask(call, Answer::KeysByTag, |buffers| encode::keys_by_tag(buffers, tag))
    };
    10 "searchAny" [TAGS] |call, to| search(call, to, TagMatch::Any);
    11 "searchAll" [TAGS] |call, to| search(call, to, TagMatch::All);
    12 "mGet" [KEYS] |call, to| {
        let mut scratch = ops::begin(&to.handle)?;
        let keys = call.array(0)?;
        // The caller may change what a reference refers to, but not this.
        let about = match ffi::without_references(keys) {
            None => call.value(0).shallow_clone(),
            Some(pinned) => pinned.into_zval(false).map_err(|_| Failure::Thrown)?,
        };
        encode::get_many(&mut scratch, about.array().unwrap_or(keys))?;
        to.add(&scratch, Answer::GetMany, about, None)
    };
    13 "mSet" [ITEMS, TTL, NO_TAGS] |call, to| {
        let (ttl, tags) = (ttl(call.optional_long(1)?)?, call.optional_array(2)?);
        to.ask_items(call, Answer::PutMany, |buffers, items| {
            encode::put_many(buffers, items, tags, ttl, Put::Always)
        })
    };
    14 "mSetItems" [ITEMS] |call, to| to.ask_items(call, Answer::PutMany, encode::put_items);
    15 "mAdd" [ITEMS, TTL, NO_TAGS] |call, to| {
        let (ttl, tags) = (ttl(call.optional_long(1)?)?, call.optional_array(2)?);
        to.ask_items(call, Answer::AddMany, |buffers, items| {
            encode::put_many(buffers, items, tags, ttl, Put::IfAbsent)
        })
    };
    16 "mDelete" [KEYS] |call, to| {
        let keys = call.array(0)?;
        to.ask(call, Answer::DeleteMany, |buffers| encode::delete_many(buffers, keys))
    };
    17 "stats" [] |call, to| {
        to.ask(call, Answer::Stats, |buffers| {
            encode::stats(buffers);
            Ok(())
        })
    };
    18 "flush" [] |call, to| {
        to.ask(call, Answer::Removed("FLUSH"), |buffers| {
            encode::flush(buffers);
            Ok(())
        })
    };
}

fn put(call: &Call<'_>, to: &Collector, how: Put) -> Result<usize, Failure> {
    let (key, value) = (call.str(0)?, call.value(1));
    let tags = call.optional_array(2)?;
    let ttl = ttl(call.optional_long(3)?)?;
    to.ask(call, Answer::Put(how), |buffers| {
        encode::put(buffers, key, value, tags, ttl, how)
    })
}

fn count(call: &Call<'_>, to: &Collector, direction: Count) -> Result<usize, Failure> {
    let key = call.str(0)?;
    let by = if call.has(1) { call.long(1)? } else { 1 };
    let ttl = ttl(call.optional_long(2)?)?;
    let tags = call.optional_array(3)?;
    to.ask(call, Answer::Count(direction), |buffers| {
        encode::count(buffers, key, by, ttl, tags, direction)
    })
}

fn search(call: &Call<'_>, to: &Collector, how: TagMatch) -> Result<usize, Failure> {
    let tags = call.array(0)?;
    to.ask(call, Answer::Search(how), |buffers| {
        encode::search(buffers, tags)
    })
}
