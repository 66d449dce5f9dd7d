//! What a caller decides: where the server is and how its sockets live ([`PoolConfig`], the identity of a pool),
//! and how long one call may take ([`CallLimits`], which belong to a handle and differ freely on one pool).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A host name or an address literal (IPv6 without brackets), and a port.
    Tcp {
        /// The name or address.
        host: String,
        /// The port.
        port: u16,
    },
    /// The path of a Unix domain socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Makes a TCP endpoint.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// TCP keep-alive of an idle connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeepAlive {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes after which the kernel gives the connection up.
    pub count: u32,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60),
            interval: Duration::from_secs(10),
            count: 3,
        }
    }
}

/// What makes two handles share a pool: the endpoint, the size, and how its sockets are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PoolConfig {
    /// Where the server listens.
    pub endpoint: Endpoint,
    /// The most connections that exist at once; at least 1.
    pub size: u32,
    /// TCP keep-alive, or none. Without effect on a Unix socket.
    pub keep_alive: Option<KeepAlive>,
    /// The age at which a connection is closed instead of used again. Each connection draws its own age from the
    /// last tenth before this one, so that connections opened together do not end together.
    pub max_lifetime: Option<Duration>,
    /// The window over which [`Pool::housekeep`](crate::Pool::housekeep) looks at the peak use; connections above
    /// it are closed.
    pub idle_timeout: Option<Duration>,
    /// How many connections the first call opens, and housekeeping leaves open.
    pub min_idle: u32,
}

impl PoolConfig {
    /// Returns the defaults for `endpoint`: 8 connections, keep-alive on, a lifetime of 30 minutes, an idle window
    /// of one minute, no warm-up.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            size: 8,
            keep_alive: Some(KeepAlive::default()),
            max_lifetime: Some(Duration::from_secs(1800)),
            idle_timeout: Some(Duration::from_secs(60)),
            min_idle: 0,
        }
    }
}

/// What belongs to a handle and is passed with each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// The whole call: waiting for a connection, connecting, sending and receiving.
    pub timeout: Duration,
    /// Waiting for a connection, at most; never beyond `timeout`.
    pub acquire_timeout: Duration,
    /// Connecting (name look-up and every address tried), at most; never beyond `timeout`.
    pub connect_timeout: Duration,
    /// How long connecting to a server that can't be reached is left alone at most, while other calls fail at once
    /// (see [`Breaker`](crate::Breaker)). Zero connects at each call that needs a connection, and tells nobody.
    pub connect_backoff: Duration,
    /// A connection that was used within this span is handed out without the probe. Zero probes always, which is
    /// what keeps somebody else's late reply out of this call.
    pub probe_after: Duration,
    /// The longest single reply, in bytes. A longer one is an error and ends the connection.
    pub max_reply_bytes: usize,
    /// What the replies of one call hold of memory at one time, in bytes. A reply that comes alone may be as long as
    /// `max_reply_bytes` says. Beyond it, no more text is kept and no more commands are sent.
    pub max_call_bytes: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            connect_backoff: Duration::from_secs(2),
            probe_after: Duration::ZERO,
            max_reply_bytes: 64 << 20,
            max_call_bytes: 64 << 20,
        }
    }
}
