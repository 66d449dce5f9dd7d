//! A bulk goes in as many exchanges as its size asks for, so that what is held of it beside PHP's
//! own arrays stays small: one up to [`MOST_COMMANDS`] commands and [`MOST_BYTES`] bytes. All of
//! them have one deadline; between two of them no connection is out.

use tagcache_client::{Commands, Deadline};

use crate::error::Failure;
use crate::handle::HandleCell;
use crate::scratch::Buffers;

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
#[derive(Debug)]
pub(super) struct Window<'h> {
    handle: &'h HandleCell,
    deadline: Option<Deadline>,
    most: usize,
    /// Whether an exchange has been made.
    pub(super) begun: bool,
}

impl<'h> Window<'h> {
    /// Makes the exchanges of a bulk whose replies are short.
    pub(super) fn of_writes(handle: &'h HandleCell) -> Self {
        Self {
            handle,
            deadline: None,
            most: MOST_COMMANDS,
            begun: false,
        }
    }

    /// Makes those of a bulk whose replies are values.
    pub(super) fn of_reads(handle: &'h HandleCell) -> Self {
        Self {
            most: FIRST_READS,
            ..Self::of_writes(handle)
        }
    }

    /// Returns the handle that they go through.
    pub(super) fn handle(&self) -> &'h HandleCell {
        self.handle
    }

    /// Returns whether what has been encoded should be sent before more is.
    pub(super) fn is_full(&self, commands: &Commands) -> bool {
        commands.len() >= self.most || commands.byte_len() >= MOST_BYTES
    }

    /// Empties the buffers for the next exchange.
    pub(super) fn clear(buffers: &mut Buffers) {
        buffers.commands.clear(KEEP_BYTES);
    }

    /// Sends what has been encoded and waits for the replies. *May bail out* after it.
    ///
    /// # Errors
    ///
    /// Those of [`HandleCell::call`].
    pub(super) fn call(&mut self, buffers: &mut Buffers) -> Result<(), Failure> {
        self.begun = true;
        self.handle.call_by(&mut self.deadline, buffers)
    }

    /// Chooses how many values are asked for next, by how large the last ones were.
    pub(super) fn adapt(&mut self, buffers: &Buffers) {
        let (count, bytes) = (buffers.replies.len().max(1), buffers.replies.byte_len());
        self.most = (REPLY_BYTES / (bytes / count).max(1)).clamp(1, MOST_COMMANDS);
    }
}
