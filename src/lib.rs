//! The PHP extension `tagcache`: the class `TagCache`, its exceptions, and the functions
//! `tagcache_*`, over the client crate that owns connections and the protocol.
//!
//! `stubs/tagcache.stub.php` says what PHP sees, `docs/internals.md` follows a call through the
//! code. From the top floor to the ground:
//!
//! | floor | module | owns |
//! |---|---|---|
//! | what PHP calls | [`lifecycle`] | start, end of a request, end, `phpinfo()` |
//! | | [`client`] | class `TagCache`: methods, which throw |
//! | | [`functions`] | the functions, which warn |
//! | | [`pipeline`], [`batch`] | classes `TagCache\Pipeline`, `TagCache\Batch`, `TagCache\Future` |
//! | | [`session`] | `session.save_handler = tagcache` |
//! | made of calls | [`collect`] | what pipelines and batches collect: commands, and what their replies will become |
//! | | [`remember`], [`lock`] | values that a callback makes; locks in the server |
//! | a call | [`ops`] | commands from arguments, results from replies |
//! | | [`handle`] | the state in an object |
//! | | [`route`] | the one way to the server, and what is looked at when a call is over |
//! | | [`value`], [`options`] | zvals, and settings, to what the client takes, and back |
//! | | [`registry`], [`scratch`] | the pools of the process; buffers that a thread uses again |
//! | looking inside | [`doctor`], [`metrics`], [`report`] | figures, judged, as text, as arrays |
//! | | [`slowlog`], [`trouble`] | slow calls, last errors |
//! | ground | [`error`], [`signature`] | failures to exceptions and warnings; declarations as data |
//! | | [`process`], [`seen`] | what a forked child does not share; what a walk has met |
//! | | [`ffi`] | raw calls into Zend, the only `unsafe` |
//!
//! Beside [`route`] only [`doctor`]'s `ask_all` leads to a server. Neither calls PHP.
//!
//! # Rules
//!
//! Comments and `docs/` name them by number. A guard is what owns a connection that is checked out.
//!
//! * **L1** No call into Zend while a guard is on the stack: a bailout (`memory_limit`, a fatal
//!   error) jumps over Rust frames and skips their destructors. The client takes bytes and returns
//!   bytes, so values are serialized before a check-out and unserialized after the check-in.
//! * **L2** A guard belongs to one stack frame or one PHP object: it is in no global, in no
//!   thread-local, and has no clone. Nothing else leads to a connection.
//! * **L3** A thread that holds a guard does not wait for another; it takes what is free at once.
//! * **L4** Publish, then release; close, then release: a permit goes back after its connection.
//! * **L5** A connection is dirty before the first byte is sent and clean after the last reply. A
//!   dirty one is closed, never given back.
//! * **L6** One `Deadline` for each call, made where the call comes in and handed down.
//! * **L7** A connection leaves the pool for one of three reasons, each counted: broken, stale
//!   (drained, ended by the server, unread bytes), retired (too old, not needed).
//! * **Z1** The binding `ext_php_rs` is used under `src/` only.
//! * **Z2** No socket, thread or pool is made when PHP starts (MINIT).
//! * **Z3** Every function that PHP calls catches panics.
//! * **Z4** Nothing of Zend is called off a thread of PHP.
//!
//! The invariants of the pool, P1 to P7, are in the header of the client's `pool`; those of the
//! server, S1 to S10, are listed in its `lib.rs`.
#![deny(unsafe_code)]

mod batch;
mod client;
mod collect;
mod doctor;
mod error;
#[allow(unsafe_code)]
mod ffi;
mod functions;
mod handle;
mod lifecycle;
mod lock;
mod metrics;
mod ops;
mod options;
mod pipeline;
mod process;
mod registry;
mod remember;
mod report;
mod route;
mod scratch;
mod seen;
mod session;
mod signature;
mod slowlog;
mod trouble;
mod value;

/// The version of the extension.
const VERSION: &str = env!("CARGO_PKG_VERSION");
