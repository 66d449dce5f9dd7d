//! `session.save_handler = tagcache`: sessions as entries of the cache.
//!
//! A session is locked in the server from its reading to its closing, so that two requests of one
//! visitor do not overwrite each other; no connection is held meanwhile. What is over goes by its time
//! to live (`session.gc_maxlifetime`). A request that took longer than the lock may last does not
//! write: somebody else may have changed the session.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendStr, Zval};
use tagcache_client::Namespace;

use crate::error::Failure;
use crate::ffi;
use crate::handle::HandleCell;
use crate::lock::{self, Lock};
use crate::ops::{self, Put};
use crate::options::{Options, SessionSettings, quoted};
use crate::value::{Classes, Rules};

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(50);
/// The longest id that PHP makes.
const LONGEST_ID: usize = 256;

/// An open session, from `open` to `close`.
#[derive(Debug)]
pub(crate) struct Session {
    handle: HandleCell,
    settings: SessionSettings,
    held: Option<Held>,
}

/// The lock of a session.
#[derive(Debug)]
struct Held {
    lock: Lock,
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
        // A session is text. An object that somebody put in its place must not come to life here, where its
        // hooks could end the session that is being read.
        options.rules = Arc::new(Rules {
            classes: Classes::Only(Vec::new()),
            namespace: namespace(options.rules.prefix(), &settings)?,
            ..(*options.rules).clone()
        });
        let handle = HandleCell::default();
        handle.open(options);
        Ok(Self {
            handle,
            settings,
            held: None,
        })
    }

    /// Locks and reads a session; an empty string if there is none. *May bail out.*
    ///
    /// # Errors
    ///
    /// What keeps it from being locked or read.
    pub(crate) fn read(&mut self, id: &[u8]) -> Result<ZBox<ZendStr>, Failure> {
        let key = self.key(id)?;
        self.lock(&key)?;
        let mut value = Zval::new();
        if !ops::get(&self.handle, &key, &mut value)? {
            return Ok(ZendStr::new("", false));
        }
        match value.zend_str() {
            Some(text) => ffi::string(text.as_bytes()),
            None => Err(Failure::Serialization(format!(
                "under {} stands something that is no session; give sessions a prefix of their own \
                 (tagcache.session_prefix)",
                quoted(&[&self.settings.prefix, id].concat())
            ))),
        }
    }

    /// Stores a session for `life` seconds. *May bail out.*
    ///
    /// # Errors
    ///
    /// What keeps it from being stored; that the lock was lost.
    pub(crate) fn write(&self, id: &[u8], value: &[u8], life: i64) -> Result<(), Failure> {
        let key = self.key(id)?;
        self.check_lock(&key)?;
        let seconds = u64::try_from(life).unwrap_or(0);
        let ttl = NonZeroU64::new(seconds.saturating_mul(1000)).unwrap_or(NonZeroU64::MIN);
        let mut text = Zval::new();
        text.set_zend_string(ffi::string(value)?);
        ops::put(&self.handle, &key, &text, None, Some(ttl), Put::Always)?;
        Ok(())
    }

    /// Removes a session.
    ///
    /// # Errors
    ///
    /// What keeps it from being removed.
    pub(crate) fn destroy(&mut self, id: &[u8]) -> Result<(), Failure> {
        let key = self.key(id)?;
        ops::delete(&self.handle, &key)?;
        self.held = None;
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

    fn key(&self, id: &[u8]) -> Result<Vec<u8>, Failure> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b',');
        if id.is_empty() || id.len() > LONGEST_ID || !id.iter().all(allowed) {
            return Err(Failure::Invalid(format!(
                "a session id has 1 to {LONGEST_ID} of the characters A-Z, a-z, 0-9, \"-\" and \",\", {} \
                 given",
                quoted(id)
            )));
        }
        Ok(id.to_vec())
    }

    /// Takes the lock of a session, after giving another one back.
    fn lock(&mut self, key: &[u8]) -> Result<(), Failure> {
        if !self.settings.locking || self.held.as_ref().is_some_and(|held| held.key == key) {
            return Ok(());
        }
        self.held = None;
        let name = [key, b"~lock"].concat();
        let give_up = Instant::now() + self.settings.wait;
        let mut pause = FIRST_PAUSE;
        loop {
            let until = Instant::now() + Duration::from_millis(self.settings.lock.get());
            if let Some(lock) = Lock::take(&self.handle, &name, self.settings.lock)? {
                let key = key.to_vec();
                self.held = Some(Held { lock, key, until });
                return Ok(());
            }
            if Instant::now() >= give_up {
                return Err(Failure::Server(format!(
                    "another request has had this session locked for {} ms \
                     (tagcache.session_lock_wait_ms); call session_write_close() as soon as the \
                     session is not needed any more",
                    self.settings.wait.as_millis()
                )));
            }
            // Not all at the same time.
            thread::sleep(pause.mul_f64(0.5 + (lock::random() % 1024) as f64 / 1024.0));
            pause = (pause * 3 / 2).min(LAST_PAUSE);
        }
    }

    /// Fails if the session was locked and is no longer.
    fn check_lock(&self, key: &[u8]) -> Result<(), Failure> {
        let Some(held) = self.held.as_ref().filter(|held| held.key == key) else {
            return Ok(());
        };
        if Instant::now() < held.until || held.lock.is_held(&self.handle)? {
            return Ok(());
        }
        Err(Failure::Server(format!(
            "the session was locked for longer than {} ms (tagcache.session_lock_ms), so another \
             request may have changed it: it is not written",
            self.settings.lock
        )))
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
