//! An exchange: commands out and replies in, on one connection, by one deadline.
//!
//! It succeeds only when exactly the expected replies have arrived and not a byte more: since order is the only
//! thing that ties a reply to its command, one surplus line means that none of them can be trusted. Then, when a
//! line can't be the reply to its command, and when the [`Seal`] of a batch is not where it has to be, every reply
//! of the exchange is thrown away and the connection is closed.
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
use crate::seal::Seal;

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

/// Sends `commands` and reads their replies into `replies`, which must be empty. On failure the connection is
/// spoilt, and `replies` holds the replies that were complete: none if the framing is in doubt or if a reply could
/// have been pushed out of its place.
pub(crate) fn run(
    connection: &mut Connection,
    commands: &Commands,
    max_reply_bytes: usize,
    deadline: &Deadline,
    replies: &mut Replies,
) -> Result<(), Failure> {
    let seal = commands.wants_seal().then(Seal::draw);
    let sealing = seal.as_ref().map_or(&[][..], Seal::command);
    connection.begin(commands.len() + usize::from(seal.is_some()));
    let mut outgoing = Outgoing {
        head: commands.bytes(),
        tail: sealing,
        sent: false,
    };
    let seal_reply = seal.as_ref().map(Seal::reply);
    let mut reader = Reader::new(commands.verbs(), seal_reply, max_reply_bytes, replies);
    let done = send_all(connection, &mut outgoing, deadline, &mut reader)
        .and_then(|()| receive_rest(connection, deadline, &mut reader))
        .and_then(|()| reader.finish());
    done.map_err(|cause| {
        connection.spoil();
        let received = reader.received;
        if seal.is_some() || matches!(cause, Cause::Protocol(_)) {
            // Without its seal a batch of reads is not known to be in step, as far as it came.
            replies.void();
        }
        Failure {
            cause,
            sent: outgoing.sent,
            received,
        }
    })
}

/// What is still to be sent.
struct Outgoing<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    /// Whether the kernel took anything yet.
    sent: bool,
}

impl Outgoing<'_> {
    fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    fn advance(&mut self, sent: usize) {
        self.sent |= sent > 0;
        let of_head = sent.min(self.head.len());
        self.head = &self.head[of_head..];
        self.tail = &self.tail[sent - of_head..];
    }
}

fn send_all(
    connection: &mut Connection,
    outgoing: &mut Outgoing<'_>,
    deadline: &Deadline,
    reader: &mut Reader<'_>,
) -> Result<(), Cause> {
    let duplex = outgoing.len() > FITS_SEND_BUFFER;
    let wait = if duplex { Wait::Never } else { Wait::Armed };
    while outgoing.len() > 0 {
        match connection.send(outgoing.head, outgoing.tail, wait, deadline) {
            Ok(sent) => outgoing.advance(sent),
            Err(error) if duplex && error.kind() == io::ErrorKind::WouldBlock => {
                if !reader.drain(connection, deadline)? {
                    connection
                        .wait_ready(true, deadline)
                        .map_err(|error| cause(Phase::Write, error, deadline))?;
                }
            }
            Err(error) => {
                // A server that refuses says why before it hangs up: its word beats "connection reset".
                let last_words = outgoing.sent && reader.drain(connection, deadline).is_ok();
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
    /// The line that has to follow the last reply, until it has.
    seal: Option<&'a [u8]>,
    max_reply_bytes: usize,
    replies: &'a mut Replies,
    /// Where the line begins that is not complete yet.
    line: usize,
    /// Up to where that line has been searched for its end.
    scanned: usize,
    received: bool,
}

impl<'a> Reader<'a> {
    fn new(
        verbs: &'a [Verb],
        seal: Option<&'a [u8]>,
        max_reply_bytes: usize,
        replies: &'a mut Replies,
    ) -> Self {
        Self {
            verbs,
            seal,
            // Replies keep their length in 32 bits.
            max_reply_bytes: max_reply_bytes.min(u32::MAX as usize),
            replies,
            line: 0,
            scanned: 0,
            received: false,
        }
    }

    fn is_done(&self) -> bool {
        self.due() == 0
    }

    /// Returns how many lines have to come yet.
    fn due(&self) -> usize {
        self.verbs.len() - self.replies.len() + usize::from(self.seal.is_some())
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
                let before = self.due();
                let cut = self.cut();
                connection.settle(before - self.due());
                cut
            }
            Err(error) => Err(cause(Phase::Read, error, deadline)),
        }
    }

    /// Cuts the complete lines off.
    fn cut(&mut self) -> Result<(), Cause> {
        while !self.is_done() {
            let bytes = &self.replies.bytes;
            let Some(length) = memchr::memchr(b'\n', &bytes[self.scanned..]) else {
                self.scanned = bytes.len();
                return self.check_length(self.scanned);
            };
            let end = self.scanned + length;
            self.check_length(end)?;
            self.take(end)?;
            self.line = end + 1;
            self.scanned = self.line;
        }
        Ok(())
    }

    /// Takes the line that ends at `end` for what is due next.
    fn take(&mut self, end: usize) -> Result<(), Cause> {
        let line = &self.replies.bytes[self.line..end];
        let Some(&verb) = self.verbs.get(self.replies.len()) else {
            if self.seal.take() == Some(line) {
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
        self.replies.keep(kept, self.line + skip, end);
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
