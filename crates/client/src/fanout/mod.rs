//! [`Fanout`]: many commands over several connections at once, driven whenever the caller has a moment.
//!
//! The commands are dealt to lanes, one guard each. The first lane may wait for its connection, the others take
//! what is free at once (rule L3: whoever holds a guard does not wait for another). Every lane is a [`Transfer`]
//! that is pumped without blocking; one edge-triggered [`mio::Poll`], owned by this fan-out, tells which have
//! something to do. A guard goes home as soon as its last reply is in. One deadline covers everything.
//!
//! Commands on the same key keep their order; others may overtake each other. Dropped unfinished, the connections
//! that still owe replies are closed and their permits given back.

mod watch;

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use self::watch::Watch;
use crate::call::{MakeRoom, check_out, check_sent, explain};
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

/// What became of some commands that belong together.
#[derive(Clone, Copy, Debug)]
pub enum Together<'a> {
    /// Not all replies are in yet.
    Pending,
    /// All replies are in.
    Replies,
    /// At least one will never come.
    Failed(&'a Error),
}

/// Commands that were sent over several connections, and as many of their replies as have come.
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
    watch: Option<Watch>,
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
        transfer: Box<Transfer>,
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
        Self::start_after(pool, limits, commands, lanes, None)
    }

    /// Sends `commands` as [`Fanout::start`] does, for a thread that may hold connections of other fan-outs:
    /// `make_room` drives those, see [`call_after`](crate::call_after).
    ///
    /// # Errors
    ///
    /// As [`Fanout::start`].
    pub fn start_after(
        pool: &Pool,
        limits: &CallLimits,
        commands: &Commands,
        lanes: usize,
        make_room: Option<MakeRoom<'_>>,
    ) -> Result<Self, Error> {
        let deadline = Deadline::after(limits.timeout);
        let wanted = lanes.clamp(1, commands.len().max(1));
        let mut guards = Vec::with_capacity(wanted);
        if !commands.is_empty() {
            let home = pool.shared_core();
            guards.push(check_out(pool, home, limits, &deadline, make_room)?);
        }
        while !guards.is_empty() && guards.len() < wanted {
            // No connection free, or none to be had: the ones that are there will do.
            match pool.try_check_out(limits, &deadline) {
                Ok(Some(guard)) => guards.push(guard),
                Ok(None) | Err(_) => break,
            }
        }
        let broken = |source| Error::Watch {
            endpoint: pool.config().endpoint.to_string(),
            source,
        };
        let mut this = Self {
            pool: pool.clone(),
            limits: *limits,
            deadline,
            poll: Poll::new().map_err(broken)?,
            // All that can be ready at once: the lanes, the bell and the timer.
            events: Events::with_capacity(guards.len() + 2),
            lanes: Vec::with_capacity(guards.len()),
            places: Vec::new(),
            open: 0,
            fork_generation: fork::generation(),
            watch: None,
        };
        let mut dealt = vec![Commands::new(); guards.len()];
        if !guards.is_empty() {
            this.places = commands.deal(&mut dealt);
        }
        // All of them before anything is sent: what fails here has done nothing, and may be tried again. A guard that
        // gets no commands goes home, and whoever uses it next must not wake this poll.
        let busy = guards.iter().zip(&dealt).enumerate();
        for (lane, (guard, _)) in busy.filter(|(_, (_, commands))| !commands.is_empty()) {
            let both = Interest::READABLE | Interest::WRITABLE;
            this.poll
                .registry()
                .register(&mut SourceFd(&guard.as_raw_fd()), Token(lane), both)
                .map_err(broken)?;
        }
        for (mut guard, commands) in guards.into_iter().zip(dealt) {
            let lane = this.lanes.len();
            let replies = Replies::new();
            let state = if commands.is_empty() {
                State::Done
            } else {
                this.open += 1;
                let transfer = Transfer::begin(&mut guard, &commands, &replies, limits);
                State::Open {
                    guard,
                    transfer: Box::new(transfer),
                }
            };
            this.lanes.push(Lane {
                commands,
                replies,
                state,
            });
            this.pump(lane);
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

    /// Copies the replies to `commands` behind those in `into`, if all of them are in; else leaves it alone.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many commands.
    pub fn copy_replies(&self, commands: Range<usize>, into: &mut Replies) -> Together<'_> {
        let mut pending = false;
        for n in commands.clone() {
            match self.outcome(n) {
                Outcome::Reply(_) => {}
                Outcome::Pending => pending = true,
                Outcome::Failed(error) => return Together::Failed(error),
            }
        }
        if pending {
            return Together::Pending;
        }
        for &(lane, place) in &self.places[commands] {
            into.copy_from(&self.lanes[lane as usize].replies, place as usize);
        }
        Together::Replies
    }

    /// Returns how many commands have their reply.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.lanes
            .iter()
            .map(|lane| match lane.state {
                State::Open { .. } if lane.commands.wants_seal() => 0,
                _ => lane.replies.len(),
            })
            .sum()
    }

    /// Returns whether another process made this (this one is its forked child). Its connections are the
    /// parent's: [`Fanout::drive`] leaves them alone and fails every command that has no reply.
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        self.fork_generation != fork::generation()
    }

    /// Returns the descriptor that becomes readable when [`Fanout::drive`] has something to do. From the first
    /// [`Fanout::watch`] on that includes the deadline, and when all is done it stays readable.
    #[must_use]
    pub fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Lets the descriptor tell of the deadline and of the end, for those who wait for it instead of calling
    /// [`Fanout::drive`]. The second time it does nothing.
    ///
    /// # Errors
    ///
    /// What the system says if it is short of descriptors.
    pub fn watch(&mut self) -> io::Result<()> {
        if self.watch.is_some() || self.is_inherited() {
            return Ok(());
        }
        let watch = Watch::new(&self.poll, self.deadline.remaining().unwrap_or_default())?;
        if self.is_done() {
            watch.ring()?;
        }
        self.watch = Some(watch);
        Ok(())
    }

    /// Makes the descriptor readable. In a forked child the bell is the parent's, who would be told of what the child
    /// does.
    fn ring(&self) {
        if let Some(watch) = &self.watch
            && !self.is_inherited()
        {
            // It fails only when the counter behind it is full, and then it is readable.
            let _ = watch.ring();
        }
    }

    /// Goes on: takes what has arrived, sends what there is room for, waits up to `wait` for more and so on until
    /// every command has its outcome or `wait` is over. At the deadline, or at the first call after it, what has
    /// arrived is taken, and the commands without a reply fail with [`Error::Timeout`]. Returns whether all is done.
    pub fn drive(&mut self, wait: Duration) -> bool {
        self.drive_while(wait, |_| true);
        self.is_done()
    }

    /// Sends and receives until every one of `commands` has its outcome, for `wait` at most; returns whether they have.
    pub fn drive_for(&mut self, commands: Range<usize>, wait: Duration) -> bool {
        // Replies come in order, so the last that was pending is the first to look at.
        let mut rest = commands;
        let mut pending = |this: &Self| {
            while let Some(last) = rest.end.checked_sub(1).filter(|last| *last >= rest.start) {
                if matches!(this.outcome(last), Outcome::Pending) {
                    return true;
                }
                rest.end = last;
            }
            false
        };
        if pending(self) {
            self.drive_while(wait, &mut pending);
        }
        !pending(self)
    }

    /// Sends and receives until a connection has gone home, for `wait` at most: for whoever needs one. An event loop
    /// that waits for the descriptor is woken, as the replies that it waits for may be in now.
    pub fn drive_until_freed(&mut self, wait: Duration) {
        let before = self.open;
        self.drive_while(wait, |this| this.open == before);
        self.ring();
    }

    fn drive_while(&mut self, wait: Duration, mut go_on: impl FnMut(&Self) -> bool) {
        let wait = Deadline::after(wait);
        loop {
            if self.is_done() || !go_on(self) {
                return;
            }
            if self.is_inherited() {
                return self.fail_open(|this| Error::Forked {
                    endpoint: this.endpoint(),
                });
            }
            let Some(left) = self.deadline.remaining() else {
                self.look_late();
                return self.fail_open(|this| this.explain(Cause::TimedOut(Phase::Read), (0, 0)));
            };
            let pause = wait.remaining().unwrap_or_default().min(left);
            match self.poll.poll(&mut self.events, Some(pause)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let text = error.to_string();
                    return self.fail_open(|this| {
                        this.explain(
                            Cause::Io(Phase::Read, io::Error::other(text.clone())),
                            (0, 0),
                        )
                    });
                }
            }
            let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
            for &lane in &ready {
                // The bell and the timer are no lanes: they have nothing to pump.
                if lane < self.lanes.len() {
                    self.pump(lane);
                }
            }
            // However much keeps coming: what comes later is there for the next time.
            if wait.remaining().is_none() {
                return;
            }
        }
    }

    fn endpoint(&self) -> String {
        self.pool.config().endpoint.to_string()
    }

    fn explain(&self, cause: Cause, counts: (usize, usize)) -> Error {
        explain(cause, &self.pool, &self.limits, &self.deadline, counts)
    }

    /// Pumps one lane.
    fn pump(&mut self, lane: usize) {
        self.go_on(lane, |transfer, guard, commands, deadline, replies| {
            transfer.step(guard, commands, deadline, replies)
        });
    }

    /// Gives every lane that is still open what had arrived for it by the deadline.
    fn look_late(&mut self) {
        for lane in 0..self.lanes.len() {
            self.go_on(lane, |transfer, guard, commands, deadline, replies| {
                let done = transfer.look_late(guard, commands, deadline, replies)?;
                Ok(if done { Step::Done } else { Step::Read })
            });
        }
    }

    /// Lets an open lane take a step; sends its guard home when it is done or has failed. What the replies hold is
    /// counted over all lanes.
    fn go_on(
        &mut self,
        lane: usize,
        step: impl FnOnce(
            &mut Transfer,
            &mut ConnectionGuard,
            &Commands,
            &Deadline,
            &mut Replies,
        ) -> Result<Step, Cause>,
    ) {
        let held: usize = self.lanes.iter().map(|lane| lane.replies.byte_len()).sum();
        let Lane {
            commands,
            replies,
            state,
        } = &mut self.lanes[lane];
        let State::Open { guard, transfer } = state else {
            return;
        };
        transfer.share(held - replies.byte_len());
        let next = match step(transfer, guard, commands, &self.deadline, replies) {
            Ok(Step::Read | Step::ReadOrWrite) => return,
            Ok(Step::Done) => match check_sent(&self.pool, &self.limits, commands, replies) {
                Ok(()) => State::Done,
                Err(error) => State::Failed(error),
            },
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
        let inherited = self.fork_generation != fork::generation();
        if let State::Open { guard, .. } = &lane.state {
            self.open -= 1;
            if !inherited {
                // A connection that goes home must not wake this poll any more. It can fail only if the
                // descriptor is not registered, which is what is wanted. In a forked child the epoll instance is
                // the parent's, and so would be the interest that goes.
                let _ = self
                    .poll
                    .registry()
                    .deregister(&mut SourceFd(&guard.as_raw_fd()));
            }
        }
        lane.state = next;
        if self.open == 0 {
            self.ring();
        }
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        for lane in 0..self.lanes.len() {
            self.leave(lane, State::Done);
        }
    }
}
