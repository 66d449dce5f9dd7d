//! [`Fanout`]: many commands over several connections at once, driven whenever the caller has a moment.
//!
//! The commands are dealt to lanes, one guard each. The first lane may wait for its connection, the others take
//! what is free at once (rule L3: whoever holds a guard does not wait for another). Every lane is a `Transfer`
//! that is pumped without blocking; one edge-triggered [`mio::Poll`], owned by this fan-out, tells which have
//! something to do. A guard goes home as soon as its last reply is in. One deadline covers everything.
//!
//! Commands on the same key keep their order; others may overtake each other. Dropped unfinished, the connections
//! that still owe replies are closed and their permits given back.

mod lanes;
mod watch;

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::os::fd::RawFd;
use std::rc::{Rc, Weak};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use self::lanes::Lanes;
use crate::config::CallLimits;
use crate::error::Error;
use crate::held::{self, Holder};
use crate::pool::Pool;
use crate::proto::{Commands, Replies, Timing};

/// Commands sent over several connections, and what came of them. It belongs to the thread that started it, whose
/// other calls drive it when they need a connection.
#[derive(Debug)]
pub struct Fanout {
    /// The only strong count between two calls, so the connections go home with it. It is borrowed within one call
    /// only, in which nothing of the caller runs.
    lanes: Rc<RefCell<Lanes>>,
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
        let lanes = Lanes::start(pool, limits, commands, lanes)?;
        let lanes = Rc::new(RefCell::new(lanes));
        let noted: Weak<RefCell<Lanes>> = Rc::downgrade(&lanes);
        held::note(noted);
        Ok(Self { lanes })
    }

    /// Returns the number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lanes.borrow().len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether every command has its reply, or never will.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.lanes.borrow().is_done()
    }

    /// Returns how many connections are still checked out.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lanes.borrow().connections()
    }

    /// Returns whether each of `commands`, from 0 in the order they were given, has its reply, or never will.
    ///
    /// # Panics
    ///
    /// Panics if there are not that many commands.
    #[must_use]
    pub fn is_settled(&self, commands: Range<usize>) -> bool {
        self.lanes.borrow().is_settled(commands)
    }

    /// Copies the replies to `commands` behind those in `into`, if all of them are in; else leaves it alone. The error
    /// is that of the first lane that failed before its replies could be trusted: whether what it had to do was done
    /// is not known.
    ///
    /// # Panics
    ///
    /// As [`Fanout::is_settled`].
    pub fn copy_replies(
        &self,
        commands: Range<usize>,
        into: &mut Replies,
    ) -> Poll<Result<(), Rc<Error>>> {
        self.lanes.borrow().copy_replies(commands, into)
    }

    /// Returns how many commands have their reply.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.lanes.borrow().answered()
    }

    /// Returns how long the thread has spent on it: waiting for the first connection, and from then on sending, driving
    /// and waiting for replies. What it did meanwhile does not count.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.lanes.borrow().timing()
    }

    /// Returns why a lane has failed, if one has: of several the first.
    #[must_use]
    pub fn failure(&self) -> Option<Rc<Error>> {
        self.lanes.borrow().failure()
    }

    /// Returns the verb and the key or tag of the first command.
    #[must_use]
    pub fn first(&self) -> Option<(&'static str, Vec<u8>)> {
        self.lanes.borrow().first()
    }

    /// As [`Replies::refusals`].
    #[must_use]
    pub fn refusals(&self) -> Option<(usize, Vec<u8>)> {
        self.lanes.borrow().refusals()
    }

    /// Returns whether another process made this (this one is its forked child). Its connections are the
    /// parent's: [`Fanout::drive`] leaves them alone and fails every command that has no reply.
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        self.lanes.borrow().is_inherited()
    }

    /// Returns the descriptor that becomes readable when [`Fanout::drive`] has something to do. From the first
    /// [`Fanout::watch`] on that includes the deadline, and when all is done it stays readable.
    #[must_use]
    pub fn as_raw_fd(&self) -> RawFd {
        self.lanes.borrow().as_raw_fd()
    }

    /// Lets the descriptor tell of the deadline and of the end, for those who wait for it instead of calling
    /// [`Fanout::drive`]. The second time it does nothing.
    ///
    /// # Errors
    ///
    /// What the system says if it is short of descriptors.
    pub fn watch(&self) -> io::Result<()> {
        self.lanes.borrow_mut().watch()
    }

    /// Goes on: takes what has arrived, sends what there is room for, waits up to `wait` for more and so on until
    /// every command has its reply or `wait` is over. At the deadline, or at the first call after it, what has
    /// arrived is taken, and the commands without a reply fail with [`Error::Timeout`]. Returns whether all is done.
    pub fn drive(&self, wait: Duration) -> bool {
        self.lanes.borrow_mut().drive(wait)
    }

    /// As [`Fanout::drive`], but only until each of `commands` has its reply, or never will; returns whether that is so.
    ///
    /// # Panics
    ///
    /// As [`Fanout::is_settled`].
    pub fn drive_for(&self, commands: Range<usize>, wait: Duration) -> bool {
        self.lanes.borrow_mut().drive_for(commands, wait)
    }
}

impl Drop for Fanout {
    fn drop(&mut self) {
        let lanes: *const RefCell<Lanes> = Rc::as_ptr(&self.lanes);
        held::forget(lanes);
    }
}

impl Holder for RefCell<Lanes> {
    fn connections(&self) -> usize {
        match self.try_borrow() {
            // In a forked child they are the parent's: nobody here waits for one of them.
            Ok(lanes) if lanes.is_inherited() => 0,
            Ok(lanes) => lanes.connections(),
            // A frame below this one drives it, and has a reason to.
            Err(_) => 1,
        }
    }

    fn drive_until_freed(&self, wait: Duration) {
        match self.try_borrow_mut() {
            Ok(mut lanes) => lanes.drive_until_freed(wait),
            // Somebody else's connection may become free meanwhile.
            Err(_) => thread::sleep(wait),
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::config::{Endpoint, PoolConfig};
    use crate::deadline::Deadline;
    use crate::fork::pretended::Child;
    use crate::held::check_out;
    use tagcached::fault::{FaultServer, Rule};

    /// A fan-out that has the only connection of its pool, whose server says nothing.
    fn silent() -> (FaultServer, Pool, CallLimits, Fanout) {
        let server = FaultServer::start([Rule::silent()]).unwrap();
        let endpoint = Endpoint::tcp("127.0.0.1", server.addr().port());
        let pool = Pool::new(PoolConfig {
            size: 1,
            ..PoolConfig::new(endpoint)
        });
        let limits = CallLimits {
            timeout: Duration::from_millis(100),
            ..CallLimits::default()
        };
        let mut commands = Commands::new();
        commands.get(b"k").unwrap();
        let fanout = Fanout::start(&pool, &CallLimits::default(), &commands, 1).unwrap();
        (server, pool, limits, fanout)
    }

    /// A check-out that gets no connection for 100 ms; returns how many stand in line halfway through.
    fn in_vain(pool: &Pool, limits: &CallLimits) -> u32 {
        thread::scope(|scope| {
            let looking = scope.spawn(|| {
                thread::sleep(limits.timeout / 2);
                pool.stats().waiters
            });
            let deadline = Deadline::after(limits.timeout);
            let failed = check_out(pool, pool.core(), limits, &deadline).map(drop);
            assert!(matches!(failed, Err(Error::PoolExhausted { .. })));
            assert!(deadline.elapsed() >= limits.timeout);
            looking.join().unwrap()
        })
    }

    /// Nothing gets here today. If something does, it must neither panic nor stand in line.
    #[test]
    fn who_is_called_while_it_drives_a_fan_out_waits_for_others_only() {
        let (_server, pool, limits, fanout) = silent();
        let driving = fanout.lanes.borrow_mut();
        assert_eq!(in_vain(&pool, &limits), 0, "it stood in line");
        drop(driving);
        assert_eq!(fanout.connections(), 1);
    }

    /// What a forked child has inherited holds nothing of the child's own pools: it is left alone.
    #[test]
    fn a_forked_child_does_not_drive_what_it_inherited() {
        let (_server, pool, limits, fanout) = silent();
        let child = Child::new();
        let own = Pool::new(pool.config().clone());
        let held = own.check_out(&limits, &Deadline::after(limits.timeout));
        assert_eq!(in_vain(&own, &limits), 1, "it has nothing to drive");
        assert!(!fanout.is_done(), "it was asked");
        drop((held, own, child));
        assert_eq!(fanout.connections(), 1);
    }
}
