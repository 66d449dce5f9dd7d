//! [`Watch`]: what makes the descriptor of a fan-out readable though no connection has anything to say.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use mio::{Poll, Token, Waker};

/// The tokens of what is no lane.
const BELL: Token = Token(usize::MAX);
#[cfg(target_os = "linux")]
const TIMER: Token = Token(usize::MAX - 1);

/// What rings when all is done, and when the time is over.
#[derive(Debug)]
pub(super) struct Watch {
    bell: Waker,
    /// Open as long as it is registered.
    _timer: Option<OwnedFd>,
}

impl Watch {
    /// Lets `poll` tell of a bell, and that `left` is over.
    pub(super) fn new(poll: &Poll, left: Duration) -> io::Result<Self> {
        Ok(Self {
            bell: Waker::new(poll.registry(), BELL)?,
            _timer: arm_timer(poll, left)?,
        })
    }

    /// Makes the descriptor readable.
    pub(super) fn ring(&self) -> io::Result<()> {
        self.bell.wake()
    }
}

#[cfg(target_os = "linux")]
fn arm_timer(poll: &Poll, left: Duration) -> io::Result<Option<OwnedFd>> {
    use std::os::fd::AsRawFd;

    use mio::Interest;
    use mio::unix::SourceFd;

    let timer = crate::conn::sys::timer(left)?;
    poll.registry()
        .register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
    Ok(Some(timer))
}

#[cfg(not(target_os = "linux"))]
fn arm_timer(_poll: &Poll, _left: Duration) -> io::Result<Option<OwnedFd>> {
    Ok(None)
}
