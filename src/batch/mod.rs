//! Class `TagCache\Batch`: collects commands, sends them over several connections without
//! waiting, and lets the script work until it wants the results.
//!
//! The guards live in the object (rule L2), inside a [`Fanout`]: dropped with it, they go home or
//! are closed, also when PHP frees its objects after a fatal error.

mod future;

use std::cell::OnceCell;
use std::task::Poll;
use std::time::Duration;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::error::Result as BindingResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ExecuteData, ce};
use tagcache_client::{Error, Fanout};

use crate::collect::{self, Collector, Collects};
use crate::error::Failure;
use crate::ffi::{self, Call, Class, Held, Instance};
use crate::handle::HandleCell;
use crate::ops;
use crate::route::Started;
use crate::signature::{Param, declare, param};
use crate::slowlog;

static CLASS: Class<Batch> = Class::unregistered();

const SENT: &str = "the batch was sent; make a new one for more commands";
const SECONDS: Param = param("seconds", DataType::Double).nullable().or("null");

/// What an object of the class holds.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    collector: Collector,
    /// Once it was sent.
    started: OnceCell<Started>,
}

impl Instance for Batch {
    fn class() -> &'static Class<Self> {
        &CLASS
    }

    fn held(&self) -> &Held {
        &self.collector.held
    }
}

impl Collects for Batch {
    fn collector(&self) -> &Collector {
        &self.collector
    }

    fn added(&self, call: &Call<'_>, n: usize, result: &mut Zval) {
        future::make(call, n, result);
    }
}

/// Registers the class and that of its futures. For MINIT.
///
/// # Errors
///
/// What the binding says when PHP refuses one.
pub(crate) fn register() -> BindingResult<()> {
    future::register()?;
    let class = ClassBuilder::new("TagCache\\Batch")
        .flags(ClassFlags::Final | ClassFlags::NoDynamicProperties)
        .implements((ce::countable, "Countable"));
    let class = collect::declare_all::<Batch>(class, DataType::object("TagCache\\Future"));
    [
        declare("send", send, &[], Some(DataType::Mixed)),
        declare("wait", wait, &[SECONDS], Some(DataType::Bool)),
        declare("stream", stream, &[], None),
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
    ffi::patch(Some(CLASS.entry()), "send", None, ffi::STATIC);
    Ok(())
}

/// Makes a batch for `handle` in `into`. *May bail out.*
pub(crate) fn make(handle: &HandleCell, into: &mut Zval) -> Result<(), Failure> {
    handle.check()?;
    let mut object = Zval::new();
    CLASS.make(&mut object).collector.open(handle)?;
    *into = object;
    Ok(())
}

/// Defines the entry points of methods, as in `client`.
macro_rules! methods {
    ($($entry:ident => |$call:ident, $batch:ident, $result:ident| $body:expr;)*) => {$(
        extern "C" fn $entry(frame: &mut ExecuteData, result: &mut Zval) {
            fn body($call: &Call<'_>, $result: &mut Zval) -> Result<(), Failure> {
                let $batch = CLASS.this($call);
                $body;
                Ok(())
            }
            ffi::handle(frame, result, |call, result| {
                if let Err(failure) = body(call, result) {
                    failure.throw();
                }
            });
        }
    )*};
}

methods! {
    send => |call, batch, result| {
        batch.send()?;
        *result = ffi::this(call);
    };
    wait => |call, batch, result| {
        let limit = match call.optional_double(0)? {
            None => Duration::MAX,
            Some(seconds) if seconds >= 0.0 => {
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            }
            Some(seconds) => {
                return Err(Failure::Invalid(format!(
                    "$seconds must be 0 or more, or null for the time limit of the batch, \
                     {seconds} given"
                )));
            }
        };
        batch.send()?;
        result.set_bool(batch.with(|fanout| Ok(fanout.drive(limit)))?);
    };
    stream => |_call, batch, result| {
        batch.send()?;
        *result = batch.stream()?;
    };
    count => |_call, batch, result| {
        result.set_long(i64::try_from(batch.collector.len()).unwrap_or(i64::MAX));
    };
}

impl Batch {
    /// Sends what was collected, unless that was done before. *May bail out* after it, when it writes to the slow log.
    fn send(&self) -> Result<(), Failure> {
        if self.started.get().is_some() {
            return Ok(());
        }
        let route = self.collector.handle.route()?;
        let commands = self.collector.finish(SENT);
        let sent = match route.start(&commands) {
            Ok(started) => {
                self.started.set(started).expect("BUG: sent within sending");
                Ok(())
            }
            Err(error) => {
                self.collector.resume(commands);
                Err(error)
            }
        };
        slowlog::write();
        Ok(sent?)
    }

    /// Uses the fan-out of a batch that was sent. `use_it` calls nothing of PHP. *May bail out* after it, as
    /// [`Batch::send`].
    fn with<R>(&self, use_it: impl FnOnce(&Fanout) -> Result<R, Failure>) -> Result<R, Failure> {
        self.look(|fanout| {
            if fanout.is_inherited() && !fanout.is_done() {
                // Marks what is missing as failed, and leaves the parent's connections alone.
                fanout.drive(Duration::ZERO);
                let endpoint = self.endpoint();
                return Err(Failure::lost(
                    &Error::Forked { endpoint },
                    fanout.answered(),
                    fanout.len(),
                ));
            }
            use_it(fanout)
        })
    }

    /// As [`Batch::with`], whichever process has sent it.
    fn look<R>(&self, use_it: impl FnOnce(&Fanout) -> R) -> R {
        let started = self.started.get();
        let used = started
            .expect("BUG: the batch was sent before")
            .with(use_it);
        slowlog::write();
        used
    }

    /// Makes the value of call `n` in `into`, waiting for it if need be. *May bail out.*
    fn read(&self, n: usize, into: &mut Zval) -> Result<(), Failure> {
        self.send()?;
        let asked = self.collector.asked(n).expect("BUG: no such call");
        let commands = asked.first..asked.first + asked.count;
        let mut scratch = ops::begin(&self.collector.handle)?;
        let settled = self.is_settled(n);
        let copy = |fanout: &Fanout| {
            fanout.drive_for(commands.clone(), Duration::MAX);
            match fanout.copy_replies(commands.clone(), &mut scratch.replies) {
                Poll::Ready(Ok(())) => Ok(()),
                Poll::Ready(Err(error)) => {
                    Err(Failure::lost(&error, fanout.answered(), fanout.len()))
                }
                Poll::Pending => unreachable!("BUG: the wait ended before its deadline"),
            }
        };
        if settled {
            // Also in a forked child: what had come before the fork is there.
            self.look(copy)?;
        } else {
            self.with(copy)?;
        }
        let held = &self.collector.held;
        let about = held.get(asked.about).unwrap_or_default();
        let default = asked.default.and_then(|default| held.get(default));
        asked.answer.read(
            &scratch.replies,
            (0, asked.count),
            &about,
            default.as_ref(),
            &scratch.rules,
            into,
        )
    }

    /// Returns whether [`Batch::read`] would return at once, after taking what has arrived. *May bail out* after it, as
    /// [`Batch::send`].
    fn is_ready(&self, n: usize) -> bool {
        if self.started.get().is_some() {
            self.look(|fanout| fanout.drive(Duration::ZERO));
        }
        self.is_settled(n)
    }

    /// Returns whether call `n` has its replies, or never will.
    fn is_settled(&self, n: usize) -> bool {
        let asked = self.collector.asked(n).expect("BUG: no such call");
        let commands = asked.first..asked.first + asked.count;
        let started = self.started.get();
        started.is_some_and(|started| started.with(|fanout| fanout.is_settled(commands)))
    }

    /// Makes a stream to wait for. *May bail out.*
    fn stream(&self) -> Result<Zval, Failure> {
        let short_of_descriptors = |source| {
            Failure::from(Error::Watch {
                endpoint: self.endpoint(),
                source,
            })
        };
        let fd = self.with(|fanout| {
            fanout.watch().map_err(short_of_descriptors)?;
            Ok(fanout.as_raw_fd())
        })?;
        ffi::stream_of(fd).map_err(short_of_descriptors)
    }

    fn endpoint(&self) -> String {
        let options = self.collector.handle.options();
        options.map_or_else(str::to_owned, |options| options.pool.endpoint.to_string())
    }
}
