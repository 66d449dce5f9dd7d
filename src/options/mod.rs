//! The options of a handle: which there are, their ranges, and how they become what the client
//! takes. They come from INI settings, then from an array or a DSN.

mod codec;
mod dsn;
mod ini;
mod spec;

use std::ffi::OsStr;
use std::net::Ipv6Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::{CallLimits, Endpoint, KeepAlive, PoolConfig};

use self::spec::{DEAD, Id, Kind, SPECS, Setting};
use crate::error::Failure;
use crate::ffi::{self, Items, Key, Owned};
use crate::value::Rules;

pub(crate) use self::codec::words;
pub(crate) use self::ini::{SessionSettings, max_pools, register_ini};
pub(crate) use self::spec::{quantity, quoted, shown};

/// The length of `sun_path` less its NUL: the longest path of a Unix socket.
const MAX_PATH: usize = 107;

/// What a handle was made with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Which pool.
    pub(crate) pool: PoolConfig,
    /// How long its calls may take.
    pub(crate) limits: CallLimits,
    /// How it writes and reads names and values.
    pub(crate) rules: Arc<Rules>,
}

/// Settings while they are collected. INI settings come first and are overridden, wrong ones too.
struct Draft {
    settings: [Setting; SPECS.len()],
    given: [bool; SPECS.len()],
    /// What is wrong with INI settings, by option; for [`Draft::finish`], if nothing overrides them.
    wrong: [Option<Failure>; SPECS.len()],
}

impl Options {
    /// Returns the options of the INI settings alone.
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] that names the setting and its range.
    pub(crate) fn from_ini() -> Result<Self, Failure> {
        Draft::from_ini().finish()
    }

    /// Returns the options of an array. *May bail out* (deprecations).
    ///
    /// # Errors
    ///
    /// [`Failure::Invalid`] that names the option and what was probably meant, or its range;
    /// [`Failure::Thrown`] if an error handler of the user throws.
    pub(crate) fn from_array(options: &ZendHashTable) -> Result<Self, Failure> {
        let mut draft = Owned::new(Draft::from_ini());
        for (key, value) in Items::of(options) {
            let name = match Key::from_zval(&key) {
                Some(Key::Str(name)) => name,
                Some(Key::Int(number)) => {
                    return Err(Failure::Invalid(format!(
                        "options are given by name, as ['host' => '127.0.0.1']; there is no \
                         option {number}"
                    )));
                }
                None => continue,
            };
            if let Some(id) = known(name)? {
                draft.set(id, spec::from_zval(&SPECS[id], value.dereference())?);
            }
        }
        draft.into_inner().finish()
    }

    /// Returns the options of a DSN. *May bail out* (deprecations).
    ///
    /// # Errors
    ///
    /// As [`Options::from_array`].
    pub(crate) fn from_dsn(text: &[u8]) -> Result<Self, Failure> {
        let mut draft = Owned::new(Draft::from_ini());
        for (name, value) in Owned::new(dsn::parse(text)?).iter() {
            if let Some(id) = known(name)? {
                draft.set(id, spec::from_text(&SPECS[id], value, "option")?);
            }
        }
        draft.into_inner().finish()
    }

    /// Returns options of any of these forms, or `None` if `value` is none of them.
    pub(crate) fn from_zval(value: &Zval) -> Option<Result<Self, Failure>> {
        if value.is_null() {
            Some(Self::from_ini())
        } else if let Some(options) = value.array() {
            Some(Self::from_array(options))
        } else {
            value.zend_str().map(|dsn| Self::from_dsn(dsn.as_bytes()))
        }
    }
}

/// Finds an option; `None` for one of the old extension that has no effect.
fn known(name: &[u8]) -> Result<Option<usize>, Failure> {
    if let Some(id) = SPECS.iter().position(|spec| spec.name.as_bytes() == name) {
        return Ok(Some(id));
    }
    if let Some(dead) = DEAD.iter().find(|dead| dead.as_bytes() == name) {
        let text = format!("the option '{dead}' has no effect any more");
        ffi::raise_deprecated(&Owned::new(text));
        return if ffi::exception_is_pending() {
            Err(Failure::Thrown)
        } else {
            Ok(None)
        };
    }
    Err(spec::unknown(name))
}

impl Draft {
    fn from_ini() -> Self {
        let mut draft = Self {
            settings: [const { Setting::Bool(false) }; SPECS.len()],
            given: [false; SPECS.len()],
            wrong: [const { None }; SPECS.len()],
        };
        for (id, spec) in SPECS.iter().enumerate() {
            match ini::read(spec) {
                Ok(setting) => draft.settings[id] = setting,
                Err(failure) => draft.wrong[id] = Some(failure),
            }
        }
        draft
    }

    fn set(&mut self, id: usize, setting: Setting) {
        self.settings[id] = setting;
        self.given[id] = true;
        self.wrong[id] = None;
    }

    /// Returns an option as messages name it: by where its value comes from.
    fn named(&self, id: Id) -> String {
        let name = SPECS[id as usize].name;
        if self.given(id) {
            format!("option '{name}'")
        } else {
            format!("INI setting 'tagcache.{name}'")
        }
    }

    fn given(&self, id: Id) -> bool {
        self.given[id as usize]
    }

    fn text(&self, id: Id) -> &[u8] {
        match &self.settings[id as usize] {
            Setting::Text(text) => text,
            _ => unreachable!("BUG: {id:?} is not a text"),
        }
    }

    fn int(&self, id: Id) -> u64 {
        match self.settings[id as usize] {
            Setting::Int(number) => number,
            _ => unreachable!("BUG: {id:?} is not a number"),
        }
    }

    fn small(&self, id: Id) -> u32 {
        u32::try_from(self.int(id)).expect("BUG: the range of the option exceeds 32 bits")
    }

    fn flag(&self, id: Id) -> bool {
        matches!(self.settings[id as usize], Setting::Bool(true))
    }

    fn ms(&self, id: Id) -> Duration {
        Duration::from_millis(self.int(id))
    }

    /// Returns a time of which 0 means that there is no limit.
    fn limit(&self, id: Id) -> Option<Duration> {
        Some(self.ms(id)).filter(|limit| !limit.is_zero())
    }

    fn finish(mut self) -> Result<Options, Failure> {
        if let Some(failure) = self.wrong.iter_mut().find_map(Option::take) {
            return Err(failure);
        }
        self.check_mode()?;
        let size = self.small(Id::PoolSize);
        let min_idle = self.small(Id::MinIdle);
        if min_idle > size {
            return Err(Failure::Invalid(format!(
                "{} must be an integer from 0 to pool_size ({size}), {min_idle} given",
                self.named(Id::MinIdle)
            )));
        }
        let pool = PoolConfig {
            endpoint: self.endpoint()?,
            size,
            keep_alive: self.flag(Id::EnableKeepAlive).then(|| KeepAlive {
                idle: Duration::from_secs(self.int(Id::KeepAliveIdle)),
                interval: Duration::from_secs(self.int(Id::KeepAliveInterval)),
                count: self.small(Id::KeepAliveCount),
            }),
            max_lifetime: self.limit(Id::MaxLifetimeMs),
            idle_timeout: self.limit(Id::IdleTimeoutMs),
            min_idle,
        };
        let limits = CallLimits {
            timeout: self.ms(Id::TimeoutMs),
            acquire_timeout: self.ms(Id::AcquireTimeoutMs),
            connect_timeout: self.ms(Id::ConnectTimeoutMs),
            connect_backoff: self.ms(Id::ConnectBackoffMs),
            probe_after: self.ms(Id::ProbeAfterMs),
            max_reply_bytes: self.bytes(Id::MaxReplyBytes),
            max_call_bytes: self.bytes(Id::MaxCallBytes),
        };
        let rules = Arc::new(self.rules()?);
        Ok(Options {
            pool,
            limits,
            rules,
        })
    }

    fn check_mode(&self) -> Result<(), Failure> {
        match self.text(Id::Mode) {
            b"tcp" => Ok(()),
            b"http" | b"auto" => Err(Failure::Invalid(format!(
                "{} is '{}', but this extension speaks the TCP protocol only; set it \
                 to 'tcp' or leave it out, and give the TCP port (1984), not that of HTTP",
                self.named(Id::Mode),
                shown(self.text(Id::Mode))
            ))),
            other => Err(Failure::Invalid(format!(
                "{} must be 'tcp', {} given",
                self.named(Id::Mode),
                quoted(other)
            ))),
        }
    }

    fn endpoint(&self) -> Result<Endpoint, Failure> {
        let address_given = self.given(Id::Host) || self.given(Id::Port);
        let path = self.text(Id::Path);
        if !path.is_empty() && self.given(Id::Path) && address_given {
            return Err(Failure::Invalid(
                "option 'path' names a Unix socket and excludes 'host' and 'port'; give one or the \
                 other"
                    .to_owned(),
            ));
        }
        if !path.is_empty() && !address_given {
            if path.len() > MAX_PATH || path[0] != b'/' || path.contains(&0) {
                return Err(Failure::Invalid(format!(
                    "{} must be an absolute path of at most {MAX_PATH} bytes, {} given",
                    self.named(Id::Path),
                    quoted(path)
                )));
            }
            return Ok(Endpoint::Unix(PathBuf::from(OsStr::from_bytes(path))));
        }
        let port = u16::try_from(self.int(Id::Port)).expect("BUG: the range of 'port' is wrong");
        Ok(Endpoint::tcp(self.host()?, port))
    }

    fn host(&self) -> Result<String, Failure> {
        let host = self.text(Id::Host);
        let bracketed = host
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"));
        let name = std::str::from_utf8(bracketed.unwrap_or(host)).unwrap_or("");
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']');
        let advice = if name.is_empty() || name.len() > 255 || name.contains(odd) {
            ""
        } else if (bracketed.is_some() || name.contains(':')) && !is_ipv6(name) {
            " (the port is an option of its own, 'port')"
        } else {
            return Ok(name.to_owned());
        };
        Err(Failure::Invalid(format!(
            "{} must be a host name or an IP address{advice}, {} given",
            self.named(Id::Host),
            quoted(host)
        )))
    }
}

/// Returns whether it is an IPv6 address, which may name its link behind a `%`.
fn is_ipv6(name: &str) -> bool {
    let address = name.split_once('%').map_or(name, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok()
}

/// Returns the options as `var_dump()` shows them: name and value.
pub(crate) fn describe(options: &Options) -> Vec<(&'static str, i64)> {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    vec![
        ("pool_size", i64::from(options.pool.size)),
        ("timeout_ms", ms(options.limits.timeout)),
        ("acquire_timeout_ms", ms(options.limits.acquire_timeout)),
        ("connect_timeout_ms", ms(options.limits.connect_timeout)),
    ]
}

const _: () = assert!(matches!(SPECS[Id::Host as usize].kind, Kind::Text));
