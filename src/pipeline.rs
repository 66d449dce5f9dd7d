//! Class `TagCache\Pipeline`: collects commands, sends them in one exchange, and collects anew.

use std::cell::Cell;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::error::Result as BindingResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::{ExecuteData, ce};
use tagcache_client::Error;

use crate::collect::{self, Asked, Collected, Collector, Collects};
use crate::error::Failure;
use crate::ffi::{self, Call, Class, Held, Instance};
use crate::handle::HandleCell;
use crate::signature::declare;

static CLASS: Class<Pipeline> = Class::unregistered();

/// What an object of the class holds.
#[derive(Debug, Default)]
pub(crate) struct Pipeline {
    collector: Collector,
    /// Whether the callable of `pipeline()` fills it just now.
    filling: Cell<bool>,
}

const FILLING: &str = "execute() within the callable of pipeline() would take the results from it: leave it out, \
     pipeline() executes what was added when the callable returns";

impl Instance for Pipeline {
    fn class() -> &'static Class<Self> {
        &CLASS
    }

    fn held(&self) -> &Held {
        &self.collector.held
    }
}

impl Collects for Pipeline {
    fn collector(&self) -> &Collector {
        &self.collector
    }

    fn added(&self, call: &Call<'_>, _n: usize, result: &mut Zval) {
        *result = ffi::this(call);
    }
}

/// Registers the class. For MINIT.
///
/// # Errors
///
/// What the binding says when PHP refuses it.
pub(crate) fn register() -> BindingResult<()> {
    let class = ClassBuilder::new("TagCache\\Pipeline")
        .flags(ClassFlags::Final | ClassFlags::NoDynamicProperties)
        .implements((ce::countable, "Countable"));
    let class = collect::declare_all::<Pipeline>(class, DataType::Mixed);
    [
        declare("execute", execute, &[], Some(DataType::Array)),
        declare("discard", discard, &[], Some(DataType::Mixed)),
        declare("count", count, &[], Some(DataType::Long)),
    ]
    .into_iter()
    .fold(class, |class, method| {
        class.method(method, MethodFlags::Public)
    })
    .registration(|class, infos| {
        CLASS.install(class);
        ffi::keep(infos);
    })
    .register()?;
    for name in collect::names().chain(["discard"]) {
        ffi::patch(
            Some(CLASS.entry()),
            &name.to_ascii_lowercase(),
            None,
            ffi::STATIC,
        );
    }
    Ok(())
}

/// Makes a pipeline for `handle` in `into`; with `fill`, lets that fill it, and puts the results
/// in its place. *May bail out.*
pub(crate) fn make(
    handle: &HandleCell,
    fill: Option<&Zval>,
    into: &mut Zval,
) -> Result<(), Failure> {
    handle.check()?;
    let mut object = Zval::new();
    CLASS.make(&mut object).collector.open(handle)?;
    if let Some(fill) = fill {
        let pipeline = CLASS.state(&object).expect("BUG: the object was just made");
        pipeline.filling.set(true);
        let filled = ffi::call_with(fill, &object);
        pipeline.filling.set(false);
        filled?;
        into.set_hashtable(run(&pipeline.collector)?);
    } else {
        *into = object;
    }
    Ok(())
}

extern "C" fn execute(frame: &mut ExecuteData, result: &mut Zval) {
    ffi::handle(frame, result, |call, result| {
        let pipeline = CLASS.this(call);
        if pipeline.filling.get() {
            return Failure::Invalid(FILLING.to_owned()).throw();
        }
        match run(&pipeline.collector) {
            Ok(results) => result.set_hashtable(results),
            Err(failure) => failure.throw(),
        }
    });
}

extern "C" fn discard(frame: &mut ExecuteData, result: &mut Zval) {
    ffi::handle(frame, result, |call, result| {
        match CLASS.this(call).collector.take() {
            Ok(_) => *result = ffi::this(call),
            Err(failure) => failure.throw(),
        }
    });
}

extern "C" fn count(frame: &mut ExecuteData, result: &mut Zval) {
    ffi::handle(frame, result, |call, result| {
        result.set_long(i64::try_from(CLASS.this(call).collector.len()).unwrap_or(i64::MAX));
    });
}

/// Sends what was collected and makes the results. From here on the pipeline is empty, and code
/// of the user that runs while values are made can fill it anew. If nothing could be sent, all
/// stays as it was.
fn run(collector: &Collector) -> Result<ZBox<ZendHashTable>, Failure> {
    let mut collected = collector.take()?;
    let lost = match collector.handle.call(&mut collected.scratch) {
        Ok(()) => None,
        Err(failure) if failure.is_before_sending() => {
            collector.put_back(collected);
            return Err(failure);
        }
        Err(Failure::Client(error)) => Some(Lost::of(&collected, &error)?),
        Err(failure) => return Err(failure),
    };
    results(&collected, lost.as_ref())
}

/// The exceptions of what was not answered.
struct Lost {
    /// Of a call of which a part was answered and the rest never sent.
    partly: Option<Zval>,
    /// Of all others.
    wholly: Zval,
}

impl Lost {
    /// Makes them. *May bail out.*
    fn of(collected: &Collected, error: &Error) -> Result<Self, Failure> {
        let answered = collected.scratch.replies.len();
        if !matches!(error, Error::CallTooLarge { .. }) {
            let of = collected.scratch.commands.len();
            return Ok(Self {
                partly: None,
                wholly: Failure::lost(error, answered, of).into_exception()?,
            });
        }
        let cut = |asked: &&Asked| asked.first < answered && answered < asked.first + asked.count;
        let partly = collected.asked.iter().find(cut).map(|asked| {
            let done = answered - asked.first;
            Failure::unsent(error, done, asked.count).into_exception()
        });
        Ok(Self {
            partly: partly.transpose()?,
            wholly: Failure::unsent(error, 0, 0).into_exception()?,
        })
    }

    /// Returns that of `asked`, which has only `answered` commands before or of it answered.
    fn exception(&self, asked: &Asked, answered: usize) -> Zval {
        let partly = self.partly.as_ref().filter(|_| asked.first < answered);
        partly.unwrap_or(&self.wholly).shallow_clone()
    }
}

/// Makes the results in order, an exception in the place of each that failed; calls whose replies
/// are not all there get that of `lost`.
fn results(collected: &Collected, lost: Option<&Lost>) -> Result<ZBox<ZendHashTable>, Failure> {
    let (replies, rules) = (&collected.scratch.replies, &*collected.scratch.rules);
    let mut results =
        ZendHashTable::with_capacity(u32::try_from(collected.asked.len()).unwrap_or(0));
    for asked in collected.asked.iter() {
        let mut value = Zval::new();
        match lost {
            Some(lost) if asked.count > 0 && asked.first + asked.count > replies.len() => {
                value = lost.exception(asked, replies.len());
            }
            _ => {
                let held = &collected.held;
                let about = held
                    .get(asked.about)
                    .expect("BUG: a call without what it is about");
                let default = asked.default.and_then(|default| held.get(default));
                let span = (asked.first, asked.count);
                if let Err(failure) = asked
                    .answer
                    .read(replies, span, about, default, rules, &mut value)
                {
                    value = failure.into_exception()?;
                }
            }
        }
        ffi::append(&mut results, value);
    }
    Ok(results)
}
