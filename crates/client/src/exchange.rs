//! An exchange: commands out and replies in, on one connection, by one deadline.
//!
//! It succeeds only when exactly the expected replies have arrived and not a byte more: since order is the only
//! thing that ties a reply to its command, one surplus line means that none of them can be trusted. Then, and when
//! a line can't be the reply to its command, every reply of the exchange is thrown away and the connection is
//! closed.
//!
//! A server that writes each reply before it reads the next command stops reading when nobody takes its replies.
//! A large batch is therefore written and read at the same time: as long as commands are unsent, nothing here
//! blocks on one direction alone. Small ones fit into the socket's buffer, so that sending can't block on the
//! server, and cost two system calls.

use std::io;

use crate::conn::{Connection, Wait};
use crate::deadline::Deadline;
use crate::error::{Phase, ProtocolFault};
use crate::proto::{Commands, Malformed, Replies, Verb, parse};

/// What is sure to fit into an empty send buffer (Linux' smallest default is 16 KiB).
const FITS_SEND_BUFFER: usize = 16 << 10;

/// Room for one receive, at least.
const READ_ROOM: usize = 16 << 10;

/// Why an exchange failed, and what may be concluded for a retry.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// Whether the kernel took any byte of the commands.
    pub(crate) sent: bool,
    /// Whether any byte of a reply arrived.
    pub(crate) received: bool,
}

/// See [`Failure`].
#[derive(Debug)]
pub(crate) enum Cause {
    TimedOut(Phase),
    Io(Phase, io::Error),
    PeerClosed,
    Protocol(ProtocolFault),
    TooLarge,
}

/// Sends `commands` and reads their replies into `replies`, which must be empty. On failure `replies` holds the
/// replies that were complete, none if the framing is in doubt, and the connection is spoilt.
pub(crate) fn run(
    connection: &mut Connection,
    commands: &Commands,
    max_reply_bytes: usize,
    deadline: &Deadline,
    replies: &mut Replies,
) -> Result<(), Failure> {
    connection.begin(commands.len());
    let mut sent = 0;
    let mut reader = Reader::new(commands.verbs(), max_reply_bytes, replies);
    let done = send_all(
        connection,
        commands.bytes(),
        deadline,
        &mut reader,
        &mut sent,
    )
    .and_then(|()| receive_rest(connection, deadline, &mut reader))
    .and_then(|()| reader.finish());
    done.map_err(|cause| {
        connection.spoil();
        let received = reader.received;
        if matches!(cause, Cause::Protocol(_)) {
            replies.void();
        }
        Failure {
            cause,
            sent: sent > 0,
            received,
        }
    })
}

fn send_all(
    connection: &mut Connection,
    bytes: &[u8],
    deadline: &Deadline,
    reader: &mut Reader<'_>,
    sent: &mut usize,
) -> Result<(), Cause> {
    let duplex = bytes.len() > FITS_SEND_BUFFER;
    let wait = if duplex { Wait::Never } else { Wait::Armed };
    while *sent < bytes.len() {
        match connection.send(&bytes[*sent..], wait, deadline) {
            Ok(n) => *sent += n,
            Err(error) if duplex && error.kind() == io::ErrorKind::WouldBlock => {
                if !reader.drain(connection, deadline)? {
                    connection
                        .wait_ready(true, deadline)
                        .map_err(|error| cause(Phase::Write, error, deadline))?;
                }
            }
            Err(error) => {
                // A server that refuses says why before it hangs up: its word beats "connection reset".
                let last_words = *sent > 0 && reader.drain(connection, deadline).is_ok();
                if last_words && reader.is_done() {
                    connection.spoil();
                    return Ok(());
                }
                return Err(cause(Phase::Write, error, deadline));
            }
        }
    }
    Ok(())
}

/// Reads until every reply is in. All commands are sent, so it may block.
fn receive_rest(
    connection: &mut Connection,
    deadline: &Deadline,
    reader: &mut Reader<'_>,
) -> Result<(), Cause> {
    while !reader.is_done() {
        reader.receive(connection, Wait::Armed, deadline)?;
    }
    Ok(())
}

fn cause(phase: Phase, error: io::Error, deadline: &Deadline) -> Cause {
    let timed_out = error.kind() == io::ErrorKind::TimedOut && deadline.remaining().is_none();
    if timed_out {
        Cause::TimedOut(phase)
    } else {
        Cause::Io(phase, error)
    }
}

/// Cuts what arrives into replies.
struct Reader<'a> {
    verbs: &'a [Verb],
    max_reply_bytes: usize,
    replies: &'a mut Replies,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where that line has been searched for its end.
    scanned: usize,
    received: bool,
}

impl<'a> Reader<'a> {
    fn new(verbs: &'a [Verb], max_reply_bytes: usize, replies: &'a mut Replies) -> Self {
        // Replies keep their length in 32 bits.
        let max_reply_bytes = max_reply_bytes.min(u32::MAX as usize);
        Self {
            verbs,
            max_reply_bytes,
            replies,
            line: 0,
            scanned: 0,
            received: false,
        }
    }

    fn is_done(&self) -> bool {
        self.replies.len() == self.verbs.len()
    }

    /// Takes what has arrived, without waiting. Returns whether anything had.
    fn drain(&mut self, connection: &mut Connection, deadline: &Deadline) -> Result<bool, Cause> {
        let mut any = false;
        loop {
            match self.receive(connection, Wait::Never, deadline) {
                Ok(()) => any = true,
                Err(Cause::Io(_, error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(any);
                }
                Err(cause) => return Err(cause),
            }
        }
    }

    /// Receives once and cuts.
    fn receive(
        &mut self,
        connection: &mut Connection,
        wait: Wait,
        deadline: &Deadline,
    ) -> Result<(), Cause> {
        let bytes = &mut self.replies.bytes;
        if bytes.capacity() - bytes.len() < READ_ROOM / 4 {
            // Doubles, so that a long reply is moved a bounded number of times.
            bytes.reserve(READ_ROOM.max(bytes.len()));
        }
        match connection.recv(bytes, wait, deadline) {
            Ok(0) => Err(Cause::PeerClosed),
            Ok(_) => {
                self.received = true;
                let before = self.replies.len();
                let cut = self.cut();
                connection.settle(self.replies.len() - before);
                cut
            }
            Err(error) => Err(cause(Phase::Read, error, deadline)),
        }
    }

    /// Cuts the complete lines off.
    fn cut(&mut self) -> Result<(), Cause> {
        while let Some(&verb) = self.verbs.get(self.replies.len()) {
            let bytes = &self.replies.bytes;
            let Some(length) = memchr::memchr(b'\n', &bytes[self.scanned..]) else {
                self.scanned = bytes.len();
                return self.check_length(self.scanned);
            };
            let end = self.scanned + length;
            self.check_length(end)?;
            let line = &self.replies.bytes[self.line..end];
            let (kept, skip) = parse(verb, line).map_err(|Malformed| {
                Cause::Protocol(ProtocolFault::Unexpected {
                    verb: verb.name(),
                    line: excerpt(line),
                })
            })?;
            self.replies.keep(kept, self.line + skip, end);
            self.line = end + 1;
            self.scanned = self.line;
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

    /// Accepts the exchange if nothing is left over.
    fn finish(&self) -> Result<(), Cause> {
        match self.replies.bytes.len() - self.line {
            0 => Ok(()),
            bytes => Err(Cause::Protocol(ProtocolFault::Surplus { bytes })),
        }
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
