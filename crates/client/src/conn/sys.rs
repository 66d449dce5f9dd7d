//! The few calls that need `unsafe`: receiving into a vector's spare room, asking what lies in a socket, waiting for
//! a descriptor, a timer, hooking into fork, starting a thread that gets no signals. Outside its tests everything
//! unsafe of this crate is in this file.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use socket2::Socket;

/// Whether a call may block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Up to the socket's own timeout.
    Armed,
    /// Not at all: `WouldBlock` instead.
    Never,
}

impl Wait {
    fn flag(self) -> i32 {
        match self {
            Self::Armed => 0,
            Self::Never => libc::MSG_DONTWAIT,
        }
    }
}

/// Receives into the spare capacity of `buffer`, which must not be empty, and grows its length by what came.
/// Returns the number of bytes; 0 means that the peer has closed.
pub(crate) fn recv(socket: &Socket, buffer: &mut Vec<u8>, wait: Wait) -> io::Result<usize> {
    debug_assert!(
        buffer.capacity() > buffer.len(),
        "BUG: no room, 0 would read as end of file"
    );
    let received = socket.recv_with_flags(buffer.spare_capacity_mut(), wait.flag())?;
    let length = buffer.len() + received;
    // SAFETY: the kernel has initialised `received` bytes of the spare capacity that starts at the old length and
    // `received` is at most that capacity: recv(2)'s contract, kept by `recv_with_flags`.
    unsafe { buffer.set_len(length) };
    Ok(received)
}

/// Sends what the kernel takes at once of `head` and then `tail`; never raises SIGPIPE.
pub(crate) fn send(socket: &Socket, head: &[u8], tail: &[u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    if tail.is_empty() {
        return socket.send_with_flags(head, flags);
    }
    socket.send_vectored_with_flags(&[IoSlice::new(head), IoSlice::new(tail)], flags)
}

/// Returns whether nothing has happened to a socket: no unread byte, no end of file, no error. Does not wait, and
/// does not take the socket's lock, as a peek does.
pub(crate) fn is_quiet(socket: BorrowedFd<'_>) -> io::Result<bool> {
    poll_ms(socket, libc::POLLIN | libc::POLLRDHUP, 0).map(|happened| !happened)
}

/// Returns how many bytes have arrived at a socket and are unread.
pub(crate) fn unread(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int to the pointer that it is given, and `bytes` is one that lives through the
    // call; the descriptor is open because it is borrowed.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONREAD, &raw mut bytes) } {
        0 => Ok(usize::try_from(bytes).unwrap_or(0)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Waits until `fd` can be read (or, with `write`, written), at most `timeout`, rounded up to a millisecond.
/// Returns whether it can; an error or hang-up counts as readable, the next receive tells which. A signal ends the
/// wait early with `Interrupted`.
pub(crate) fn poll(fd: BorrowedFd<'_>, write: bool, timeout: Duration) -> io::Result<bool> {
    let events = if write {
        libc::POLLIN | libc::POLLOUT
    } else {
        libc::POLLIN
    };
    let ms = timeout.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as libc::c_int;
    poll_ms(fd, events, ms)
}

fn poll_ms(fd: BorrowedFd<'_>, events: libc::c_short, ms: libc::c_int) -> io::Result<bool> {
    let mut entry = libc::pollfd {
        fd: fd.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: `entry` is one valid pollfd that lives through the call, and the count says 1; the descriptor is
    // open because it is borrowed.
    match unsafe { libc::poll(&mut entry, 1, ms) } {
        -1 => Err(io::Error::last_os_error()),
        ready => Ok(ready > 0),
    }
}

/// Returns a descriptor that becomes readable when `after` has passed and stays so.
#[cfg(target_os = "linux")]
pub(crate) fn timer(after: Duration) -> io::Result<OwnedFd> {
    // SAFETY: makes a descriptor; no pointer is passed.
    let fd = unsafe {
        libc::timerfd_create(
            libc::CLOCK_MONOTONIC,
            libc::TFD_CLOEXEC | libc::TFD_NONBLOCK,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else knows it.
    let timer = unsafe { OwnedFd::from_raw_fd(fd) };
    // A time of zero would disarm it.
    let after = after.max(Duration::from_nanos(1));
    let once = libc::itimerspec {
        it_interval: libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        },
        it_value: libc::timespec {
            tv_sec: libc::time_t::try_from(after.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: after.subsec_nanos().into(),
        },
    };
    // SAFETY: an open timer, a valid time, and nothing asked of the old one.
    match unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, &once, ptr::null_mut()) } {
        0 => Ok(timer),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Has `handler` run in every forked child. The library must never be unloaded (it is linked `nodelete`).
pub(crate) fn at_fork_in_child(handler: extern "C" fn()) {
    // SAFETY: `handler` is a plain function that stays mapped, see above, and calls nothing that is not
    // async-signal-safe (`fork::in_child`).
    let failed = unsafe { libc::pthread_atfork(None, None, Some(handler)) };
    assert_eq!(failed, 0, "pthread_atfork: out of memory");
}

/// Runs `make` with every signal blocked. A thread that it makes inherits that, from its first instruction on: no
/// signal that is meant for the host's threads ever runs its handler there.
pub(crate) fn without_signals<R>(make: impl FnOnce() -> R) -> R {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set that it is given; pthread_sigmask reads that and writes the mask of
    // before, which it can fail to do only for an operation that it does not know.
    let before = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        Mask(before.assume_init())
    };
    let made = make();
    drop(before);
    made
}

/// The signal mask of the calling thread as it was; its drop brings it back.
struct Mask(libc::sigset_t);

impl Drop for Mask {
    fn drop(&mut self) {
        // SAFETY: pthread_sigmask reads a set that it has written itself, and writes nothing back.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks_sigusr1() -> bool {
        let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: nothing is changed, the mask is written and then read.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr());
            libc::sigismember(mask.as_ptr(), libc::SIGUSR1) == 1
        }
    }

    #[test]
    fn a_thread_made_without_signals_never_gets_one() {
        let thread = without_signals(|| std::thread::spawn(blocks_sigusr1));
        assert!(thread.join().unwrap());
        assert!(!blocks_sigusr1(), "the maker does, for good");
    }
}
