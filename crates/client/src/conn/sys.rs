//! Calls of the system: receiving into a vector's spare room, hooking into fork and starting a thread that gets no
//! signals need `unsafe`, and outside its tests everything unsafe of this crate is in this file; asking what lies in a
//! socket, waiting for a descriptor and a timer do not.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::ptr;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
#[cfg(target_os = "linux")]
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
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
    has_happened(socket, PollFlags::IN | PollFlags::RDHUP, Duration::ZERO).map(|happened| !happened)
}

/// Returns how many bytes have arrived at a socket and are unread.
pub(crate) fn unread(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let bytes = rustix::io::ioctl_fionread(socket)?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// Waits until `fd` can be read (or, with `write`, written), at most `timeout`.
/// Returns whether it can; an error or hang-up counts as readable, the next receive tells which. A signal ends the
/// wait early with `Interrupted`.
pub(crate) fn poll(fd: BorrowedFd<'_>, write: bool, timeout: Duration) -> io::Result<bool> {
    let events = if write {
        PollFlags::IN | PollFlags::OUT
    } else {
        PollFlags::IN
    };
    has_happened(fd, events, timeout)
}

fn has_happened(fd: BorrowedFd<'_>, events: PollFlags, timeout: Duration) -> io::Result<bool> {
    let mut entry = [PollFd::from_borrowed_fd(fd, events)];
    Ok(rustix::event::poll(&mut entry, Some(&timespec(timeout)))? > 0)
}

/// Returns the time as the kernel wants it, or the longest that it knows.
fn timespec(time: Duration) -> Timespec {
    Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    })
}

/// Returns a descriptor that becomes readable when `after` has passed and stays so.
#[cfg(target_os = "linux")]
pub(crate) fn timer(after: Duration) -> io::Result<OwnedFd> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    let once = Itimerspec {
        it_interval: timespec(Duration::ZERO),
        // A time of zero would disarm it.
        it_value: timespec(after.max(Duration::from_nanos(1))),
    };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once)?;
    Ok(timer)
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
