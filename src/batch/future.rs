//! Class `TagCache\Future`: the result of one command of a batch.

use std::cell::Cell;

use ext_php_rs::builders::ClassBuilder;
use ext_php_rs::error::Result as BindingResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use super::Batch;
use crate::error::Failure;
use crate::ffi::{self, Call, Class, Held, Instance};
use crate::signature::declare;

static CLASS: Class<Future> = Class::unregistered();

/// What an object of the class holds.
#[derive(Debug, Default)]
pub(crate) struct Future {
    /// The batch, which lives as long as one of its futures may need it; then the value.
    held: Held,
    /// Which call of the batch.
    asked: Cell<usize>,
    /// Whether the value is there.
    known: Cell<bool>,
}

impl Instance for Future {
    fn class() -> &'static Class<Self> {
        &CLASS
    }

    fn held(&self) -> &Held {
        &self.held
    }
}

/// Registers the class. For MINIT.
///
/// # Errors
///
/// What the binding says when PHP refuses it.
pub(crate) fn register() -> BindingResult<()> {
    ClassBuilder::new("TagCache\\Future")
        .flags(ClassFlags::Final | ClassFlags::NoDynamicProperties)
        .method(
            declare("value", value, &[], Some(DataType::Mixed)),
            MethodFlags::Public,
        )
        .method(
            declare("ready", ready, &[], Some(DataType::Bool)),
            MethodFlags::Public,
        )
        .registration(|class, infos| {
            CLASS.install(class);
            ffi::keep(infos);
        })
        .register()
}

/// Makes the future of call `asked` of the batch that the method was called on. *May bail out.*
pub(super) fn make(call: &Call<'_>, asked: usize, into: &mut Zval) {
    let future = CLASS.make(into);
    future.asked.set(asked);
    future.held.push(ffi::this(call));
}

extern "C" fn value(frame: &mut ExecuteData, result: &mut Zval) {
    ffi::handle(frame, result, |call, result| {
        match CLASS.this(call).value() {
            Ok(value) => *result = value,
            Err(failure) => failure.throw(),
        }
    });
}

extern "C" fn ready(frame: &mut ExecuteData, result: &mut Zval) {
    ffi::handle(frame, result, |call, result| {
        result.set_bool(CLASS.this(call).ready());
    });
}

impl Future {
    /// Returns the value, waiting for it if need be. *May bail out.*
    fn value(&self) -> Result<Zval, Failure> {
        let held = self.held.get(0).ok_or(Failure::Thrown)?;
        if self.known.get() {
            return Ok(held);
        }
        let batch = Batch::class()
            .state(&held)
            .expect("BUG: a future without a batch");
        let mut value = Zval::new();
        batch.read(self.asked.get(), &mut value)?;
        // Code of the user that ran meanwhile may have asked too; the first value stays.
        if !self.known.replace(true) {
            let batch = self.held.take();
            self.held.push(value.shallow_clone());
            drop(batch);
        }
        self.held.get(0).ok_or(Failure::Thrown)
    }

    fn ready(&self) -> bool {
        self.known.get()
            || self
                .held
                .get(0)
                .as_ref()
                .and_then(|held| Batch::class().state(held))
                .is_some_and(|batch| batch.is_ready(self.asked.get()))
    }
}
