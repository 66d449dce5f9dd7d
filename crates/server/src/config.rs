//! What a server is started with, and the ranges of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::store::OnFull;

/// How a [`Server`](crate::Server) listens and what it may use.
///
/// The default listens on a free port of 127.0.0.1, which is what a test wants; the binary
/// replaces `listen` by its own default, 127.0.0.1:1984.
///
/// # Examples
///
/// ```
/// use tagcached::Config;
///
/// let config = Config { max_connections: 10, ..Config::default() };
/// assert_eq!(config.listen.unwrap().port(), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// TCP address; port 0 takes a free one. None listens on `unix` only.
    pub listen: Option<SocketAddr>,
    /// Path of a Unix socket; None listens on `listen` only.
    pub unix: Option<PathBuf>,
    /// File to write the TCP port to when ready, a line; 0 without TCP. It goes with the server.
    pub port_file: Option<PathBuf>,
    /// Worker threads, 1 to 256. 0 means as many as there are processors.
    pub threads: usize,
    /// Longest request line in bytes, its LF not counted; at least 64. A longer one is answered
    /// `ERR line_too_long` and skipped.
    pub max_line_bytes: usize,
    /// Connections at once, at least 1. For one more, the one that has been idle for longest is
    /// closed, if that is a second at least; otherwise the new one is answered
    /// `ERR too_many_connections` and closed.
    pub max_connections: usize,
    /// How long a connection may do nothing before it is closed, 1 ms to a year; None for ever.
    pub idle_timeout: Option<Duration>,
    /// Bytes the entries may occupy, keys, values, tags and bookkeeping together; at least 4096.
    pub max_memory_bytes: usize,
    /// What a put does when `max_memory_bytes` is reached.
    pub on_full: OnFull,
    /// Unsent reply bytes of one connection from which on its requests are no longer executed or
    /// read; at least 1. A single reply may be longer.
    pub max_output_bytes: usize,
    /// Pause between two sweeps for expired entries, 1 ms to 1 h.
    pub sweep_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            unix: None,
            port_file: None,
            threads: 0,
            max_line_bytes: 64 << 20,
            max_connections: 4096,
            idle_timeout: None,
            max_memory_bytes: 1 << 30,
            on_full: OnFull::Evict,
            max_output_bytes: 1 << 20,
            sweep_interval: Duration::from_millis(100),
        }
    }
}

impl Config {
    /// Checks every range, as [`Server::start`](crate::Server::start) does.
    ///
    /// # Errors
    ///
    /// `InvalidInput` that names the option, its value and the range.
    pub fn check(&self) -> io::Result<()> {
        let bounded = |name: &str, value: usize, least: usize, most: usize| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            let range = match most {
                usize::MAX => format!("at least {least}"),
                _ => format!("{least} to {most}"),
            };
            Err(invalid(format!("{name} is {value}; it must be {range}")))
        };
        if self.listen.is_none() && self.unix.is_none() {
            return Err(invalid("nothing to listen on; give listen or unix".into()));
        }
        bounded("threads", self.threads, 0, 256)?;
        bounded("max_line_bytes", self.max_line_bytes, 64, usize::MAX)?;
        bounded("max_connections", self.max_connections, 1, usize::MAX)?;
        bounded("max_memory_bytes", self.max_memory_bytes, 4096, usize::MAX)?;
        bounded("max_output_bytes", self.max_output_bytes, 1, usize::MAX)?;
        let ms = |time: Duration| usize::try_from(time.as_millis()).unwrap_or(usize::MAX);
        if let Some(timeout) = self.idle_timeout {
            let year = 365 * 24 * 3_600_000;
            bounded("idle_timeout in milliseconds", ms(timeout), 1, year)?;
        }
        let sweep = ms(self.sweep_interval);
        bounded("sweep_interval in milliseconds", sweep, 1, 3_600_000)
    }

    /// The number of worker threads, with 0 resolved.
    pub(crate) fn worker_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(256),
            given => given,
        }
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_in_range() {
        Config::default().check().unwrap();
    }

    #[test]
    fn an_error_names_option_value_and_range() {
        let config = Config {
            max_line_bytes: 3,
            ..Config::default()
        };
        let text = config.check().unwrap_err().to_string();
        assert_eq!(text, "max_line_bytes is 3; it must be at least 64");
        let config = Config {
            threads: 1000,
            ..Config::default()
        };
        let text = config.check().unwrap_err().to_string();
        assert_eq!(text, "threads is 1000; it must be 0 to 256");
        let config = Config {
            listen: None,
            ..Config::default()
        };
        assert!(
            config
                .check()
                .unwrap_err()
                .to_string()
                .contains("nothing to listen on")
        );
    }
}
