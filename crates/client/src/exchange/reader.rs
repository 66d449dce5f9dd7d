//! Cuts what arrives into replies, each in the place of its command, and keeps their text as long as there is room.

use std::io;

use crate::config::CallLimits;
use crate::conn::{Connection, Wait};
use crate::deadline::Deadline;
use crate::error::{Phase, ProtocolFault};
use crate::proto::{Commands, Kept, Malformed, Replies, Verb, parse};
use crate::seal::Seal;

use super::Cause;

/// Room for one receive, at least.
const READ_ROOM: usize = 16 << 10;

/// How much is kept of a line that does not fit: enough to tell what it is, and longer than any reply without stored
/// text.
const HEAD: usize = 128;

/// Where the reading stands. `replies` and `commands` are the same at every call.
#[derive(Debug)]
pub(super) struct Reader {
    seal: Option<Seal>,
    /// Whether the line that has to follow the last reply is still to come.
    seal_due: bool,
    /// How many lines answer commands.
    lines: usize,
    max_reply_bytes: usize,
    max_call_bytes: usize,
    /// How many bytes the replies of this exchange may have: what others of the same call hold is taken off.
    room: usize,
    /// Whether a reply did not fit: from there on no text is kept.
    full: bool,
    /// How many bytes of the line that is not complete yet were not kept.
    skipped: usize,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where that line has been searched for its end.
    scanned: usize,
    received: bool,
}

impl Reader {
    pub(super) fn new(seal: Option<Seal>, commands: &Commands, limits: &CallLimits) -> Self {
        Self {
            seal_due: seal.is_some(),
            seal,
            lines: commands.lines(),
            // Replies keep their length in 32 bits.
            max_reply_bytes: limits.max_reply_bytes.min(u32::MAX as usize),
            max_call_bytes: limits.max_call_bytes,
            room: limits.max_call_bytes,
            full: false,
            skipped: 0,
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

    /// Returns whether a reply did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Notes that others of the same call hold so many bytes.
    pub(super) fn share(&mut self, elsewhere: usize) {
        self.room = self.max_call_bytes.saturating_sub(elsewhere);
    }

    /// Returns how many bytes the replies of this exchange may have, about.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Expects replies to the first `lines` commands only. Returns how many fewer that are.
    pub(super) fn end_at(&mut self, lines: usize) -> usize {
        std::mem::replace(&mut self.lines, lines) - lines
    }

    /// Returns whether every line is in.
    pub(super) fn is_done(&self, replies: &Replies) -> bool {
        self.due(replies) == 0
    }

    /// Returns how many lines have to come yet.
    fn due(&self, replies: &Replies) -> usize {
        self.lines - replies.lines() + usize::from(self.seal_due)
    }

    /// Returns the verb that the next line answers, `None` if that is the seal's.
    #[inline]
    fn verb(&self, commands: &Commands, replies: &Replies) -> Option<Verb> {
        let next = replies.lines();
        let verb = commands.verbs().get(next).copied();
        verb.filter(|_| next < self.lines)
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
        while !self.is_done(replies) {
            match self.receive(connection, commands, Wait::Never, deadline, replies) {
                Ok(_) => {
                    any = true;
                    // A peer that sends as fast as this receives gives no occasion to wait.
                    if !self.is_done(replies) && deadline.remaining().is_none() {
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
                let before = self.due(replies);
                let cut = self.cut(commands, replies);
                connection.settle(before - self.due(replies));
                cut.map(|()| received)
            }
            Err(error) => Err(Cause::of(Phase::Read, error, deadline)),
        }
    }

    /// Cuts the complete lines off.
    fn cut(&mut self, commands: &Commands, replies: &mut Replies) -> Result<(), Cause> {
        if self.full {
            return self.sift(commands, replies);
        }
        for _ in 0..self.due(replies) {
            let bytes = &replies.bytes;
            let Some(length) = memchr::memchr(b'\n', &bytes[self.scanned..]) else {
                let end = bytes.len();
                self.check_length(end)?;
                if self.is_too_much(end, commands, replies) {
                    return self.sift(commands, replies);
                }
                self.scanned = end;
                return Ok(());
            };
            let end = self.scanned + length;
            self.check_length(end)?;
            if end > self.room && self.is_too_much(end, commands, replies) {
                return self.sift(commands, replies);
            }
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
        let Some(verb) = self.verb(commands, replies) else {
            return self.take_seal(line);
        };
        let (kept, skip) = parse(verb, line).map_err(|Malformed| unexpected(verb, line))?;
        if verb == Verb::Seed {
            replies.keep_seed();
        } else {
            replies.keep(kept, self.line + skip, end);
        }
        Ok(())
    }

    fn take_seal(&mut self, line: &[u8]) -> Result<(), Cause> {
        if self.seal().map(Seal::reply) == Some(line) {
            self.seal_due = false;
            return Ok(());
        }
        Err(Cause::Protocol(ProtocolFault::OutOfStep {
            line: excerpt(line),
        }))
    }

    /// Returns whether there is no room for the line up to `end`. What comes alone has all that it needs, and what is
    /// short and nobody has stored is no burden.
    #[cold]
    fn is_too_much(&self, end: usize, commands: &Commands, replies: &Replies) -> bool {
        let alone = self.line == 0 && self.room == self.max_call_bytes;
        let verb = self.verb(commands, replies);
        end > self.room
            && !alone
            && verb.is_some_and(|verb| verb.returns_text() || end - self.line > HEAD)
    }

    /// As `cut`, when no more text is kept: of each line what tells its kind, moved up to where the kept ones end.
    #[cold]
    #[inline(never)]
    fn sift(&mut self, commands: &Commands, replies: &mut Replies) -> Result<(), Cause> {
        self.full = true;
        // Where what is kept ends, and where the line begins that is looked at.
        let (mut kept_end, mut start) = (self.line, self.line);
        for _ in 0..self.due(replies) {
            let line_end = memchr::memchr(b'\n', &replies.bytes[self.scanned..]);
            let end = line_end.map_or(replies.bytes.len(), |length| self.scanned + length);
            if end - start + self.skipped > self.max_reply_bytes {
                return Err(Cause::TooLarge);
            }
            let head = (end - start).min(HEAD);
            if line_end.is_none() {
                replies.bytes.copy_within(start..start + head, kept_end);
                replies.bytes.truncate(kept_end + head);
                self.skipped += end - start - head;
                (self.line, self.scanned) = (kept_end, kept_end + head);
                return Ok(());
            }
            let line = &replies.bytes[start..start + head];
            match self.verb(commands, replies) {
                None => {
                    let line = line.to_owned();
                    self.take_seal(&line)?;
                }
                Some(verb) => {
                    let (kept, skip) =
                        parse(verb, line).map_err(|Malformed| unexpected(verb, line))?;
                    if matches!(kept, Kept::Value | Kept::Keys) {
                        replies.leave_out();
                    } else {
                        let begin = kept_end;
                        kept_end += head - skip;
                        replies.bytes.copy_within(start + skip..start + head, begin);
                        if verb == Verb::Seed {
                            replies.keep_seed();
                        } else {
                            replies.keep(kept, begin, kept_end);
                        }
                    }
                }
            }
            start = end + 1;
            self.scanned = start;
            self.skipped = 0;
        }
        let bytes = replies.bytes.len() - start;
        replies.bytes.truncate(kept_end);
        (self.line, self.scanned) = (kept_end, kept_end);
        match bytes {
            0 => Ok(()),
            bytes => Err(Cause::Protocol(ProtocolFault::Surplus { bytes })),
        }
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

fn unexpected(verb: Verb, line: &[u8]) -> Cause {
    Cause::Protocol(ProtocolFault::Unexpected {
        verb: verb.name(),
        line: excerpt(line),
    })
}

/// Shows the beginning of a line in an error message: printable, and not all of it.
pub(crate) fn excerpt(line: &[u8]) -> String {
    const SHOWN: usize = 40;
    let mut text = line[..line.len().min(SHOWN)].escape_ascii().to_string();
    if line.len() > SHOWN {
        text.push_str("...");
    }
    text
}
