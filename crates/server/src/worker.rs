//! A worker thread: one `Poll`, the connections that were assigned to it, their turns.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};
use parking_lot::Mutex;
use slab::Slab;

use crate::accept::turn_away;
use crate::config::Config;
use crate::conn::{Connection, Next, READ, Shared};
use crate::order::{Links, Nodes, Order};
use crate::store::{Store, Tick};
use crate::stream::Stream;

/// The waker's token; no slab gets that far.
const WAKE: Token = Token(usize::MAX);

/// A connection that did something this short while ago keeps its place.
const LEAST_IDLE: Duration = Duration::from_secs(1);

/// A connection on its way to a worker.
#[derive(Debug)]
struct Newcomer {
    stream: Stream,
    /// All places are taken: it gets that of the oldest idle one, or none.
    instead: bool,
}

/// The side of a worker that other threads see.
#[derive(Debug)]
pub(crate) struct Desk {
    inbox: Mutex<Vec<Newcomer>>,
    waker: Waker,
    stop: AtomicBool,
    /// Connections assigned and not yet closed.
    load: AtomicUsize,
    /// Since when the oldest idle connection has been idle; a hint.
    idle_since: AtomicU64,
}

impl Desk {
    /// Gives the worker a connection; `instead` of its oldest idle one, if one has been idle
    /// for long enough.
    pub(crate) fn assign(&self, stream: Stream, instead: bool) -> io::Result<()> {
        // Relaxed: paired with nothing. Only the acceptor adds, so it reads at most too many, and the limit holds.
        self.load.fetch_add(1, Ordering::Relaxed);
        self.inbox.lock().push(Newcomer { stream, instead });
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

    /// Since when the oldest idle connection has been idle.
    pub(crate) fn idle_since(&self) -> Tick {
        // Relaxed: a hint; the worker looks again.
        Tick(self.idle_since.load(Ordering::Relaxed))
    }

    fn leave(&self) {
        // Relaxed: as in `assign`.
        self.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection and its place in the order of activity.
#[derive(Debug)]
struct Seat {
    connection: Connection,
    links: Links,
    /// When it last did something.
    active: Tick,
}

impl Nodes for Slab<Seat> {
    fn links(&mut self, id: u32) -> &mut Links {
        &mut self[id as usize].links
    }
}

#[derive(Debug)]
pub(crate) struct Worker {
    poll: Poll,
    desk: Arc<Desk>,
    seats: Slab<Seat>,
    /// All seats, by activity.
    order: Order,
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
            idle_since: AtomicU64::new(u64::MAX),
        });
        Ok((
            Self {
                poll,
                desk: Arc::clone(&desk),
                seats: Slab::new(),
                order: Order::default(),
                ready: VecDeque::new(),
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
            let timeout = self.pause(config.idle_timeout, &shared);
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
            if let Some(timeout) = config.idle_timeout {
                shared.now = store.now();
                while self.close_oldest(timeout, shared.now) {}
            }
            if woken {
                self.take_in(&mut shared);
            }
            // Relaxed: as in `Desk::idle_since`.
            let since = self.order.oldest().map_or(u64::MAX, |id| self.active(id).0);
            self.desk.idle_since.store(since, Ordering::Relaxed);
        }
    }

    /// How long to wait for events: not at all while there is work, and not past the next timeout.
    fn pause(&self, idle_timeout: Option<Duration>, shared: &Shared<'_>) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let oldest = self.active(self.order.oldest()?);
        // Rounded up, as a poll of less than a millisecond does not wait.
        Some((oldest + idle_timeout?).since(shared.now) + Duration::from_millis(1))
    }

    fn active(&self, id: u32) -> Tick {
        self.seats[id as usize].active
    }

    fn drive(&mut self, id: usize, shared: &mut Shared<'_>, hung_up: bool) {
        let Some(seat) = self.seats.get_mut(id) else {
            return;
        };
        let next = seat.connection.drive(shared, hung_up);
        if seat.connection.has_moved() {
            seat.active = shared.now;
            self.order.touch(&mut self.seats, id as u32);
        }
        match next {
            Next::Wait => {}
            Next::Again => self.ready.push_back(id),
            Next::Close => self.remove(id),
        }
    }

    /// Closes the oldest idle connection if it has been idle for `least`; tells whether.
    fn close_oldest(&mut self, least: Duration, now: Tick) -> bool {
        let oldest = self.order.oldest();
        let Some(id) = oldest.filter(|&id| self.active(id) + least <= now) else {
            return false;
        };
        self.seats[id as usize].connection.end();
        self.remove(id as usize);
        true
    }

    fn remove(&mut self, id: usize) {
        self.order.unlink(&mut self.seats, id as u32);
        drop(self.seats.remove(id));
        self.desk.leave();
    }

    fn take_in(&mut self, shared: &mut Shared<'_>) {
        let newcomers = std::mem::take(&mut *self.desk.inbox.lock());
        for Newcomer { stream, instead } in newcomers {
            shared.now = shared.store.now();
            if instead && !self.close_oldest(LEAST_IDLE, shared.now) {
                turn_away(stream);
                self.desk.leave();
                continue;
            }
            let slot = self.seats.vacant_entry();
            let id = slot.key();
            let mut connection = Connection::new(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registered =
                self.poll
                    .registry()
                    .register(&mut connection.stream, Token(id), interest);
            slot.insert(Seat {
                connection,
                links: Links::default(),
                active: shared.now,
            });
            self.order.push(&mut self.seats, id as u32);
            if registered.is_ok() {
                // Its first request is often there already.
                self.drive(id, shared, false);
            } else {
                self.remove(id);
            }
        }
    }
}
