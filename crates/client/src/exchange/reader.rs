//! Cuts what arrives into replies, each in the place of its command.

use std::io;

use crate::conn::{Connection, Wait};
use crate::deadline::Deadline;
use crate::error::{Phase, ProtocolFault};
use crate::proto::{Commands, Malformed, Replies, Verb, parse};
use crate::seal::Seal;

use super::Cause;

/// Room for one receive, at least.
const READ_ROOM: usize = 16 << 10;

/// Where the reading stands. `replies` and `commands` are the same at every call.
#[derive(Debug)]
pub(super) struct Reader {
    seal: Option<Seal>,
    /// Whether the line that has to follow the last reply is still to come.
    seal_due: bool,
    max_reply_bytes: usize,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where that line has been searched for its end.
    scanned: usize,
    received: bool,
}

impl Reader {
    pub(super) fn new(seal: Option<Seal>, max_reply_bytes: usize) -> Self {
        Self {
            seal_due: seal.is_some(),
            seal,
            // Replies keep their length in 32 bits.
            max_reply_bytes: max_reply_bytes.min(u32::MAX as usize),
            line: 0,
            scanned: 0,
            received: false,
        }
    }

    pub(super) fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    /// Returns whether any byte has arrived.
    pub(super) fn received(&self) -> bool {
        self.received
    }

    /// Returns whether every line is in.
    pub(super) fn is_done(&self, commands: &Commands, replies: &Replies) -> bool {
        self.due(commands, replies) == 0
    }

    /// Returns how many lines have to come yet.
    fn due(&self, commands: &Commands, replies: &Replies) -> usize {
        commands.lines() - replies.lines() + usize::from(self.seal_due)
    }

    /// Takes what has arrived, without waiting but not beyond the deadline. Returns whether anything had.
    pub(super) fn drain(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<bool, Cause> {
        let mut any = false;
        while !self.is_done(commands, replies) {
            match self.receive(connection, commands, Wait::Never, deadline, replies) {
                Ok(_) => {
                    any = true;
                    // A peer that sends as fast as this receives gives no occasion to wait.
                    if !self.is_done(commands, replies) && deadline.remaining().is_none() {
                        return Err(Cause::TimedOut(Phase::Read));
                    }
                }
                Err(Cause::Io(_, error)) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(cause) => return Err(cause),
            }
        }
        Ok(any)
    }

    /// Receives once and cuts; returns how many bytes came. Fails if the last line is in and something follows it.
    pub(super) fn receive(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        wait: Wait,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<usize, Cause> {
        let bytes = &mut replies.bytes;
        if bytes.capacity() - bytes.len() < READ_ROOM / 4 {
            // Doubles, so that a long reply is moved a bounded number of times.
            bytes.reserve(READ_ROOM.max(bytes.len()));
        }
        match connection.recv(bytes, wait, deadline) {
            Ok(0) => Err(Cause::PeerClosed),
            Ok(received) => {
                self.received = true;
                let before = self.due(commands, replies);
                let cut = self.cut(commands, replies);
                connection.settle(before - self.due(commands, replies));
                cut.map(|()| received)
            }
            Err(error) => Err(Cause::of(Phase::Read, error, deadline)),
        }
    }

    /// Cuts the complete lines off.
    fn cut(&mut self, commands: &Commands, replies: &mut Replies) -> Result<(), Cause> {
        for _ in 0..self.due(commands, replies) {
            let bytes = &replies.bytes;
            let Some(length) = memchr::memchr(b'\n', &bytes[self.scanned..]) else {
                self.scanned = bytes.len();
                return self.check_length(self.scanned);
            };
            let end = self.scanned + length;
            self.check_length(end)?;
            self.take(end, commands, replies)?;
            self.line = end + 1;
            self.scanned = self.line;
        }
        match replies.bytes.len() - self.line {
            0 => Ok(()),
            bytes => Err(Cause::Protocol(ProtocolFault::Surplus { bytes })),
        }
    }

    /// Takes the line that ends at `end` for what is due next.
    #[inline]
    fn take(
        &mut self,
        end: usize,
        commands: &Commands,
        replies: &mut Replies,
    ) -> Result<(), Cause> {
        let line = &replies.bytes[self.line..end];
        let Some(&verb) = commands.verbs().get(replies.lines()) else {
            if self.seal().map(Seal::reply) == Some(line) {
                self.seal_due = false;
                return Ok(());
            }
            return Err(Cause::Protocol(ProtocolFault::OutOfStep {
                line: excerpt(line),
            }));
        };
        let (kept, skip) = parse(verb, line).map_err(|Malformed| {
            Cause::Protocol(ProtocolFault::Unexpected {
                verb: verb.name(),
                line: excerpt(line),
            })
        })?;
        if verb == Verb::Seed {
            replies.keep_seed();
        } else {
            replies.keep(kept, self.line + skip, end);
        }
        Ok(())
    }

    fn check_length(&self, end: usize) -> Result<(), Cause> {
        if end - self.line > self.max_reply_bytes {
            Err(Cause::TooLarge)
        } else {
            Ok(())
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Reader {
    /// Takes `bytes` as if they had been received.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        commands: &Commands,
        replies: &mut Replies,
    ) -> Result<(), Cause> {
        replies.bytes.extend_from_slice(bytes);
        self.cut(commands, replies)
    }
}

/// Shows the beginning of a line from the network in an error message: printable, and not all of it.
fn excerpt(line: &[u8]) -> String {
    const SHOWN: usize = 40;
    let mut text = line[..line.len().min(SHOWN)].escape_ascii().to_string();
    if line.len() > SHOWN {
        text.push_str("...");
    }
    text
}
