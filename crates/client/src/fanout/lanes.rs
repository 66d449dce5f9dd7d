//! [`Lanes`]: a fan-out on its way, driven.

mod outcome;

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::watch::Watch;
use crate::call::{check_sent, explain, may_retry};
use crate::config::CallLimits;
use crate::deadline::Deadline;
use crate::error::{Error, Phase};
use crate::exchange::{Cause, Step, Transfer};
use crate::fork;
use crate::held::check_out;
use crate::pool::{ConnectionGuard, Pool};
use crate::proto::{Commands, Replies, Timing};

/// The connections of a fan-out, and what came over them.
#[derive(Debug)]
pub(super) struct Lanes {
    pool: Pool,
    limits: CallLimits,
    deadline: Deadline,
    poll: Poll,
    events: Events,
    lanes: Vec<Lane>,
    /// Of each command, its lane and its place there.
    places: Vec<(u32, u32)>,
    open: usize,
    fork_generation: u64,
    watch: Option<Watch>,
    timing: Timing,
    /// Whether it has been counted as a round trip.
    counted: bool,
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
    Failed(Rc<Error>),
}

impl Lanes {
    /// Those of [`Fanout::start`](super::Fanout::start).
    pub(super) fn start(
        pool: &Pool,
        limits: &CallLimits,
        commands: &Commands,
        lanes: usize,
    ) -> Result<Self, Error> {
        let deadline = Deadline::after(limits.timeout);
        let wanted = lanes.clamp(1, commands.len().max(1));
        let mut guards = Vec::with_capacity(wanted);
        if !commands.is_empty() {
            let home = pool.shared_core();
            let guard = check_out(pool, home, limits, &deadline).inspect_err(|error| {
                if error.had_permit() {
                    pool.count_round_trip(deadline.elapsed());
                }
            })?;
            guards.push(guard);
        }
        let wait = guards.first().map_or(Duration::ZERO, |guard| guard.waited);
        while !guards.is_empty() && guards.len() < wanted {
            // No connection free, or none to be had: the ones that are there will do.
            match pool.try_check_out(limits, &deadline) {
                Ok(Some(guard)) => guards.push(guard),
                Ok(None) | Err(_) => break,
            }
        }
        let mut this = Self {
            pool: pool.clone(),
            limits: *limits,
            deadline,
            poll: Poll::new().map_err(|source| broken(pool, source))?,
            // All that can be ready at once: the lanes, the bell and the timer.
            events: Events::with_capacity(guards.len() + 2),
            lanes: Vec::with_capacity(guards.len()),
            places: Vec::new(),
            open: 0,
            fork_generation: fork::generation(),
            watch: None,
            timing: Timing {
                wait,
                wire: Duration::ZERO,
            },
            counted: false,
        };
        let mut dealt = vec![Commands::new(); guards.len()];
        if !guards.is_empty() {
            this.places = commands.deal(&mut dealt);
        }
        // All of them before anything is sent: what fails here has done nothing, and may be tried again. A guard that
        // gets no commands goes home, and whoever uses it next must not wake this poll.
        let busy = guards.iter().zip(&dealt).enumerate();
        for (lane, (guard, _)) in busy.filter(|(_, (_, commands))| !commands.is_empty()) {
            watch_lane(&this.poll, pool, guard, lane)?;
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
            this.pump(lane, true);
        }
        if !this.lanes.is_empty() && this.failure().is_none() {
            pool.warm_up(limits, &this.deadline, this.open);
        }
        this.spend(this.deadline.elapsed().saturating_sub(wait));
        Ok(this)
    }

    /// Adds what the thread has spent on it, and counts the whole when it has come to its end.
    fn spend(&mut self, span: Duration) {
        self.timing.wire += span;
        if self.is_done() && !self.counted && !self.lanes.is_empty() && !self.is_inherited() {
            self.counted = true;
            self.pool.count_round_trip(self.timing.wire);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    pub(super) fn connections(&self) -> usize {
        self.open
    }

    pub(super) fn is_inherited(&self) -> bool {
        self.fork_generation != fork::generation()
    }

    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    pub(super) fn watch(&mut self) -> io::Result<()> {
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

    pub(super) fn drive(&mut self, wait: Duration) -> bool {
        self.drive_while(wait, |_| true);
        self.is_done()
    }

    pub(super) fn drive_for(&mut self, commands: Range<usize>, wait: Duration) -> bool {
        // Replies come in order, so the last that was pending is the first to look at.
        let mut rest = commands;
        let mut pending = |this: &Self| {
            while let Some(last) = rest.end.checked_sub(1).filter(|last| *last >= rest.start) {
                if !this.is_settled(last..last + 1) {
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

    /// As [`Lanes::drive`], but only until a connection has gone home: for whoever needs one. Who waits for the
    /// descriptor is told.
    pub(super) fn drive_until_freed(&mut self, wait: Duration) {
        let before = self.open;
        self.drive_while(wait, |this| this.open == before);
        self.ring();
    }

    fn drive_while(&mut self, wait: Duration, go_on: impl FnMut(&Self) -> bool) {
        if self.is_done() {
            return;
        }
        let wait = Deadline::after(wait);
        self.drive_by(&wait, go_on);
        self.spend(wait.elapsed());
    }

    fn drive_by(&mut self, wait: &Deadline, mut go_on: impl FnMut(&Self) -> bool) {
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
            let patient = pause >= self.limits.connect_timeout.min(left);
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
                    self.pump(lane, patient);
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

    /// Pumps one lane; `patient` says whether the caller would wait for a connection to be opened.
    fn pump(&mut self, lane: usize, patient: bool) {
        self.go_on(
            lane,
            patient,
            |transfer, guard, commands, deadline, replies| {
                transfer.step(guard, commands, deadline, replies)
            },
        );
    }

    /// Gives every lane that is still open what had arrived for it by the deadline.
    fn look_late(&mut self) {
        for lane in 0..self.lanes.len() {
            self.go_on(
                lane,
                false,
                |transfer, guard, commands, deadline, replies| {
                    let done = transfer.look_late(guard, commands, deadline, replies)?;
                    Ok(if done { Step::Done } else { Step::Read })
                },
            );
        }
    }

    /// Lets an open lane take a step; sends its guard home when it is done or has failed. What the replies hold is
    /// counted over all lanes.
    fn go_on(
        &mut self,
        lane: usize,
        patient: bool,
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
                Err(error) => State::Failed(Rc::new(error)),
            },
            Err(cause) => {
                let failure = transfer.fail(cause, guard, replies);
                if patient && guard.reused() && may_retry(&failure, commands) {
                    return self.send_again(lane);
                }
                let counts = (replies.len(), commands.len());
                let error = explain(
                    failure.cause,
                    &self.pool,
                    &self.limits,
                    &self.deadline,
                    counts,
                );
                State::Failed(Rc::new(error))
            }
        };
        self.leave(lane, next);
    }

    /// Sends the commands of an open lane once more, on a fresh connection: where that can't do anything twice, as
    /// [`call`](crate::call()).
    fn send_again(&mut self, lane: usize) {
        self.unwatch(lane);
        let Lane {
            commands,
            replies,
            state,
        } = &mut self.lanes[lane];
        let State::Open { guard, transfer } = state else {
            return;
        };
        self.pool.count_retry();
        let watched = guard
            .replace(|| self.pool.connect(&self.limits, &self.deadline))
            .and_then(|()| watch_lane(&self.poll, &self.pool, guard, lane));
        match watched {
            Ok(()) => {
                self.deadline.look();
                replies.void();
                **transfer = Transfer::begin(guard, commands, replies, &self.limits);
                self.pump(lane, false);
            }
            Err(error) => self.end(lane, State::Failed(Rc::new(error))),
        }
    }

    /// Gives the outcome of `why` to every lane that is still open.
    fn fail_open(&mut self, why: impl Fn(&Self) -> Error) {
        for lane in 0..self.lanes.len() {
            let error = why(self);
            let Lane { replies, state, .. } = &mut self.lanes[lane];
            if let State::Open { guard, transfer } = state {
                transfer.fail(Cause::TimedOut(Phase::Read), guard, replies);
                self.leave(lane, State::Failed(Rc::new(error)));
            }
        }
    }

    /// Ends an open lane: its connection is no longer waited for, and its guard is dropped.
    fn leave(&mut self, lane: usize, next: State) {
        self.unwatch(lane);
        self.end(lane, next);
    }

    /// Ends an open lane whose connection is not waited for.
    fn end(&mut self, lane: usize, next: State) {
        let lane = &mut self.lanes[lane];
        if matches!(lane.state, State::Open { .. }) {
            self.open -= 1;
        }
        lane.state = next;
        if self.open == 0 {
            self.ring();
        }
    }

    /// Waits no longer for the connection of a lane: one that goes home must not wake this poll any more.
    fn unwatch(&self, lane: usize) {
        // In a forked child the epoll instance is the parent's, and so would be the interest that goes.
        if let State::Open { guard, .. } = &self.lanes[lane].state
            && !self.is_inherited()
        {
            // It can fail only if the descriptor is not registered, which is what is wanted.
            let fd = guard.as_raw_fd();
            let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        }
    }
}

/// Lets `poll` tell when the connection of a lane has something to do.
fn watch_lane(poll: &Poll, pool: &Pool, guard: &ConnectionGuard, lane: usize) -> Result<(), Error> {
    let both = Interest::READABLE | Interest::WRITABLE;
    poll.registry()
        .register(&mut SourceFd(&guard.as_raw_fd()), Token(lane), both)
        .map_err(|source| broken(pool, source))
}

/// What a fan-out fails with that can't wait for its connections.
fn broken(pool: &Pool, source: io::Error) -> Error {
    Error::Watch {
        endpoint: pool.config().endpoint.to_string(),
        source,
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in 0..self.lanes.len() {
            self.leave(lane, State::Done);
        }
    }
}
