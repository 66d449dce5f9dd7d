//! The TagCache client that the PHP extension is built on: a pool of exclusively owned connections and the wire
//! protocol. It knows nothing of PHP: bytes in, owned replies out, so no Zend call can happen while a connection is
//! checked out. The rules that comments name, L1 to L7, are defined in the extension's `src/lib.rs`; the invariants
//! of the pool, P1 to P7, in the header of [`pool`]. What PHP means by a number and by a serialized string is part of
//! how values are stored, so [`codec`] has it.
//!
//! The house, from the outside in:
//!
//! | module | owns |
//! |---|---|
//! | [`call()`] | one call: deadline, check-out, exchange, the one retry, check-in |
//! | [`ask_all`] | whether servers are there, asked beside the pools |
//! | [`Fanout`] | many commands over several connections at once, without blocking |
//! | `held` | how a thread that holds connections gets another (rule L3) |
//! | [`Breaker`] | whether a connection may be opened just now |
//! | [`pool`] | who may use which connection: gate, guard, idle queue, lifetimes |
//! | `exchange`, `seal` | commands out, replies in, on one guard, in step and without deadlock |
//! | `conn` | a socket: connecting, sending, receiving, probing |
//! | [`proto`] | commands to bytes, bytes to replies |
//! | [`codec`] | values to bytes and back |
//! | [`config`], [`deadline`], [`error`], [`fork`] | the words they all use |
//!
//! # Examples
//!
//! ```no_run
//! use tagcache_client::{
//!     CallLimits, Commands, Deadline, Endpoint, Pool, PoolConfig, Replies, Reply, call,
//! };
//!
//! let pool = Pool::new(PoolConfig::new(Endpoint::tcp("127.0.0.1", 1984)));
//! let mut commands = Commands::new();
//! commands.get(b"greeting")?;
//! let mut replies = Replies::new();
//! let limits = CallLimits::default();
//! let deadline = Deadline::after(limits.timeout);
//! call(&pool, &limits, &deadline, &commands, &mut replies)?;
//! if let Reply::Value(bytes) = replies.get(0) {
//!     println!("{} bytes", bytes.len());
//! }
//! # Ok::<(), tagcache_client::Error>(())
//! ```
#![deny(unsafe_code)]
#![cfg_attr(test, allow(unused_results))]

pub mod codec;
pub mod config;
pub mod deadline;
pub mod error;
pub mod fork;
pub mod pool;
pub mod proto;

/// What the benches reach into. Not part of the API.
#[doc(hidden)]
pub mod bench {
    pub use crate::pool::bare::{BareGuard, BarePool, Maker};
}

mod advice;
mod ask;
mod breaker;
mod call;
mod conn;
mod exchange;
mod fanout;
mod held;
mod history;
#[cfg(all(test, not(any(loom, shuttle))))]
mod matrix_test;
mod random;
mod seal;
mod sync;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod properties;

pub use ask::ask_all;
pub use breaker::{Breaker, Outage};
pub use call::call;
pub use codec::{
    Algorithm, Compression, DecodeError, Decoded, MAX_DECOMPRESSED, Room, Value, decode,
    decode_within, is_text, unpack_string,
};
pub use config::{CallLimits, Endpoint, KeepAlive, PoolConfig};
pub use deadline::Deadline;
pub use error::{Error, ErrorKind, Phase, ProtocolFault};
pub use fanout::Fanout;
pub use history::{History, MINUTE};
pub use pool::{
    ConnectionGuard, LastMinute, Latencies, Latency, Pool, PoolStats, Traffic,
    guards_on_this_thread,
};
pub use proto::{
    Commands, InvalidName, InvalidPrefix, Mark, NameKind, NameReason, Namespace, Replies, Reply,
    ServerStats, TagList, TagMatch, Timing,
};
pub use random::{random, random_unit};
