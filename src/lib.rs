//! The PHP extension `tagcache`: the class `TagCache`, its exceptions, and the functions
//! `tagcache_*`, over the client crate that owns connections and the protocol.
//!
//! `stubs/tagcache.stub.php` says what PHP sees. From the outside in:
//!
//! | module | owns |
//! |---|---|
//! | [`client`] | class `TagCache`: methods, which throw |
//! | [`pipeline`], [`batch`] | classes `TagCache\Pipeline`, `TagCache\Batch`, `TagCache\Future` |
//! | [`collect`] | what those two collect: commands, and what their replies will become |
//! | [`functions`] | the functions, which warn |
//! | [`ops`] | the calls that both share |
//! | [`handle`] | the state in an object; the only way to the client's `call` |
//! | [`value`] | zvals to what the client encodes, and back |
//! | [`options`] | INI settings, array and DSN to what the client takes |
//! | [`metrics`], [`doctor`], [`slowlog`], [`trouble`] | looking inside |
//! | [`remember`], [`session`], [`lock`] | values that a callback makes; sessions; locks in the server |
//! | [`process`] | what a forked child does not share |
//! | [`registry`] | the pools of the process |
//! | [`scratch`] | buffers that a thread uses again |
//! | [`error`] | failures to exceptions and warnings |
//! | [`report`], [`signature`] | arrays of figures; declarations as data |
//! | [`lifecycle`] | start, end of a request, end, `phpinfo()` |
//! | [`ffi`] | raw calls into Zend, the only `unsafe` |
//!
//! Rule L1: no Zend call while a connection is out, because a bailout (`memory_limit`, a fatal
//! error) jumps over Rust frames and skips their destructors. The client's `call` takes bytes and
//! returns bytes, so it holds by construction.
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
mod scratch;
mod seen;
mod session;
mod signature;
mod slowlog;
mod trouble;
mod value;

/// The version of the extension.
const VERSION: &str = env!("CARGO_PKG_VERSION");
