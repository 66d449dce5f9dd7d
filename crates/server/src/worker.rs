//! A worker thread: one `Poll`, the connections that were assigned to it, their turns.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;
use slab::Slab;

use crate::config::Config;
use crate::conn::{Connection, Next, READ, Shared};
use crate::store::Store;
use crate::stream::Stream;

/// The waker's token; no slab gets that far.
const WAKE: Token = Token(usize::MAX);

/// The side of a worker that other threads see.
#[derive(Debug)]
pub(crate) struct Desk {
    inbox: Mutex<Vec<Stream>>,
    waker: Waker,
    stop: AtomicBool,
    /// Connections assigned and not yet closed.
    load: AtomicUsize,
}

impl Desk {
    /// Gives the worker a connection.
    pub(crate) fn assign(&self, stream: Stream) -> io::Result<()> {
        // Relaxed: a count, paired with nothing.
        self.load.fetch_add(1, Ordering::Relaxed);
        self.inbox.lock().push(stream);
        self.waker.wake()
    }

    /// Makes the worker drop its connections and end.
    pub(crate) fn stop(&self) {
        // Release: pairs with the Acquire in `Worker::run`.
        self.stop.store(true, Ordering::Release);
        // Fails only when the poll is gone, and the worker with it.
        let _ = self.waker.wake();
    }

    /// Number of connections.
    pub(crate) fn load(&self) -> usize {
        // Relaxed: as in `assign`.
        self.load.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(crate) struct Worker {
    poll: Poll,
    desk: Arc<Desk>,
    connections: Slab<Connection>,
    /// Connections with work left from their last turn.
    ready: VecDeque<usize>,
}

impl Worker {
    pub(crate) fn new() -> io::Result<(Self, Arc<Desk>)> {
        let poll = Poll::new()?;
        let desk = Arc::new(Desk {
            inbox: Mutex::default(),
            waker: Waker::new(poll.registry(), WAKE)?,
            stop: AtomicBool::new(false),
            load: AtomicUsize::new(0),
        });
        let connections = Slab::new();
        let ready = VecDeque::new();
        Ok((
            Self {
                poll,
                desk: Arc::clone(&desk),
                connections,
                ready,
            },
            desk,
        ))
    }

    /// Serves until [`Desk::stop`].
    pub(crate) fn run(mut self, store: &Store, config: &Config) {
        let mut shared = Shared {
            store,
            max_line: config.max_line_bytes,
            max_output: config.max_output_bytes,
            now: store.now(),
            until: store.now(),
            scratch: vec![0; READ].into_boxed_slice(),
            spare: Vec::with_capacity(READ),
        };
        let mut events = Events::with_capacity(1024);
        loop {
            let timeout = (!self.ready.is_empty()).then_some(Duration::ZERO);
            if let Err(error) = self.poll.poll(&mut events, timeout) {
                assert_eq!(
                    error.kind(),
                    io::ErrorKind::Interrupted,
                    "BUG: poll: {error}"
                );
                continue;
            }
            // Acquire: pairs with the Release in `Desk::stop`.
            if self.desk.stop.load(Ordering::Acquire) {
                return;
            }
            let mut woken = false;
            let left_over = self.ready.len();
            for event in &events {
                match event.token() {
                    WAKE => woken = true,
                    Token(id) => {
                        let hung_up = event.is_read_closed() || event.is_error();
                        self.drive(id, &mut shared, hung_up);
                    }
                }
            }
            for _ in 0..left_over {
                if let Some(id) = self.ready.pop_front() {
                    self.drive(id, &mut shared, false);
                }
            }
            // Only now: a slot that was freed above must not be taken by a newcomer while an
            // event for its former owner is still in the batch.
            if woken {
                self.take_in(&mut shared);
            }
        }
    }

    fn drive(&mut self, id: usize, shared: &mut Shared<'_>, hung_up: bool) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        match connection.drive(shared, hung_up) {
            Next::Wait => {}
            Next::Again => self.ready.push_back(id),
            Next::Close => {
                drop(self.connections.remove(id));
                // Relaxed: as in `Desk::assign`.
                self.desk.load.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn take_in(&mut self, shared: &mut Shared<'_>) {
        let streams = std::mem::take(&mut *self.desk.inbox.lock());
        for stream in streams {
            let slot = self.connections.vacant_entry();
            let id = slot.key();
            let mut connection = Connection::new(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registered =
                self.poll
                    .registry()
                    .register(&mut connection.stream, Token(id), interest);
            slot.insert(connection);
            if registered.is_ok() {
                // Its first request is often there already.
                self.drive(id, shared, false);
            } else {
                drop(self.connections.remove(id));
                // Relaxed: as in `Desk::assign`.
                self.desk.load.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}
