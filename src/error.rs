//! What can go wrong, and the only place where it becomes a PHP exception or a warning.

use ext_php_rs::args::ArgInfoTables;
use ext_php_rs::builders::{ClassBuilder, ClassProperty, FunctionBuilder};
use ext_php_rs::error::Result as BindingResult;
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags, PropertyFlags};
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData, ce};
use tagcache_client::{DecodeError, Error, ErrorKind, InvalidName, Phase};

use crate::ffi::{self, Call, Owned, Slot};

static EXCEPTION: Slot = Slot::empty();
static CONNECTION: Slot = Slot::empty();
static TIMEOUT: Slot = Slot::empty();
static POOL_EXHAUSTED: Slot = Slot::empty();
static PROTOCOL: Slot = Slot::empty();
static SERVER: Slot = Slot::empty();
static INVALID: Slot = Slot::empty();
static SERIALIZATION: Slot = Slot::empty();
static CLOSED: Slot = Slot::empty();

/// Why a call of the API failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// PHP knows already: an exception is pending (its `TypeError`, or what user code threw), or a
    /// fatal error as soon as the call returns.
    Thrown,
    /// The client could not do it.
    Client(Error),
    /// A command of a batch has no reply, and never will.
    Lost(Box<Told>),
    /// The server refused it.
    Server(String),
    /// An argument or an option is not allowed.
    Invalid(String),
    /// A value can't be serialized or read back.
    Serialization(String),
    /// The same, by an exception of PHP's own, which was taken off its way.
    Refused {
        /// What it says.
        why: String,
        /// The exception.
        by: Zval,
    },
    /// The handle is closed or was never made.
    Closed(&'static str),
}

/// What becomes of an [`Error`] in an exception: its message, and what `getPeer()` and the like return.
#[derive(Debug)]
pub(crate) struct Told {
    kind: ErrorKind,
    message: String,
    peer: String,
    phase: &'static str,
    deadline_ms: Option<i64>,
}

impl Failure {
    /// Returns the failure of commands that `error` has left without a reply, after `answered` of
    /// the `of` commands sent together had got theirs.
    pub(crate) fn lost(error: &Error, answered: usize, of: usize) -> Self {
        let mut told = Told::of(error);
        if matches!(error, Error::Forked { .. }) {
            "the batch was sent by the parent process, whose connections it uses; make a new one"
                .clone_into(&mut told.message);
        }
        told.message += &format!(" ({answered} of {of} commands were answered, not this one)");
        Self::Lost(Box::new(told))
    }

    /// Returns the failure of a call of which only `done` of `of` commands were sent, because of `error`.
    pub(crate) fn unsent(error: &Error, done: usize, of: usize) -> Self {
        let mut told = Told::of(error);
        if done > 0 {
            told.message +=
                &format!(" (of this call, {done} of {of} commands were sent and answered)");
        }
        Self::Lost(Box::new(told))
    }

    /// Returns the failure of a command whose reply was [left out](tagcache_client::Reply::LeftOut).
    pub(crate) fn left_out() -> Self {
        Self::Lost(Box::new(Told {
            kind: ErrorKind::Protocol,
            message: "the reply was not kept: with those before it, it has more than max_call_bytes; ask for less at \
                      once, or raise max_call_bytes"
                .to_owned(),
            peer: String::new(),
            phase: "",
            deadline_ms: None,
        }))
    }

    /// Returns whether a call failed before it sent anything, for certain.
    pub(crate) fn is_before_sending(&self) -> bool {
        match self {
            Self::Client(error) => !matches!(error.phase(), Some(Phase::Write | Phase::Read)),
            _ => true,
        }
    }

    /// Returns the exception for it, or the one that is pending, instead of throwing it. *May
    /// bail out.*
    ///
    /// # Errors
    ///
    /// [`Failure::Thrown`] if PHP is about to end the script.
    pub(crate) fn into_exception(self) -> Result<Zval, Self> {
        self.throw();
        ffi::take_exception().ok_or(Self::Thrown)
    }

    /// Returns the failure for a resource, for which PHP would write the integer 0.
    pub(crate) fn resource() -> Self {
        Self::serialization(
            "a resource (an open file, a stream, a curl handle) can't be stored; store what it was \
             made from",
        )
    }

    /// Returns a failure of a value.
    pub(crate) fn serialization(why: &str) -> Self {
        Self::Serialization(why.to_owned())
    }

    /// Puts `what` and a colon in front of the message of a failure of a value or an argument.
    pub(crate) fn of(self, what: impl FnOnce() -> String) -> Self {
        match self {
            Self::Serialization(why) => Self::Serialization(format!("{}: {why}", what())),
            Self::Refused { why, by } => Self::Refused {
                why: format!("{}: {why}", what()),
                by,
            },
            Self::Invalid(why) => Self::Invalid(format!("{}: {why}", what())),
            other => other,
        }
    }

    /// Says how much had been done before it.
    pub(crate) fn after(self, done: i64, of: usize) -> Self {
        match self {
            Self::Server(why) => Self::Server(format!("{why} ({done} of {of} items were stored)")),
            other => other,
        }
    }

    /// Throws the exception for it. *May bail out.*
    pub(crate) fn throw(self) {
        match self {
            Self::Thrown => {}
            Self::Client(error) => Told::of(&error).throw(),
            Self::Lost(told) => told.throw(),
            Self::Server(message) => throw(&SERVER, &message),
            Self::Invalid(message) => throw(&INVALID, &message),
            Self::Serialization(message) => throw(&SERIALIZATION, &message),
            Self::Refused { why, by } => ffi::throw_because_of(&SERIALIZATION, &why, by),
            Self::Closed(message) => throw(&CLOSED, message),
        }
    }

    /// Raises the warning for it, unless an exception is pending. *May bail out.*
    pub(crate) fn warn(self) {
        if ffi::exception_is_pending() {
            return;
        }
        // What is left of it while code of the user handles the warning is the text.
        let message = match self {
            Self::Thrown => return,
            Self::Client(error) => error.to_string(),
            Self::Lost(told) => told.message,
            Self::Server(message) | Self::Invalid(message) | Self::Serialization(message) => {
                message
            }
            Self::Refused { why, .. } => why,
            Self::Closed(message) => message.to_owned(),
        };
        ffi::raise_warning(&Owned::new(message));
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(name) => name.into(),
            error => Self::Client(error),
        }
    }
}

impl From<InvalidName> for Failure {
    fn from(name: InvalidName) -> Self {
        Self::Invalid(name.to_string())
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Serialization(error.to_string())
    }
}

fn throw(class: &Slot, message: &str) {
    let _: *mut ZendObject = ffi::throw(class, message);
}

impl Told {
    fn of(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: error.to_string(),
            peer: error.peer().unwrap_or_default().to_owned(),
            phase: error.phase().map_or("", Phase::name),
            deadline_ms: error
                .limit()
                .map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    fn throw(&self) {
        let class = match self.kind {
            ErrorKind::Invalid => return throw(&INVALID, &self.message),
            ErrorKind::Closed => return throw(&CLOSED, &self.message),
            ErrorKind::Timeout => &TIMEOUT,
            ErrorKind::PoolExhausted => &POOL_EXHAUSTED,
            ErrorKind::Protocol => &PROTOCOL,
            _ => &CONNECTION,
        };
        let thrown = ffi::throw(class, &self.message);
        ffi::update_str(&CONNECTION, thrown, "peer", &self.peer);
        if let Some(ms) = self.deadline_ms {
            ffi::update_str(&TIMEOUT, thrown, "phase", self.phase);
            ffi::update_long(&TIMEOUT, thrown, "deadlineMs", ms);
        }
    }
}

/// Registers the interface and the classes. For MINIT.
///
/// # Errors
///
/// What the binding says when PHP refuses one.
pub(crate) fn register() -> BindingResult<()> {
    ClassBuilder::new("TagCache\\Exception")
        .flags(ClassFlags::Interface)
        .implements((ce::throwable, "Throwable"))
        .registration(|class, infos| note(&EXCEPTION, class, infos))
        .register()?;

    exception("ConnectionException", runtime, |class, infos| {
        note(&CONNECTION, class, infos)
    })
    .method(
        getter("getPeer", get_peer, DataType::String),
        MethodFlags::Public,
    )
    .property(private("peer", || Ok(empty_string())))
    .register()?;
    exception(
        "TimeoutException",
        || CONNECTION.get(),
        |class, infos| note(&TIMEOUT, class, infos),
    )
    .method(
        getter("getPhase", get_phase, DataType::String),
        MethodFlags::Public,
    )
    .method(
        getter("getDeadlineMs", get_deadline_ms, DataType::Long),
        MethodFlags::Public,
    )
    .property(private("phase", || Ok(empty_string())))
    .property(private("deadlineMs", || Ok(zero())))
    .register()?;
    exception(
        "PoolExhaustedException",
        || TIMEOUT.get(),
        |class, infos| note(&POOL_EXHAUSTED, class, infos),
    )
    .register()?;
    exception(
        "ProtocolException",
        || CONNECTION.get(),
        |class, infos| note(&PROTOCOL, class, infos),
    )
    .register()?;
    exception("ServerException", runtime, |class, infos| {
        note(&SERVER, class, infos)
    })
    .register()?;
    exception("InvalidArgumentException", invalid, |class, infos| {
        note(&INVALID, class, infos)
    })
    .register()?;
    exception("SerializationException", runtime, |class, infos| {
        note(&SERIALIZATION, class, infos)
    })
    .register()?;
    exception("ClosedException", runtime, |class, infos| {
        note(&CLOSED, class, infos)
    })
    .register()
}

fn runtime() -> &'static ClassEntry {
    ffi::spl_parent(false)
}

fn invalid() -> &'static ClassEntry {
    ffi::spl_parent(true)
}

/// Returns a class `TagCache\<name>` that extends `parent` and implements our interface. It has
/// no object of its own kind, so that `new` and subclasses of the user work as with any exception.
fn exception(
    name: &str,
    parent: fn() -> &'static ClassEntry,
    note: fn(&'static mut ClassEntry, ArgInfoTables),
) -> ClassBuilder {
    ClassBuilder::new(format!("TagCache\\{name}"))
        .extends((parent, ""))
        .implements((|| EXCEPTION.get(), "TagCache\\Exception"))
        .registration(note)
}

/// Keeps the class and, for the life of the process, what PHP borrows of its methods.
fn note(slot: &Slot, class: &'static mut ClassEntry, infos: ArgInfoTables) {
    slot.set(class);
    ffi::keep(infos);
}

fn getter(
    name: &str,
    handler: extern "C" fn(&mut ExecuteData, &mut Zval),
    returns: DataType,
) -> FunctionBuilder<'static> {
    FunctionBuilder::new(name, handler).returns(returns, false, false)
}

extern "C" fn get_peer(frame: &mut ExecuteData, result: &mut Zval) {
    get(frame, result, &CONNECTION, "peer");
}

extern "C" fn get_phase(frame: &mut ExecuteData, result: &mut Zval) {
    get(frame, result, &TIMEOUT, "phase");
}

extern "C" fn get_deadline_ms(frame: &mut ExecuteData, result: &mut Zval) {
    get(frame, result, &TIMEOUT, "deadlineMs");
}

fn get(frame: &ExecuteData, result: &mut Zval, class: &Slot, property: &str) {
    ffi::handle(frame, result, |call: &Call<'_>, result| {
        *result = ffi::this_property(class, call.this_zval(), property);
    });
}

fn private(name: &str, default: fn() -> BindingResult<Zval>) -> ClassProperty {
    ClassProperty {
        name: name.to_owned(),
        flags: PropertyFlags::Private,
        default: Some(Box::new(default)),
        docs: &[],
        ty: None,
        nullable: false,
        readonly: false,
        default_stub: None,
    }
}

fn empty_string() -> Zval {
    let mut value = Zval::new();
    value
        .set_interned_string("", true)
        .expect("BUG: an empty string has no NUL");
    value
}

fn zero() -> Zval {
    let mut value = Zval::new();
    value.set_long(0);
    value
}
