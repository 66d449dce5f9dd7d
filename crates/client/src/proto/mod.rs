//! The wire protocol: one request line, one reply line, both ended by LF, in order and without numbers.
//!
//! Because order is all there is, a request must be exactly one line whatever its arguments contain
//! (`command`, `name`, `tags`, `namespace`), and a reply must be what its request can have caused (`reply`).

mod command;
#[cfg(test)]
mod command_test;
mod name;
mod namespace;
mod reply;
mod tags;
mod verb;

pub use command::{Commands, Mark};
pub use name::{InvalidName, NameKind, NameReason};
pub use namespace::{InvalidPrefix, Namespace};
pub use reply::{Replies, Reply, ServerStats, Timing};
pub use tags::{TagList, TagMatch};

pub(crate) use reply::{Kept, Malformed, parse};
pub(crate) use verb::Verb;
