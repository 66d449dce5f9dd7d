//! `tagcached`: the TagCache protocol in memory.
//!
//! * [`Server`] is the server of the `tagcached` binary: an event loop over `mio`, a few worker
//!   threads, one [`store`]. Tests start it on a free port with `Server::start(Config::default())`.
//! * [`fault::FaultServer`] answers the same commands from the same store and disturbs its replies
//!   by [rules](fault::Rule): it stalls, dribbles, closes or resets where a test tells it to.
//! * [`proto`] is the line protocol: one line in, one reply out.
//!
//! Invariants have a number, and stand where they are kept: S1 to S4 in `conn`, S5 and S6 in `store::tags`, S7 to S10
//! in `store::table`. [`Store::check`](store::Store::check) checks S5 to S10.
//!
//! # Examples
//!
//! ```
//! use std::io::{BufRead, BufReader, Write};
//!
//! let server = tagcached::Server::start(tagcached::Config::default())?;
//! let mut peer = std::net::TcpStream::connect(server.addr())?;
//! peer.write_all(b"PUT\tk\t-\t-\tv\nGET\tk\n")?;
//! let mut replies = BufReader::new(peer).lines();
//! assert_eq!(replies.next().unwrap()?, "OK");
//! assert_eq!(replies.next().unwrap()?, "VALUE\tv");
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod fault;
pub mod proto;
pub mod store;

mod accept;
mod config;
mod conn;
mod listen;
mod order;
mod own_file;
mod server;
mod stream;
mod worker;

pub use crate::config::Config;
pub use crate::server::Server;
pub use crate::store::OnFull;
