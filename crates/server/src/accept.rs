//! The accepting thread: takes connections, keeps their number in bounds, survives a process
//! that is out of file descriptors, and gives each connection to the worker with the fewest.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use crate::listen::Listener;
use crate::proto::TOO_MANY_CONNECTIONS;
use crate::stream::Stream;
use crate::worker::Desk;

const WAKE: Token = Token(usize::MAX);

/// Pause after an error that would come back at once.
const PAUSE: Duration = Duration::from_millis(50);

/// The side of the acceptor that other threads see.
#[derive(Debug)]
pub(crate) struct Bell {
    waker: Waker,
    stop: AtomicBool,
}

impl Bell {
    /// Makes the acceptor close its listeners and end.
    pub(crate) fn stop(&self) {
        // Release: pairs with the Acquire in `Acceptor::run`.
        self.stop.store(true, Ordering::Release);
        // Fails only when the poll is gone, and the acceptor with it.
        let _ = self.waker.wake();
    }
}

#[derive(Debug)]
pub(crate) struct Acceptor {
    poll: Poll,
    bell: Arc<Bell>,
    listeners: Vec<Listener>,
    desks: Vec<Arc<Desk>>,
    max_connections: usize,
    /// An open descriptor to give up when none are left: with it, the connection that waits can
    /// be taken and closed, instead of keeping the listener ready for ever.
    reserve: Option<File>,
}

impl Acceptor {
    pub(crate) fn new(
        mut listeners: Vec<Listener>,
        desks: Vec<Arc<Desk>>,
        max_connections: usize,
    ) -> io::Result<(Self, Arc<Bell>)> {
        let poll = Poll::new()?;
        let bell = Arc::new(Bell {
            waker: Waker::new(poll.registry(), WAKE)?,
            stop: AtomicBool::new(false),
        });
        for (id, listener) in listeners.iter_mut().enumerate() {
            listener.register(poll.registry(), Token(id))?;
        }
        let reserve = open_reserve();
        let handle = Arc::clone(&bell);
        Ok((
            Self {
                poll,
                bell,
                listeners,
                desks,
                max_connections,
                reserve,
            },
            handle,
        ))
    }

    /// Accepts until [`Bell::stop`].
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(16);
        let mut pause = None;
        loop {
            if let Err(error) = self.poll.poll(&mut events, pause) {
                assert_eq!(error.kind(), ErrorKind::Interrupted, "BUG: poll: {error}");
                continue;
            }
            // Acquire: pairs with the Release in `Bell::stop`.
            if self.bell.stop.load(Ordering::Acquire) {
                return;
            }
            pause = None;
            for id in 0..self.listeners.len() {
                if !self.accept_all(id) {
                    pause = Some(PAUSE);
                }
            }
        }
    }

    /// Accepts until none waits; false when an error calls for a pause.
    fn accept_all(&mut self, id: usize) -> bool {
        loop {
            match self.listeners[id].accept() {
                Ok(stream) => self.admit(stream),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(e) if is_of_one_connection(&e) => {}
                Err(_) => {
                    // Out of descriptors or kernel memory.
                    if self.reserve.take().is_none() {
                        self.reserve = open_reserve();
                        return false;
                    }
                    let waiting = self.listeners[id].accept();
                    let is_last = waiting.is_err();
                    if let Ok(stream) = waiting {
                        turn_away(stream);
                    }
                    self.reserve = open_reserve();
                    // Without a free descriptor the system says so even when nobody waits.
                    if is_last {
                        return true;
                    }
                }
            }
        }
    }

    fn admit(&self, stream: Stream) {
        let load: usize = self.desks.iter().map(|desk| desk.load()).sum();
        let full = load >= self.max_connections;
        let desk = if full {
            self.desks.iter().min_by_key(|desk| desk.idle_since())
        } else {
            self.desks.iter().min_by_key(|desk| desk.load())
        };
        stream.tune();
        if let Some(desk) = desk {
            // Fails only when the worker has ended; the server is stopping then.
            let _ = desk.assign(stream, full);
        }
    }
}

/// Says why and closes.
pub(crate) fn turn_away(mut stream: Stream) {
    // One small write into an empty socket buffer goes through or the peer is gone.
    let _ = stream.write(TOO_MANY_CONNECTIONS);
    let _ = stream.shutdown(Shutdown::Write);
    // What is unread at close would reset the connection and could take the answer with it.
    let _ = stream.read(&mut [0; 4096]);
}

fn open_reserve() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Whether the error is about the connection that was to be accepted, which is gone then.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::PermissionDenied
            | ErrorKind::TimedOut
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}
