//! `remember()`: a value from the cache, else from a callback, which one thread calls while the
//! others wait or use the old value.
//!
//! Beside the value stands a [`Note`], under the key with `~note` behind it. A thread that has to make
//! a value first gets the [`turn`] among the threads of its process, then the [`Lock`] among the
//! processes, looks once more, and calls back. What it made it stores only in the place of what it saw
//! then: whatever others have stored or removed meanwhile is newer. Nothing here holds a connection
//! between two calls, so the callback may use the cache; turn and lock end with their owner, however
//! the callback ends.

mod note;
mod turn;

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use ext_php_rs::types::{ZendHashTable, Zval};

use self::note::Note;
use self::turn::{Asked, Id, Turn};
use crate::error::Failure;
use crate::ffi::{self, Items, Key, Owned};
use crate::handle::HandleCell;
use crate::lock::{Lock, Pauses};
use crate::ops::{self, Fingerprint, Put, Ttl};
use crate::options::quoted;
use crate::report;

const NOTE: &[u8] = b"~note";
const LOCK: &[u8] = b"~lock";
/// A day; longer times are a mistake in the unit.
const DAY_MS: i64 = 86_400_000;

/// What is remembered, and how it is made.
pub(crate) struct Remember<'a> {
    /// The handle.
    pub(crate) handle: &'a HandleCell,
    /// The key of the value.
    pub(crate) key: &'a [u8],
    /// Makes the value; takes no argument.
    pub(crate) make: &'a Zval,
    /// The tags of the value.
    pub(crate) tags: Option<&'a ZendHashTable>,
    /// How long it is good.
    pub(crate) ttl: Ttl,
    /// How others wait, and when it is made anew.
    pub(crate) settings: Settings,
}

/// The array `$options`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    wait: Duration,
    lock: NonZeroU64,
    stale_ms: u64,
    beta: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(5),
            lock: NonZeroU64::MIN.saturating_add(29_999),
            stale_ms: 0,
            beta: 1.0,
        }
    }
}

impl Settings {
    /// Reads the array.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] that names the option and its range, or those that there are.
    pub(crate) fn of(options: Option<&ZendHashTable>) -> Result<Self, Failure> {
        let mut settings = Self::default();
        for (name, value) in options.into_iter().flat_map(Items::of) {
            let value = value.dereference();
            match Key::from_zval(&name) {
                Some(Key::Str(b"wait_ms")) => {
                    settings.wait = Duration::from_millis(ms("wait_ms", value, 0)?);
                }
                Some(Key::Str(b"lock_ms")) => {
                    let lock = ms("lock_ms", value, 1)?;
                    settings.lock = NonZeroU64::new(lock).expect("BUG: the range begins at 1");
                }
                Some(Key::Str(b"stale_ms")) => settings.stale_ms = ms("stale_ms", value, 0)?,
                Some(Key::Str(b"beta")) => settings.beta = beta(value)?,
                other => {
                    let name = match other {
                        Some(Key::Str(name)) => quoted(name),
                        Some(Key::Int(number)) => number.to_string(),
                        None => String::new(),
                    };
                    return Err(Failure::Invalid(format!(
                        "$options of remember() has no {name}; there are wait_ms, lock_ms, stale_ms \
                         and beta"
                    )));
                }
            }
        }
        Ok(settings)
    }
}

fn ms(name: &str, value: &Zval, least: i64) -> Result<u64, Failure> {
    value
        .long()
        .filter(|ms| (least..=DAY_MS).contains(ms))
        .and_then(|ms| u64::try_from(ms).ok())
        .ok_or_else(|| {
            Failure::Invalid(format!(
                "$options['{name}'] must be an integer from {least} to {DAY_MS} milliseconds"
            ))
        })
}

fn beta(value: &Zval) -> Result<f64, Failure> {
    // As a float an integer of that range is exact.
    let number = value
        .double()
        .or_else(|| value.long().map(|number| number as f64));
    number
        .filter(|beta| (0.0..=1000.0).contains(beta))
        .ok_or_else(|| {
            Failure::Invalid(
                "$options['beta'] must be a number from 0 (never early) to 1000".to_owned(),
            )
        })
}

/// What is in the cache.
enum Found {
    /// A value to use as it is.
    Fresh(Zval),
    /// A value that can be used, but should be made anew, and what to know it by.
    Due(Zval, Fingerprint),
    /// Nothing.
    Missing,
}

impl Remember<'_> {
    /// Gets the value into `into`. *May bail out.*
    ///
    /// # Errors
    ///
    /// What the callback throws; what keeps the cache from being read or locked. A tag that can't be
    /// one is refused whether or not it will be needed: not only when the value has been made.
    pub(crate) fn run(&self, into: &mut Zval) -> Result<(), Failure> {
        ops::encode::check_tags(self.tags)?;
        match self.look()? {
            Found::Fresh(value) => *into = value,
            Found::Due(value, _) => self.renew(value, into)?,
            Found::Missing => self.obtain(into)?,
        }
        Ok(())
    }

    /// Looks into the cache.
    fn look(&self) -> Result<Found, Failure> {
        let mut value = Zval::new();
        let found = if self.is_noted() {
            let mut note = Zval::new();
            let beside = Owned::new([self.key, NOTE].concat());
            let found = ops::get_noted(self.handle, [self.key, &beside], [&mut value, &mut note])?;
            let note = note
                .zend_str()
                .and_then(|text| Note::parse(text.as_bytes()));
            if let (Some(found), Some(note)) = (found, note)
                && note.is_of(found)
                && note.is_due(self.settings.beta)
            {
                return Ok(Found::Due(value, found));
            }
            found.is_some()
        } else {
            ops::get(self.handle, self.key, &mut value)?
        };
        Ok(if found {
            Found::Fresh(value)
        } else {
            Found::Missing
        })
    }

    /// Returns whether a note stands beside the value: not if it could decide nothing.
    fn is_noted(&self) -> bool {
        self.ttl.is_some() && (self.settings.stale_ms > 0 || self.settings.beta > 0.0)
    }

    /// Makes a value anew, unless somebody else does: then the old one is good enough.
    fn renew(&self, old: Zval, into: &mut Zval) -> Result<(), Failure> {
        let asked = turn::ask(&self.id(), None);
        let turn = match asked {
            Asked::Mine(turn) | Asked::MineAfter(turn) => turn,
            Asked::Nested | Asked::Taken => {
                *into = old;
                return Ok(());
            }
        };
        let Some(lock) = self.lock()? else {
            *into = old;
            return Ok(());
        };
        match self.look()? {
            Found::Fresh(value) => *into = value,
            Found::Due(_, old) => self.make(Some(old), into)?,
            Found::Missing => self.make(None, into)?,
        }
        finish(lock, turn);
        Ok(())
    }

    /// Makes a value that is missing, or waits for whoever does.
    fn obtain(&self, into: &mut Zval) -> Result<(), Failure> {
        let until = Instant::now() + self.settings.wait;
        let asked = turn::ask(&self.id(), Some(until));
        let turn = match asked {
            Asked::Mine(turn) => turn,
            Asked::MineAfter(turn) => {
                if let Some(value) = self.look()?.into_value() {
                    *into = value;
                    return Ok(());
                }
                turn
            }
            Asked::Nested => return self.make(None, into),
            Asked::Taken => {
                if let Some(value) = self.look()?.into_value() {
                    *into = value;
                    return Ok(());
                }
                return self.make(None, into);
            }
        };
        let mut pauses = Pauses::new();
        loop {
            let lock = self.lock()?;
            let out_of_time = Instant::now() >= until;
            if lock.is_none() && !out_of_time {
                pauses.sleep();
            }
            if let Some(value) = self.look()?.into_value() {
                *into = value;
                return Ok(());
            }
            if let Some(lock) = lock {
                self.make(None, into)?;
                finish(lock, turn);
                return Ok(());
            }
            if out_of_time {
                return self.make(None, into);
            }
        }
    }

    /// Takes the lock of the key; `None` if another process has it.
    fn lock(&self) -> Result<Option<Owned<Lock>>, Failure> {
        let name = Owned::new([self.key, LOCK].concat());
        Lock::take(self.handle, &name, self.settings.lock)
    }

    /// Calls back, and stores what comes in the place of `old`, or where nothing is.
    fn make(&self, old: Option<Fingerprint>, into: &mut Zval) -> Result<(), Failure> {
        let began = Instant::now();
        let value = ffi::call_user(self.make)?;
        let took = began.elapsed();
        match self.store(old, &value, took) {
            // What was made with much effort is not thrown away because the cache is.
            Err(failure @ (Failure::Client(_) | Failure::Server(_))) => {
                failure.warn();
                if ffi::exception_is_pending() {
                    return Err(Failure::Thrown);
                }
            }
            done => done?,
        }
        *into = value;
        Ok(())
    }

    fn store(&self, old: Option<Fingerprint>, value: &Zval, took: Duration) -> Result<(), Failure> {
        let kept = self
            .ttl
            .map(|ttl| ttl.saturating_add(self.settings.stale_ms));
        let stored = ops::replace(self.handle, self.key, value, self.tags, kept, old)?;
        let ttl = self.ttl.filter(|_| self.is_noted());
        if let (Some(stored), Some(ttl)) = (stored, ttl) {
            let beside = Owned::new([self.key, NOTE].concat());
            let note = report::text(&Note::new(stored, ttl.get(), took).text());
            ops::put(self.handle, &beside, &note, None, kept, Put::Always)?;
        }
        Ok(())
    }

    fn id(&self) -> Id {
        self.handle.options().map_or_else(
            |_| (String::new(), self.key.to_vec()),
            |options| {
                let server = options.pool.endpoint.to_string();
                (server, [options.rules.prefix(), self.key].concat())
            },
        )
    }
}

/// Lets the other processes go on, then the other threads.
fn finish(lock: Owned<Lock>, turn: Owned<Turn>) {
    drop(lock);
    drop(turn);
}

impl Found {
    fn into_value(self) -> Option<Zval> {
        match self {
            Self::Fresh(value) | Self::Due(value, _) => Some(value),
            Self::Missing => None,
        }
    }
}
