//! The wire protocol: one request line, one reply line, both ended by LF, in order and without numbers.
//!
//! Because order is all there is, a request must be exactly one line whatever its arguments contain
//! (`command`, `name`, `namespace`), and a reply must be what its request can have caused (`reply`).

mod command;
mod name;
mod namespace;
mod reply;

pub use command::{Commands, Mark, TagList, TagMatch};
pub use name::{InvalidName, NameKind, NameReason};
pub use namespace::{InvalidPrefix, Namespace};
pub use reply::{Replies, Reply, ServerStats, Timing};

pub(crate) use command::Verb;
pub(crate) use reply::{Malformed, parse};
