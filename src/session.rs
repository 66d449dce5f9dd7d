//! `session.save_handler = tagcache`: sessions as entries of the cache.
//!
//! A session is locked in the server from its reading to its closing, so that two requests of one
//! visitor do not overwrite each other; no connection is held meanwhile. What is over goes by its time
//! to live (`session.gc_maxlifetime`).
//!
//! The server can neither prolong the life of an entry nor replace it only if it is still the same, so
//! a session that was not changed is stored again, and only if what stands there is what was read. So
//! does a request store whose lock ran out meanwhile. Whoever stores or removes a session without
//! having had it locked all the time, locks it for that moment.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};
use tagcache_client::Namespace;

use crate::error::Failure;
use crate::ffi::{self, Owned};
use crate::handle::HandleCell;
use crate::lock::{Lock, Pauses};
use crate::ops::{self, Put};
use crate::options::{Options, SessionSettings, quoted};
use crate::value::Rules;

/// How long a request without a lock waits for that of another when it ends.
const BRIEFLY: Duration = Duration::from_millis(100);
/// How long a lock lasts that is taken to look and store: if the process dies just then.
const MOMENT_MS: NonZeroU64 = NonZeroU64::MIN.saturating_add(9_999);
/// The longest id that PHP makes.
const LONGEST_ID: usize = 256;

/// An open session, from `open` to `close`. Nothing of it is borrowed while PHP is called.
#[derive(Debug)]
pub(crate) struct Session {
    handle: HandleCell,
    settings: SessionSettings,
    held: RefCell<Option<Held>>,
    seen: RefCell<Option<Seen>>,
}

/// What was read of a session or last written to it.
#[derive(Debug)]
struct Seen {
    key: Vec<u8>,
    /// `None` if there was none, which PHP takes for an empty one.
    text: Option<Vec<u8>>,
}

/// The lock of a session.
#[derive(Debug)]
struct Held {
    /// Given back when it is dropped.
    _lock: Owned<Lock>,
    key: Vec<u8>,
    /// Until when it is certainly ours.
    until: Instant,
}

impl Session {
    /// Opens the handler; `path` is `session.save_path`, a DSN or empty for the INI settings.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] for a wrong DSN or setting.
    pub(crate) fn open(path: &[u8]) -> Result<Self, Failure> {
        let mut options = if path.is_empty() {
            Options::from_ini()?
        } else {
            Options::from_dsn(path).map_err(|why| why.of(|| "session.save_path".to_owned()))?
        };
        let settings = SessionSettings::from_ini()?;
        options.rules = Arc::new(Rules {
            namespace: namespace(options.rules.prefix(), &settings)?,
            ..(*options.rules).clone()
        });
        let handle = HandleCell::default();
        handle.open(options);
        Ok(Self {
            handle,
            settings,
            held: RefCell::default(),
            seen: RefCell::default(),
        })
    }

    /// Locks and reads a session; an empty string if there is none. *May bail out.*
    ///
    /// # Errors
    ///
    /// What keeps it from being locked or read.
    pub(crate) fn read(&self, id: &[u8]) -> Result<ZBox<ZendStr>, Failure> {
        let key = self.key(id)?;
        self.lock(&key)?;
        let mut value = Zval::new();
        let text = self.look(&key, &mut value)?;
        self.seen.replace(Some(Seen {
            text: text.map(<[u8]>::to_vec),
            key: key.into_inner(),
        }));
        match text {
            Some(text) => ffi::string(text),
            None => Ok(ZendStr::new("", false)),
        }
    }

    /// Stores a session for `life` seconds; if it is what was read, that only renews its life. *May bail out.*
    ///
    /// # Errors
    ///
    /// What keeps it from being stored; that another request has changed or locked it.
    pub(crate) fn write(&self, id: &[u8], value: &[u8], life: i64) -> Result<(), Failure> {
        let key = self.key(id)?;
        let unchanged = self.saw(&key, |text| text.unwrap_or_default() == value);
        let throughout = self.holds(&key);
        let mut moment = None;
        if !throughout {
            self.held.take();
            moment = self.take(&key, MOMENT_MS, BRIEFLY)?;
            if moment.is_none() && self.settings.locking && !self.is_replaced(&key)? {
                moment = self.take(&key, MOMENT_MS, self.settings.wait)?;
            }
        }
        // A change without locks is stored whatever is there, and whoever has it locked.
        let blindly = !unchanged && !self.settings.locking;
        if (unchanged || !throughout) && !blindly && self.is_replaced(&key)? {
            return self.refuse(unchanged, "and another request has changed it since");
        }
        let alone = match &moment {
            Some(held) => held.is_certain(),
            None => self.holds(&key),
        };
        if !alone && !blindly {
            let wait = self.settings.wait.as_millis();
            let why = format!(
                "and another request has had it since for {wait} ms (tagcache.session_lock_wait_ms)"
            );
            return self.refuse(unchanged, &why);
        }
        let seconds = u64::try_from(life).unwrap_or(0);
        let ttl = NonZeroU64::new(seconds.saturating_mul(1000)).unwrap_or(NonZeroU64::MIN);
        let mut text = Zval::new();
        text.set_zend_string(ffi::string(value)?);
        ops::put(&self.handle, &key, &text, None, Some(ttl), Put::Always)?;
        self.seen.take();
        Ok(())
    }

    /// Removes a session.
    ///
    /// # Errors
    ///
    /// What keeps it from being removed.
    pub(crate) fn destroy(&self, id: &[u8]) -> Result<(), Failure> {
        let key = self.key(id)?;
        // Nobody must be about to store what he has just found to be still the same.
        let moment = match self.holds(&key) {
            true => None,
            false => self.take(&key, MOMENT_MS, BRIEFLY)?,
        };
        ops::delete(&self.handle, &key)?;
        drop(moment);
        self.held.take();
        self.seen.take();
        Ok(())
    }

    /// Returns whether there is a session of this id.
    ///
    /// # Errors
    ///
    /// What keeps the server from answering.
    pub(crate) fn exists(&self, id: &[u8]) -> Result<bool, Failure> {
        match self.key(id) {
            Ok(key) => ops::has(&self.handle, &key),
            Err(_) => Ok(false),
        }
    }

    fn key(&self, id: &[u8]) -> Result<Owned<Vec<u8>>, Failure> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b',');
        if id.is_empty() || id.len() > LONGEST_ID || !id.iter().all(allowed) {
            return Err(Failure::Invalid(format!(
                "a session id has 1 to {LONGEST_ID} of the characters A-Z, a-z, 0-9, \"-\" and \",\", {} \
                 given",
                quoted(id)
            )));
        }
        Ok(Owned::new(id.to_vec()))
    }

    /// Reads a session into `into`; `None` if there is none. What somebody put in its place does not come to
    /// life here, where its hooks, or an autoloader, could end the session that is being read. *May bail out.*
    fn look<'a>(&self, key: &[u8], into: &'a mut Zval) -> Result<Option<&'a [u8]>, Failure> {
        if !ops::get_text(&self.handle, key, into)? {
            return Ok(None);
        }
        match into.zend_str() {
            Some(text) => Ok(Some(text.as_bytes())),
            None => Err(Failure::Serialization(format!(
                "under {} stands something that is no session; give sessions a prefix of their own \
                 (tagcache.session_prefix)",
                quoted(&[&self.settings.prefix, key].concat())
            ))),
        }
    }

    /// Returns whether something else stands there than what was read. *May bail out.*
    fn is_replaced(&self, key: &[u8]) -> Result<bool, Failure> {
        if !self.saw(key, |_| true) {
            return Ok(false);
        }
        let mut value = Zval::new();
        let there = self.look(key, &mut value)?;
        Ok(self.saw(key, |text| text != there))
    }

    /// Returns whether this session was read, or written, and `holds` of what it was.
    fn saw(&self, key: &[u8], holds: impl FnOnce(Option<&[u8]>) -> bool) -> bool {
        let seen = self.seen.borrow();
        seen.as_ref()
            .is_some_and(|seen| seen.key == key && holds(seen.text.as_deref()))
    }

    /// Ends a write that would overwrite what another request did: a session that was not changed lives on by that.
    fn refuse(&self, unchanged: bool, why: &str) -> Result<(), Failure> {
        if unchanged {
            return Ok(());
        }
        Err(Failure::Server(format!(
            "the session was locked for longer than {} ms (tagcache.session_lock_ms), {why}: it is not \
             written",
            self.settings.lock
        )))
    }

    /// Returns whether the session is certainly locked by this request.
    fn holds(&self, key: &[u8]) -> bool {
        self.held
            .borrow()
            .as_ref()
            .is_some_and(|held| held.key == key && held.is_certain())
    }

    /// Locks a session until it is closed, after giving another lock back.
    fn lock(&self, key: &[u8]) -> Result<(), Failure> {
        if !self.settings.locking || self.holds(key) {
            return Ok(());
        }
        self.held.take();
        if let Some(held) = self.take(key, self.settings.lock, self.settings.wait)? {
            self.held.replace(Some(held));
            return Ok(());
        }
        Err(Failure::Server(format!(
            "another request has had this session locked for {} ms \
             (tagcache.session_lock_wait_ms); call session_write_close() as soon as the \
             session is not needed any more",
            self.settings.wait.as_millis()
        )))
    }

    /// Takes the lock of a session; `None` if somebody else has it for longer than `wait`. *May bail out.*
    fn take(&self, key: &[u8], ttl: NonZeroU64, wait: Duration) -> Result<Option<Held>, Failure> {
        let name = Owned::new([key, b"~lock"].concat());
        let give_up = Instant::now() + wait;
        let mut pauses = Pauses::new();
        loop {
            let until = Instant::now() + Duration::from_millis(ttl.get());
            if let Some(lock) = Lock::take(&self.handle, &name, ttl)? {
                let key = key.to_vec();
                return Ok(Some(Held {
                    _lock: lock,
                    key,
                    until,
                }));
            }
            if Instant::now() >= give_up {
                return Ok(None);
            }
            pauses.sleep();
        }
    }
}

impl Held {
    /// Returns whether its time is not over, by the clock of this process, which began to count before the server's.
    fn is_certain(&self) -> bool {
        Instant::now() < self.until
    }
}

/// Returns the namespace of sessions, behind `prefix`: one of their own, not a room within that of the
/// cache, so that `flush()` of a cache with the same prefix does not log everybody out.
fn namespace(prefix: &[u8], settings: &SessionSettings) -> Result<Option<Arc<Namespace>>, Failure> {
    let prefix = [prefix, &settings.prefix].concat();
    if prefix.is_empty() {
        return Ok(None);
    }
    match Namespace::new(&prefix) {
        Ok(namespace) => Ok(Some(Arc::new(namespace))),
        Err(why) => Err(Failure::Invalid(format!(
            "INI setting 'tagcache.session_prefix', behind the option 'prefix', must be what keys and tags can begin \
             with, {} given: {why}",
            quoted(&prefix)
        ))),
    }
}
