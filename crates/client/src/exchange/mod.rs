//! An exchange: commands out and replies in, on one connection, by one deadline.
//!
//! It succeeds only when exactly the expected replies have arrived and not a byte more: since order is the only
//! thing that ties a reply to its command, one surplus line means that none of them can be trusted. Then, when a
//! line can't be the reply to its command, and when the [`Seal`] of a batch is not where it has to be, every reply
//! of the exchange is thrown away and the connection is closed.
//!
//! A server that writes each reply before it reads the next command stops reading when nobody takes its replies.
//! A large batch is therefore written and read at the same time: as long as commands are unsent, nothing here
//! blocks on one direction alone. Small ones fit into the socket's buffer and cost two system calls.
//!
//! What the replies hold of memory has a limit: beyond it their text is taken and thrown away, and no command is sent
//! that was not begun, but those that were sent are answered, so that everybody knows what was carried out.
//!
//! [`Transfer`] is how far an exchange has come; [`run`] drives one to its end, blocking, and `fanout` several
//! side by side, without.

#[cfg(all(test, not(any(loom, shuttle))))]
mod deadline_test;
mod pace;
mod reader;

use std::io;

use crate::config::CallLimits;
use crate::conn::{Connection, Wait};
use crate::deadline::Deadline;
use crate::error::{Phase, ProtocolFault};
use crate::proto::{Commands, Replies};
use crate::seal::Seal;

use self::pace::Pace;
use self::reader::Reader;
pub(crate) use self::reader::excerpt;

/// What is given to the kernel at once. It goes on for as long as the peer makes room, whatever the time.
const SEND_AT_ONCE: usize = 128 << 10;
/// So many replies with stored text tell how long such replies usually are.
const ENOUGH: usize = 32;

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

impl Cause {
    fn of(phase: Phase, error: io::Error, deadline: &Deadline) -> Self {
        let timed_out = error.kind() == io::ErrorKind::TimedOut && deadline.remaining().is_none();
        if timed_out {
            Self::TimedOut(phase)
        } else {
            Self::Io(phase, error)
        }
    }
}

/// Sends `commands` and reads their replies into `replies`, which must be empty. On failure the connection is
/// spoilt, and `replies` holds the replies that were complete: none if the framing is in doubt or if a reply could
/// have been pushed out of its place. On success there are fewer replies than commands if they became too much for
/// `limits`; those commands were not sent.
pub(crate) fn run(
    connection: &mut Connection,
    commands: &Commands,
    limits: &CallLimits,
    deadline: &Deadline,
    replies: &mut Replies,
) -> Result<(), Failure> {
    let mut transfer = Transfer::begin(connection, commands, replies, limits);
    transfer
        .finish_blocking(connection, commands, deadline, replies)
        .or_else(|cause| match cause {
            Cause::TimedOut(_)
                if transfer.look_late(connection, commands, deadline, replies)? =>
            {
                Ok(())
            }
            cause => Err(cause),
        })
        .map_err(|cause| transfer.fail(cause, connection, replies))?;
    if transfer.reader.is_full() {
        let whole = commands.verbs().iter().take(replies.whole());
        replies.keep_usual(whole.filter(|verb| verb.returns_text()).count());
    } else if commands.texts() >= ENOUGH {
        replies.keep_usual(commands.texts());
    }
    Ok(())
}

/// What a transfer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Every reply is in, and nothing is left over.
    Done,
    /// Replies have to come yet.
    Read,
    /// Replies have to come, and commands are unsent.
    ReadOrWrite,
}

/// How far an exchange has come. It owns neither commands nor replies nor connection: each of its steps takes them as
/// arguments, always the same ones, so that a call and a fan-out can keep them where they like.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// How many bytes of the commands and the seal have been sent.
    sent: usize,
    pace: Pace,
    reader: Reader,
    /// Whether commands were held back for good.
    stopped: bool,
}

impl Transfer {
    /// Begins: from now on the connection is dirty (rule L5).
    pub(crate) fn begin(
        connection: &mut Connection,
        commands: &Commands,
        replies: &Replies,
        limits: &CallLimits,
    ) -> Self {
        let seal = commands.wants_seal().then(|| connection.seal());
        connection.begin(commands.lines() + usize::from(seal.is_some()));
        Self {
            sent: 0,
            pace: Pace::new(commands, replies, limits.max_call_bytes),
            reader: Reader::new(seal, commands, limits),
            stopped: false,
        }
    }

    /// Notes that other exchanges of the same call hold so many bytes.
    pub(crate) fn share(&mut self, elsewhere: usize) {
        self.reader.share(elsewhere);
    }

    /// Does what can be done without waiting, see [`Transfer::pump`]; if the deadline passes meanwhile, takes what has
    /// come by then.
    pub(crate) fn step(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<Step, Cause> {
        match self.pump(connection, commands, deadline, replies) {
            Err(Cause::TimedOut(_))
                if self.look_late(connection, commands, deadline, replies)? =>
            {
                Ok(Step::Done)
            }
            step => step,
        }
    }

    /// Does what can be done without waiting: sends until the kernel takes no more, receives until it has no more.
    fn pump(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<Step, Cause> {
        loop {
            let blocked = self.send(connection, commands, deadline, replies)?;
            let drained = self.reader.drain(connection, commands, deadline, replies)?;
            if self.reader.is_done(replies) && !blocked {
                return Ok(Step::Done);
            }
            if blocked && !drained {
                return Ok(Step::ReadOrWrite);
            }
            // What has come may allow more to be sent.
            let more = blocked || drained && self.holds_back();
            if !more {
                return Ok(Step::Read);
            }
        }
    }

    /// Goes on until every reply is in.
    fn finish_blocking(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<(), Cause> {
        loop {
            while self.send(connection, commands, deadline, replies)? {
                if !self.reader.drain(connection, commands, deadline, replies)? {
                    connection
                        .wait_ready(true, deadline)
                        .map_err(|error| Cause::of(Phase::Write, error, deadline))?;
                }
            }
            // All is sent that may be: now nothing is lost by waiting for replies alone.
            while !self.reader.is_done(replies) {
                if self.reader.received() {
                    // What has come so far may have taken its time: a peer that dribbles does not stretch the deadline.
                    deadline.look();
                }
                self.reader
                    .receive(connection, commands, Wait::Armed, deadline, replies)?;
                if self.holds_back() {
                    break;
                }
            }
            if self.reader.is_done(replies) {
                return Ok(());
            }
        }
    }

    /// Returns whether commands are held back that may be sent later, or never.
    fn holds_back(&self) -> bool {
        !self.pace.is_over() || self.reader.is_full() && !self.stopped
    }

    /// Allows more commands if the replies fit, and none any more when they don't.
    fn keep_pace(&mut self, connection: &mut Connection, commands: &Commands, replies: &Replies) {
        if !self.holds_back() {
            return;
        }
        if self.reader.is_full() {
            self.stopped = true;
            self.pace.stop(commands, self.sent);
            // What is never sent is not owed.
            connection.settle(self.reader.end_at(self.pace.lines()));
        } else {
            self.pace.go_on(commands, replies, self.reader.room());
        }
    }

    /// Takes what had arrived by now, when the deadline has passed: who was stopped, or looks late, gets what came
    /// in time. Does not wait, sends nothing, and takes no more than lay in the socket at the beginning, as what still
    /// comes has no end. Returns whether that was all of it.
    pub(crate) fn look_late(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<bool, Cause> {
        let mut lying = connection.unread();
        while lying > 0 && !self.reader.is_done(replies) {
            let receive = self
                .reader
                .receive(connection, commands, Wait::Never, deadline, replies);
            match receive {
                Ok(received) => lying = lying.saturating_sub(received),
                Err(cause @ (Cause::Protocol(_) | Cause::TooLarge)) => return Err(cause),
                // The end of the connection, say: what the call failed of is that its time was over.
                Err(_) => break,
            }
        }
        let (head, tail) = self.unsent(commands);
        Ok(head.is_empty() && tail.is_empty() && self.reader.is_done(replies))
    }

    /// Sends until everything is sent that may be or the kernel takes no more. Returns whether anything is left.
    fn send(
        &mut self,
        connection: &mut Connection,
        commands: &Commands,
        deadline: &Deadline,
        replies: &mut Replies,
    ) -> Result<bool, Cause> {
        self.keep_pace(connection, commands, replies);
        loop {
            let (head, tail) = self.unsent(commands);
            if head.is_empty() && tail.is_empty() {
                return Ok(false);
            }
            let all = head.len() + tail.len();
            let (head, tail) = match head.get(..SEND_AT_ONCE) {
                Some(some) => (some, &[][..]),
                None => (head, tail),
            };
            match connection.send(head, tail) {
                Ok(sent) => {
                    self.sent += sent;
                    // A peer that swallows as fast as this sends gives no occasion to wait.
                    if sent < all && deadline.remaining().is_none() {
                        return Err(Cause::TimedOut(Phase::Write));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => {
                    // A server that refuses says why before it hangs up: its word beats "connection reset". So does
                    // a line that is out of step, as then nothing before it can be trusted.
                    if self.sent > 0 {
                        match self.reader.drain(connection, commands, deadline, replies) {
                            Ok(_) if self.reader.is_done(replies) => {
                                connection.spoil();
                                return Ok(false);
                            }
                            Err(fault @ Cause::Protocol(_)) => return Err(fault),
                            _ => {}
                        }
                    }
                    return Err(Cause::of(Phase::Write, error, deadline));
                }
            }
        }
    }

    /// Returns what may be sent now: of the commands, and of the seal behind the last of them.
    fn unsent<'a>(&'a self, commands: &'a Commands) -> (&'a [u8], &'a [u8]) {
        let head = &commands.bytes()[..self.pace.bytes()];
        let seal = self.reader.seal().filter(|_| self.pace.is_over());
        let tail = seal.map_or(&[][..], Seal::command);
        match head.get(self.sent..) {
            Some(rest) => (rest, tail),
            None => (&[], &tail[self.sent - head.len()..]),
        }
    }

    /// Ends a transfer that failed: spoils the connection and removes the replies that can't be trusted.
    pub(crate) fn fail(
        &self,
        cause: Cause,
        connection: &mut Connection,
        replies: &mut Replies,
    ) -> Failure {
        connection.spoil();
        if self.reader.seal().is_some() || matches!(cause, Cause::Protocol(_)) {
            // Without its seal a batch of reads is not known to be in step, as far as it came.
            replies.void();
        }
        Failure {
            cause,
            sent: self.sent > 0,
            received: self.reader.received(),
        }
    }
}

/// Reads what arrives in `chunks` as the replies to `commands`; the end of them is the end of the connection. Returns
/// the replies and why it ended early.
#[cfg(any(test, fuzzing))]
pub(crate) fn replay<'a>(
    commands: &Commands,
    chunks: impl Iterator<Item = &'a [u8]>,
    limits: &CallLimits,
) -> (Replies, Option<Cause>) {
    let mut replies = Replies::new();
    let mut reader = Reader::new(None, commands, limits);
    for chunk in chunks.filter(|chunk| !chunk.is_empty()) {
        if reader.is_done(&replies) {
            // Nobody reads on: the next check-out finds it.
            let bytes = chunk.len();
            let cause = Cause::Protocol(ProtocolFault::Surplus { bytes });
            return (replies, Some(cause));
        }
        if let Err(cause) = reader.feed(chunk, commands, &mut replies) {
            return (replies, Some(cause));
        }
    }
    let cut_off = !reader.is_done(&replies);
    (replies, cut_off.then_some(Cause::PeerClosed))
}
