//! Splits a bulk into exchanges of at most [`MOST_COMMANDS`] commands and about [`MOST_BYTES`] bytes, so that little
//! memory is needed beside PHP's own arrays: `mSet` of a million items is more than 120 exchanges, one after the
//! other. The time limit of a call holds for the sum of the exchanges. Encoding and decoding between them does not
//! count, and no connection is checked out meanwhile.
//!
//! How many values are asked for at a time follows from how long the last ones were. Those that were too many all the
//! same (`max_call_bytes`) are asked for again.

use std::time::Duration;

use tagcache_client::Commands;

use crate::error::Failure;
use crate::ffi::Owned;
use crate::handle::HandleCell;
use crate::route::{Route, Wants};
use crate::scratch::Buffers;
use crate::slowlog;

/// The most commands of an exchange.
const MOST_COMMANDS: usize = 8 << 10;
/// No command is added to an exchange that has as many bytes.
const MOST_BYTES: usize = 1 << 20;
/// How many values are asked for first, when nobody knows how large they are.
const FIRST_READS: usize = 1 << 10;
/// How many bytes the replies to one exchange should have, about.
const REPLY_BYTES: usize = 4 << 20;
/// How much memory the commands keep between two exchanges.
const KEEP_BYTES: usize = MOST_BYTES + (64 << 10);

/// The exchanges of one call.
pub(super) struct Window {
    route: Owned<Route>,
    spent: Duration,
    most: usize,
    wants: Wants,
    /// Whether an exchange has been made.
    pub(super) begun: bool,
}

impl Window {
    /// Makes the exchanges of a bulk whose replies are short.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`] if the handle can't be used.
    pub(super) fn of_writes(handle: &HandleCell) -> Result<Self, Failure> {
        Ok(Self {
            route: Owned::new(handle.route()?),
            spent: Duration::ZERO,
            most: MOST_COMMANDS,
            wants: Wants::All,
            begun: false,
        })
    }

    /// Makes those of a bulk whose replies are values.
    ///
    /// # Errors
    ///
    /// As [`Window::of_writes`].
    pub(super) fn of_reads(handle: &HandleCell) -> Result<Self, Failure> {
        Ok(Self {
            most: FIRST_READS,
            wants: Wants::Part,
            ..Self::of_writes(handle)?
        })
    }

    /// Returns whether what has been encoded should be sent before more is.
    pub(super) fn is_full(&self, commands: &Commands) -> bool {
        commands.len() >= self.most || commands.byte_len() >= MOST_BYTES
    }

    /// Empties the buffers for the next exchange.
    pub(super) fn clear(buffers: &mut Buffers) {
        buffers.commands.clear(KEEP_BYTES);
    }

    /// Sends what has been encoded and waits for the replies: to reads perhaps not to all, see
    /// [`Replies::whole`](tagcache_client::Replies::whole). *May bail out* after it.
    ///
    /// # Errors
    ///
    /// Those of [`Route::exchange`].
    pub(super) fn call(&mut self, buffers: &mut Buffers) -> Result<(), Failure> {
        self.begun = true;
        let (commands, replies) = (&buffers.commands, &mut buffers.replies);
        let done = self
            .route
            .exchange(self.spent, commands, replies, self.wants);
        self.spent += replies.timing().total();
        slowlog::write();
        Ok(done?)
    }

    /// Chooses how many values are asked for next, by how large the last ones were.
    pub(super) fn adapt(&mut self, buffers: &Buffers) {
        let (count, bytes) = (buffers.replies.whole().max(1), buffers.replies.byte_len());
        let wanted = REPLY_BYTES.min(self.route.max_call_bytes());
        self.most = (wanted / (bytes / count).max(1)).clamp(1, MOST_COMMANDS);
    }
}
