//! [`Error`]: what can go wrong in a call, as data. `Display` gives the sentence a user reads: what was tried,
//! where, for how long, and what to do.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error as ThisError;

use crate::advice;
use crate::proto::{InvalidName, Timing};

/// The part of a call that ran out of time or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for a connection of the pool.
    Acquire,
    /// Looking the name up, which is a part of connecting.
    LookUp,
    /// Connecting.
    Connect,
    /// Sending the commands.
    Write,
    /// Waiting for the replies.
    Read,
}

impl Phase {
    /// Returns the word for it: `acquire`, `connect`, `write` or `read`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::LookUp | Self::Connect => "connect",
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was wrong with the bytes of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolFault {
    /// More bytes than replies were asked for.
    Surplus {
        /// How many.
        bytes: usize,
    },
    /// Replies and commands are out of step: the line that closes a batch is another.
    OutOfStep {
        /// The beginning of the line that stood there, escaped.
        line: String,
    },
    /// A line that is no reply to the command it answers.
    Unexpected {
        /// The verb of the command.
        verb: &'static str,
        /// The beginning of the line, escaped.
        line: String,
    },
}

impl fmt::Display for ProtocolFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Surplus { bytes } => {
                write!(
                    f,
                    "{bytes} byte(s) more than were asked for (a stored value with a line feed does that)"
                )
            }
            Self::OutOfStep { line } => write!(
                f,
                "\"{line}\" where the batch had to end (a stored value or key with a line feed does that)"
            ),
            Self::Unexpected { verb, line } => write!(f, "\"{line}\" in reply to {verb}"),
        }
    }
}

/// The coarse kinds of [`Error`], for callers that map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A key or tag that can't go over the wire. Nothing was sent.
    Invalid,
    /// The server could not be reached, or the connection broke.
    Connection,
    /// The deadline passed while connecting, sending or receiving.
    Timeout,
    /// No connection came free in time.
    PoolExhausted,
    /// The server's bytes make no sense; nothing of the exchange was used.
    Protocol,
    /// The pool is closed.
    Closed,
}

/// Why a call failed. The connection it used is closed, the permit is home.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// A key or tag was refused; nothing was sent.
    #[error(transparent)]
    Invalid(#[from] InvalidName),

    /// The host name has no address, or the name server failed.
    #[error("cannot look up the host \"{host}\": {source}; {}", advice::on_looking_up(.source))]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },

    /// Every address failed; the last one's reason.
    #[error("cannot connect to {endpoint}: {source}; {}", advice::on_connecting(.source, .endpoint))]
    Connect {
        /// Where.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },

    /// A dial has just failed, and the next is not due yet: this call did not try.
    #[error(
        "{reason} (this call did not try: it has failed for {} ms, {})",
        .failing.as_millis(),
        match .next_try {
            Some(due) => format!("the next try is due in {} ms", due.as_millis()),
            None => "and another call is trying now".to_owned(),
        }
    )]
    Unreachable {
        /// Where.
        endpoint: String,
        /// What the last dial failed of.
        reason: Arc<str>,
        /// How long ago the first dial that failed had begun.
        failing: Duration,
        /// In what time a call may try again; `None` while one does.
        next_try: Option<Duration>,
    },

    /// No connection came free in time.
    #[error(
        "no connection to {endpoint} came free within {} ms: all {size} of the pool are in use and {waiters} other \
         call(s) wait; raise pool_size or acquire_timeout_ms, or hold fewer at once", .limit.as_millis()
    )]
    PoolExhausted {
        /// Where.
        endpoint: String,
        /// What the wait was limited to.
        limit: Duration,
        /// How long it lasted.
        elapsed: Duration,
        /// The size of the pool.
        size: u32,
        /// How many others were in line.
        waiters: u32,
    },

    /// The deadline passed.
    #[error(
        "{} {endpoint} timed out: no end after {} ms (limit {} ms); {}",
        match .phase {
            Phase::LookUp => "looking up the host of",
            Phase::Connect => "connecting to",
            Phase::Write => "sending to",
            _ => "waiting for a reply of",
        },
        .elapsed.as_millis(), .limit.as_millis(), advice::on_time(*.phase)
    )]
    Timeout {
        /// In which part of the call.
        phase: Phase,
        /// Where.
        endpoint: String,
        /// The limit of that part.
        limit: Duration,
        /// How long it lasted.
        elapsed: Duration,
    },

    /// The connection broke.
    #[error("the connection to {endpoint} broke while {}: {source}",
        match .phase { Phase::Write => "sending", _ => "waiting for a reply" })]
    Io {
        /// In which part of the call.
        phase: Phase,
        /// Where.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },

    /// What a batch waits by could not be had.
    #[error("cannot wait for {endpoint}: {source}; {}", advice::on_waiting(.source))]
    Watch {
        /// Where.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },

    /// The server closed the connection before the last reply.
    #[error(
        "{endpoint} closed the connection after {done} of {expected} replies; it was stopped or restarted, or it \
         refused what was sent"
    )]
    PeerClosed {
        /// Where.
        endpoint: String,
        /// Whole replies that had arrived.
        done: usize,
        /// Replies that were due.
        expected: usize,
    },

    /// The bytes of the server can't be matched to the commands. Every reply of the exchange was thrown away.
    #[error(
        "{endpoint} broke the protocol: {fault}; is it a TagCache server, and who else writes to it?"
    )]
    Protocol {
        /// Where.
        endpoint: String,
        /// What was wrong.
        fault: ProtocolFault,
    },

    /// One reply is longer than allowed.
    #[error(
        "a reply of {endpoint} is longer than {limit} bytes; raise max_reply_bytes if that is expected"
    )]
    ReplyTooLarge {
        /// Where.
        endpoint: String,
        /// The limit in bytes.
        limit: usize,
    },

    /// All replies of a call together are longer than allowed. Those that are there can be used; the commands without
    /// one were not sent. The connection has gone home.
    #[error(
        "the replies of {endpoint} to {sent} of {of} commands have more than {limit} bytes together; the others, from \
         {next} on, were not sent; ask for less at once, or raise max_call_bytes"
    )]
    CallTooLarge {
        /// Where.
        endpoint: String,
        /// The limit in bytes.
        limit: usize,
        /// How many commands were sent, and carried out.
        sent: usize,
        /// How many there were.
        of: usize,
        /// The first that was not sent, as it is shown.
        next: String,
    },

    /// The pool is closed.
    #[error("the pool of {endpoint} is closed")]
    Closed {
        /// Where.
        endpoint: String,
    },

    /// The pool belongs to the process that this one was forked from.
    #[error("the pool of {endpoint} belongs to the parent process; make a new one")]
    Forked {
        /// Where.
        endpoint: String,
    },
}

impl Error {
    /// Returns the coarse kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::Unreachable { .. }
            | Self::Watch { .. }
            | Self::Io { .. }
            | Self::PeerClosed { .. }
            | Self::Forked { .. } => ErrorKind::Connection,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::PoolExhausted { .. } => ErrorKind::PoolExhausted,
            Self::Protocol { .. } | Self::ReplyTooLarge { .. } | Self::CallTooLarge { .. } => {
                ErrorKind::Protocol
            }
            Self::Closed { .. } => ErrorKind::Closed,
        }
    }

    /// Returns what to do about it where the error comes from the way to the server: the end of the message, behind the
    /// last semicolon.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Resolve { source, .. } => Some(advice::on_looking_up(source)),
            Self::Connect { endpoint, source } => Some(advice::on_connecting(source, endpoint)),
            Self::Timeout { phase, .. } => Some(advice::on_time(*phase)),
            Self::Watch { source, .. } => Some(advice::on_waiting(source)),
            _ => None,
        }
    }

    /// Returns how a call that never had a connection spent the time it `took`.
    #[must_use]
    pub fn spent(&self, took: Duration) -> Timing {
        if self.had_permit() {
            Timing {
                wait: Duration::ZERO,
                wire: took,
            }
        } else {
            Timing {
                wait: took,
                wire: Duration::ZERO,
            }
        }
    }

    /// Returns whether a call that never had a connection had at least its permit: what failed to connect had it, what
    /// did not even try had not.
    pub(crate) fn had_permit(&self) -> bool {
        self.phase() != Some(Phase::Acquire) && !matches!(self, Self::Unreachable { .. })
    }

    /// Returns the part of the call that failed, where the error knows it.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Timeout { phase, .. } | Self::Io { phase, .. } => Some(*phase),
            Self::PoolExhausted { .. } => Some(Phase::Acquire),
            Self::Resolve { .. } => Some(Phase::LookUp),
            Self::Connect { .. } | Self::Unreachable { .. } | Self::Watch { .. } => {
                Some(Phase::Connect)
            }
            Self::PeerClosed { .. }
            | Self::Protocol { .. }
            | Self::ReplyTooLarge { .. }
            | Self::CallTooLarge { .. } => Some(Phase::Read),
            _ => None,
        }
    }

    /// Returns the limit that ran out, for the errors of time.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        match self {
            Self::Timeout { limit, .. } | Self::PoolExhausted { limit, .. } => Some(*limit),
            _ => None,
        }
    }

    /// Returns the server that was meant, as the user wrote it; `None` if no server was involved.
    #[must_use]
    pub fn peer(&self) -> Option<&str> {
        match self {
            Self::Invalid(_) => None,
            Self::Resolve { host, .. } => Some(host),
            Self::Connect { endpoint, .. }
            | Self::Unreachable { endpoint, .. }
            | Self::Watch { endpoint, .. }
            | Self::PoolExhausted { endpoint, .. }
            | Self::Timeout { endpoint, .. }
            | Self::Io { endpoint, .. }
            | Self::PeerClosed { endpoint, .. }
            | Self::Protocol { endpoint, .. }
            | Self::ReplyTooLarge { endpoint, .. }
            | Self::CallTooLarge { endpoint, .. }
            | Self::Closed { endpoint }
            | Self::Forked { endpoint } => Some(endpoint),
        }
    }
}
