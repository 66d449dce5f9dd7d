//! A connection: one socket, its armed timeouts, and how far the call on it has come.
//!
//! The progress of a call lives here, inside what the guard owns, so two calls can't share it. The bytes do not:
//! the buffers belong to the caller, and a connection at rest owns no memory but itself. That is possible because
//! a clean connection has nothing buffered by definition: a byte that nobody asked for voids the exchange.

mod connect;
pub(crate) mod sys;

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use socket2::Socket;

use crate::deadline::Deadline;
use crate::pool::{Managed, Traffic};
use crate::random::random;
use crate::seal::Seal;

pub(crate) use connect::{ANSWER_DUE, Handshake, connect};
pub(crate) use sys::Wait;

/// A deadline may be missed by this much before the kernel's timeout is set anew: arming it costs a system call,
/// and the calls of one handle all have the same limit, minus some microseconds.
const ARM_SLACK: Duration = Duration::from_millis(10);

/// A socket to the server, and how far the call on it has come. Reached only through a guard.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    owed: usize,
    spoiled: bool,
    seal_key: u64,
    armed: Option<Duration>,
    traffic: Traffic,
}

impl Connection {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket,
            owed: 0,
            spoiled: false,
            seal_key: random(),
            armed: None,
            traffic: Traffic::default(),
        }
    }

    /// Makes the seal for a batch on this connection.
    pub(crate) fn seal(&self) -> Seal {
        Seal::new(self.seal_key)
    }

    /// Begins an exchange that `replies` replies end: from now on the connection is dirty (rule L5).
    pub(crate) fn begin(&mut self, replies: usize) {
        debug_assert!(
            self.is_clean(),
            "BUG: L5, an exchange on a dirty connection"
        );
        self.owed = replies;
    }

    /// Notes that `replies` more replies are in.
    pub(crate) fn settle(&mut self, replies: usize) {
        self.owed -= replies;
    }

    /// Makes the connection unfit for ever: what comes from it can't be told apart any more.
    pub(crate) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// Receives into `buffer`'s spare capacity. If it may wait: by `deadline`, of which the clock must have been read
    /// since the caller last waited for anything.
    pub(crate) fn recv(
        &mut self,
        buffer: &mut Vec<u8>,
        wait: Wait,
        deadline: &Deadline,
    ) -> io::Result<usize> {
        loop {
            if wait == Wait::Armed {
                self.arm(deadline)?;
            }
            match sys::recv(&self.socket, buffer, wait) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => deadline.look(),
                // The kernel's timeout may have been armed for a shorter call: what counts is the deadline.
                Err(error) if wait == Wait::Armed && error.kind() == io::ErrorKind::WouldBlock => {
                    deadline.look();
                }
                done => {
                    self.traffic.received += *done.as_ref().unwrap_or(&0) as u64;
                    return done;
                }
            }
        }
    }

    /// Sends what the kernel takes at once of `head` and then `tail`.
    pub(crate) fn send(&mut self, head: &[u8], tail: &[u8]) -> io::Result<usize> {
        loop {
            match sys::send(&self.socket, head, tail) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => {
                    self.traffic.sent += *done.as_ref().unwrap_or(&0) as u64;
                    return done;
                }
            }
        }
    }

    /// Waits until there is something to read (or, with `write`, room to send), by `deadline`.
    pub(crate) fn wait_ready(&self, write: bool, deadline: &Deadline) -> io::Result<()> {
        loop {
            let left = deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
            match sys::poll(self.socket.as_fd(), write, left) {
                Ok(true) => {
                    deadline.look();
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns how many bytes have arrived that nobody has received yet, 0 if the system does not say.
    pub(crate) fn unread(&self) -> usize {
        sys::unread(self.socket.as_fd()).unwrap_or(0)
    }

    /// Returns the descriptor, to wait for.
    pub(crate) fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    fn arm(&mut self, deadline: &Deadline) -> io::Result<()> {
        let left = deadline.remaining_lately().ok_or(io::ErrorKind::TimedOut)?;
        // Calls of one handle that have not waited have the very same time left.
        if self.armed == Some(left) {
            return Ok(());
        }
        if let Some(span) = rearm(self.armed, left) {
            self.socket.set_read_timeout(Some(span))?;
            self.armed = Some(span);
        }
        Ok(())
    }
}

/// Returns what the kernel's timeout has to be set to, `None` if what is armed will do. An armed span that is too
/// short is harmless (the caller looks at its deadline and waits again) but is not kept below half of what is
/// left, or a long wait would be cut into many.
fn rearm(armed: Option<Duration>, left: Duration) -> Option<Duration> {
    match armed {
        Some(armed) if armed <= left + ARM_SLACK && armed >= left / 2 => None,
        // Below a microsecond the kernel's zero would mean "for ever".
        _ => Some(left.max(Duration::from_millis(1))),
    }
}

impl Managed for Connection {
    type Handshake = Handshake;

    /// End of file, an error and an unread byte all end the connection; the last is a reply that nobody is waiting
    /// for.
    fn is_quiet(&self) -> bool {
        loop {
            match sys::is_quiet(self.socket.as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                quiet => return quiet.unwrap_or(false),
            }
        }
    }

    fn is_clean(&self) -> bool {
        self.owed == 0 && !self.spoiled
    }

    fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_kernel_timeout_is_set_once_for_calls_of_one_limit() {
        assert_eq!(rearm(None, 5000 * MS), Some(5000 * MS));
        assert_eq!(rearm(Some(5000 * MS), 4999 * MS), None);
        assert_eq!(rearm(Some(5000 * MS), 4000 * MS), Some(4000 * MS));
        assert_eq!(rearm(Some(100 * MS), 5000 * MS), Some(5000 * MS));
    }

    #[test]
    fn the_kernel_timeout_is_never_zero() {
        assert_eq!(rearm(None, Duration::from_nanos(1)), Some(MS));
        assert_eq!(rearm(Some(50 * MS), Duration::from_nanos(1)), Some(MS));
    }
}
