//! [`Fanout`]: many commands over several connections at once, driven whenever the caller has a moment.
//!
//! The commands are dealt to lanes, one guard each. The first lane may wait for its connection, the others take
//! what is free at once (rule L3: whoever holds a guard does not wait for another). Every lane is a [`Transfer`]
//! that is pumped without blocking; one edge-triggered [`mio::Poll`], owned by this fan-out, tells which have
//! something to do. A guard goes home as soon as its last reply is in. One deadline covers everything.
//!
//! Commands on the same key keep their order; others may overtake each other. Dropped unfinished, the connections
//! that still owe replies are closed and their permits given back.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::call::explain;
use crate::config::CallLimits;
use crate::deadline::Deadline;
use crate::error::{Error, Phase};
use crate::exchange::{Cause, Step, Transfer};
use crate::fork;
use crate::pool::{ConnectionGuard, Pool};
use crate::proto::{Commands, Replies, Reply};

/// What became of one command.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// Its reply is not in yet.
    Pending,
    /// Its reply.
    Reply(Reply<'a>),
    /// Its lane failed before its reply could be trusted. Whether it was carried out is not known.
    Failed(&'a Error),
}

/// See the module documentation.
#[derive(Debug)]
pub struct Fanout {
    pool: Pool,
    limits: CallLimits,
    deadline: Deadline,
    poll: Poll,
    events: Events,
    lanes: Vec<Lane>,
    places: Vec<(u32, u32)>,
    open: usize,
    fork_generation: u64,
}

#[derive(Debug)]
struct Lane {
    commands: Commands,
    replies: Replies,
    state: State,
}

#[derive(Debug)]
enum State {
    Open {
        guard: ConnectionGuard,
        transfer: Transfer,
    },
    Done,
    Failed(Error),
}

impl Fanout {
    /// Checks connections out, at most `lanes`, and sends what their sockets take. The deadline of
    /// `limits.timeout` starts now.
    ///
    /// # Errors
    ///
    /// Those of [`Pool::check_out`] for the first connection. What goes wrong later belongs to the commands it
    /// concerns.
    pub fn start(
        pool: &Pool,
        limits: &CallLimits,
        commands: &Commands,
        lanes: usize,
    ) -> Result<Self, Error> {
        let deadline = Deadline::after(limits.timeout);
        let wanted = lanes.clamp(1, commands.len().max(1));
        let mut guards = Vec::with_capacity(wanted);
        if !commands.is_empty() {
            guards.push(pool.check_out(limits, &deadline)?);
        }
        while !guards.is_empty() && guards.len() < wanted {
            // No connection free, or none to be had: the ones that are there will do.
            match pool.try_check_out(limits, &deadline) {
                Ok(Some(guard)) => guards.push(guard),
                Ok(None) | Err(_) => break,
            }
        }
        let broken = |source| Error::Io {
            phase: Phase::Connect,
            endpoint: pool.config().endpoint.to_string(),
            source,
        };
        let mut this = Self {
            pool: pool.clone(),
            limits: *limits,
            deadline,
            poll: Poll::new().map_err(broken)?,
            events: Events::with_capacity(guards.len().max(1)),
            lanes: Vec::with_capacity(guards.len()),
            places: Vec::new(),
            open: 0,
            fork_generation: fork::generation(),
        };
        let mut dealt = vec![Commands::new(); guards.len()];
        if !guards.is_empty() {
            this.places = commands.deal(&mut dealt);
        }
        for (mut guard, commands) in guards.into_iter().zip(dealt) {
            let token = Token(this.lanes.len());
            let fd = guard.as_raw_fd();
            let both = Interest::READABLE | Interest::WRITABLE;
            this.poll
                .registry()
                .register(&mut SourceFd(&fd), token, both)
                .map_err(broken)?;
            let state = if commands.is_empty() {
                State::Done
            } else {
                this.open += 1;
                let transfer = Transfer::begin(&mut guard, &commands, limits.max_reply_bytes);
                State::Open { guard, transfer }
            };
            this.lanes.push(Lane {
                commands,
                replies: Replies::new(),
                state,
            });
            this.pump(token.0);
        }
        Ok(this)
    }

    /// Returns the number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns whether every command has its outcome.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Returns how many connections are still checked out.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open
    }

    /// Returns what became of command `n`, from 0 in the order they were given.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many.
    #[must_use]
    pub fn outcome(&self, n: usize) -> Outcome<'_> {
        let (lane, place) = self.places[n];
        let lane = &self.lanes[lane as usize];
        let place = place as usize;
        match &lane.state {
            // Until its seal has come, a batch of reads is not known to be in step.
            State::Open { .. } if lane.commands.wants_seal() => Outcome::Pending,
            State::Failed(error) if place >= lane.replies.len() => Outcome::Failed(error),
            _ if place < lane.replies.len() => Outcome::Reply(lane.replies.get(place)),
            _ => Outcome::Pending,
        }
    }

    /// Returns the descriptor that becomes readable when [`Fanout::drive`] has something to do.
    #[must_use]
    pub fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Goes on: takes what has arrived, sends what there is room for, waits up to `wait` for more and so on until
    /// every command has its outcome or `wait` is over. At the deadline the commands without a reply fail with
    /// [`Error::Timeout`]. Returns whether all is done.
    pub fn drive(&mut self, wait: Duration) -> bool {
        let wait = Deadline::after(wait);
        loop {
            if self.is_done() {
                return true;
            }
            if self.fork_generation != fork::generation() {
                self.fail_open(|this| Error::Forked {
                    endpoint: this.endpoint(),
                });
                return true;
            }
            let Some(left) = self.deadline.remaining() else {
                self.fail_open(|this| this.explain(Cause::TimedOut(Phase::Read), (0, 0)));
                return true;
            };
            let pause = wait.remaining().unwrap_or_default().min(left);
            match self.poll.poll(&mut self.events, Some(pause)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let text = error.to_string();
                    self.fail_open(|this| {
                        this.explain(
                            Cause::Io(Phase::Read, io::Error::other(text.clone())),
                            (0, 0),
                        )
                    });
                    return true;
                }
            }
            let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
            for &lane in &ready {
                self.pump(lane);
            }
            if ready.is_empty() && wait.remaining().is_none() {
                return self.is_done();
            }
        }
    }

    fn endpoint(&self) -> String {
        self.pool.config().endpoint.to_string()
    }

    fn explain(&self, cause: Cause, counts: (usize, usize)) -> Error {
        explain(cause, &self.pool, &self.limits, &self.deadline, counts)
    }

    /// Pumps one lane; sends its guard home when it is done or has failed.
    fn pump(&mut self, lane: usize) {
        let Lane {
            commands,
            replies,
            state,
        } = &mut self.lanes[lane];
        let State::Open { guard, transfer } = state else {
            return;
        };
        let next = match transfer.pump(guard, commands, &self.deadline, replies) {
            Ok(Step::Read | Step::ReadOrWrite) => return,
            Ok(Step::Done) => State::Done,
            Err(cause) => {
                let failure = transfer.fail(cause, guard, replies);
                let counts = (replies.len(), commands.len());
                State::Failed(explain(
                    failure.cause,
                    &self.pool,
                    &self.limits,
                    &self.deadline,
                    counts,
                ))
            }
        };
        self.leave(lane, next);
    }

    /// Gives the outcome of `why` to every lane that is still open.
    fn fail_open(&mut self, why: impl Fn(&Self) -> Error) {
        for lane in 0..self.lanes.len() {
            let error = why(self);
            let Lane { replies, state, .. } = &mut self.lanes[lane];
            if let State::Open { guard, transfer } = state {
                transfer.fail(Cause::TimedOut(Phase::Read), guard, replies);
                self.leave(lane, State::Failed(error));
            }
        }
    }

    /// Ends an open lane: its connection is no longer waited for, and its guard is dropped.
    fn leave(&mut self, lane: usize, next: State) {
        let lane = &mut self.lanes[lane];
        if let State::Open { guard, .. } = &lane.state {
            // A connection that goes home must not wake this poll any more. It can fail only if the descriptor
            // is not registered, which is what is wanted.
            let _ = self
                .poll
                .registry()
                .deregister(&mut SourceFd(&guard.as_raw_fd()));
            self.open -= 1;
        }
        lane.state = next;
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        if self.fork_generation != fork::generation() {
            // The epoll instance is shared with the parent: deregistering here would remove the parent's interest.
            return;
        }
        for lane in 0..self.lanes.len() {
            self.leave(lane, State::Done);
        }
    }
}
