//! The fault matrix: every way to connect, times every state in which an idle connection is found, times every
//! course of an exchange, times every way in which the caller ends. Generated; after each case the pool has its full
//! capacity, the server sees no connection that is not ours, nothing foreign came out, and the error was in time.
//!
//! A script of PHP that throws, exits or dies by a limit is one of these for the client: it does nothing to a call
//! under way (rule L1), it lets go of a batch (`DropsEarly`), or a signal comes. `tests/matrix` has them from PHP.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tagcached::fault::{FaultServer, Rule};

use crate::config::{CallLimits, Endpoint, PoolConfig};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind};
use crate::exchange;
use crate::pool::{Pool, guards_on_this_thread};
use crate::proto::{Commands, Replies, Reply, TagList};
use crate::{Value, call};

fn ask(
    pool: &Pool,
    limits: &CallLimits,
    commands: &Commands,
    replies: &mut Replies,
) -> Result<(), Error> {
    let deadline = Deadline::after(limits.timeout);
    call(pool, limits, &deadline, commands, replies)
}

/// How late an error may come.
const GRACE: Duration = Duration::from_millis(100);

/// A quick case, and one in which the kernel repeats a SYN after a second.
const SHORT: Duration = Duration::from_millis(120);
const LONG: Duration = Duration::from_millis(1600);

const LIMIT: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connect {
    Ok,
    Refused,
    Slow,
    Never,
}

/// What the idle connection is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Quiet,
    Eof,
    Unread,
    /// There is none: as the first call of a process.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Ok,
    Refused,
    Eof { byte: usize },
    Stall { byte: usize },
    Garbage,
    SurplusAtOnce,
    SurplusLater,
    Oversized,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Returns,
    Panics,
    DropsEarly,
    /// Forks with the connection checked out. The child is refused, lets go and ends; the parent goes on.
    Forks,
    /// Gets a signal every few milliseconds, as by PHP's time limit.
    Interrupted,
}

/// Held to write while a child lives: it has a copy of every listener in this process, and an address that has one
/// can't be bound anew, as a server does to refuse.
static CHILDREN: RwLock<()> = RwLock::new(());

/// Changes something at a server's door.
fn at_the_door<R>(change: impl FnOnce() -> R) -> R {
    let _no_child = CHILDREN.read().unwrap();
    change()
}

extern "C" fn ignore(_signal: libc::c_int) {}

/// Calls `wait` while its thread gets signals.
fn interrupted<R>(wait: impl FnOnce() -> R) -> R {
    // SAFETY: the handler does nothing. No SA_RESTART: system calls end early.
    let victim = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
        libc::pthread_self()
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Relaxed: a flag.
            while !done.load(Ordering::Relaxed) {
                // SAFETY: the thread waits for this scope to end, and handles the signal.
                unsafe { libc::pthread_kill(victim, libc::SIGUSR1) };
                thread::sleep(Duration::from_millis(3));
            }
        });
        let result = wait();
        done.store(true, Ordering::Relaxed);
        result
    })
}

#[derive(Clone, Copy, Debug)]
struct Case {
    connect: Connect,
    found: Found,
    course: Use,
    caller: Caller,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for connect in [Connect::Ok, Connect::Refused, Connect::Slow, Connect::Never] {
        for found in [Found::Quiet, Found::Eof, Found::Unread, Found::Nothing] {
            for course in [
                Use::Ok,
                Use::Refused,
                Use::Eof { byte: 0 },
                Use::Eof { byte: 3 },
                Use::Stall { byte: 0 },
                Use::Stall { byte: 3 },
                Use::Garbage,
                Use::SurplusAtOnce,
                Use::SurplusLater,
                Use::Oversized,
            ] {
                for caller in [
                    Caller::Returns,
                    Caller::Panics,
                    Caller::DropsEarly,
                    Caller::Forks,
                    Caller::Interrupted,
                ] {
                    cases.push(Case {
                        connect,
                        found,
                        course,
                        caller,
                    });
                }
            }
        }
    }
    cases
}

impl Use {
    fn rule(self) -> Option<Rule> {
        let stolen = "VALUE\tSTOLEN\n";
        let rule = match self {
            Self::Ok => return None,
            Self::Refused => Rule::replace(0, "ERR out of order\n"),
            Self::Eof { byte } => Rule::close(0).byte(byte),
            Self::Stall { byte } => Rule::stall(0).byte(byte),
            Self::Garbage => Rule::replace(0, "VALUES\tx\n"),
            Self::SurplusAtOnce => Rule::inject(0, stolen),
            Self::SurplusLater => Rule::inject_after(0, stolen, Duration::from_millis(10)),
            Self::Oversized => Rule::oversize(0, 2 * LIMIT),
        };
        Some(rule.verb("GET"))
    }
}

impl Case {
    fn timeout(self) -> Duration {
        if self.connect == Connect::Slow {
            LONG
        } else {
            SHORT
        }
    }

    fn limits(self) -> CallLimits {
        CallLimits {
            timeout: self.timeout(),
            acquire_timeout: self.timeout(),
            connect_timeout: self.timeout(),
            connect_backoff: Duration::ZERO,
            max_reply_bytes: LIMIT,
            ..CallLimits::default()
        }
    }

    fn run(self) {
        let server = FaultServer::start([]).unwrap();
        let address = server.addr();
        let endpoint = Endpoint::tcp(address.ip().to_string(), address.port());
        let pool = Pool::new(PoolConfig {
            size: 2,
            ..PoolConfig::new(endpoint)
        });
        self.prepare(&server, &pool);
        self.disturb(&server);
        let begun = Instant::now();
        let outcome = thread::scope(|scope| {
            if self.connect == Connect::Slow {
                // The kernel repeats the SYN after a second; by then somebody is in.
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(50));
                    at_the_door(|| server.clear());
                    if let Some(rule) = self.course.rule() {
                        server.add(rule);
                    }
                });
            }
            self.attempt(&pool)
        });
        let took = begun.elapsed();
        assert!(took < self.timeout() + GRACE, "{self:?} took {took:?}");
        self.judge(&outcome);
        self.whole_again(&server, &pool);
    }

    /// Stores what will be read, and leaves an idle connection as it is to be found.
    fn prepare(self, server: &FaultServer, pool: &Pool) {
        let mut commands = Commands::new();
        commands
            .put(b"k", None, &TagList::new(), Value::Str(b"mine"))
            .unwrap();
        let left = match self.found {
            Found::Quiet | Found::Nothing => None,
            Found::Eof => Some(Rule::close_idle(0)),
            Found::Unread => {
                let later = Duration::from_millis(15);
                Some(Rule::inject_after(0, "VALUE\tSTOLEN\n", later))
            }
        };
        loop {
            at_the_door(|| server.clear());
            if let Some(rule) = &left {
                server.add(rule.clone());
            }
            // On a busy machine this thread may read so late that the surplus is there already: then once more.
            if ask(pool, &CallLimits::default(), &commands, &mut Replies::new()).is_ok() {
                break;
            }
        }
        match self.found {
            Found::Quiet => {}
            Found::Eof | Found::Unread => thread::sleep(Duration::from_millis(60)),
            Found::Nothing => assert_eq!(pool.drain(), 1),
        }
        at_the_door(|| server.clear());
    }

    /// Sets the faults. A slow server lets nobody in for a moment, in which the kernel's SYN is lost.
    fn disturb(self, server: &FaultServer) {
        if let Some(rule) = self.course.rule() {
            server.add(rule);
        }
        match self.connect {
            Connect::Ok => {}
            Connect::Refused => at_the_door(|| server.refuse()),
            Connect::Slow | Connect::Never => at_the_door(|| server.add(Rule::blackhole())),
        }
    }

    fn attempt(self, pool: &Pool) -> Result<Replies, Option<Error>> {
        let limits = self.limits();
        let mut commands = Commands::new();
        commands.get(b"k").unwrap();
        let mut replies = Replies::new();
        if matches!(self.caller, Caller::Returns | Caller::Interrupted) {
            let mut ask = || ask(pool, &limits, &commands, &mut replies);
            let done = match self.caller {
                Caller::Returns => ask(),
                _ => interrupted(ask),
            };
            return done.map(|()| replies).map_err(Some);
        }
        let deadline = Deadline::after(limits.timeout);
        let mut guard = pool.check_out(&limits, &deadline).map_err(Some)?;
        if self.caller == Caller::DropsEarly {
            guard.begin(1);
            // Whatever came of it: the reply is owed.
            let _ = guard.send(commands.bytes(), &[]);
            return Err(None);
        }
        if self.caller == Caller::Forks {
            let child_lives = CHILDREN.write().unwrap();
            // SAFETY: the child runs on its copy of this thread, touches no lock of another thread but the
            // allocator's (glibc repairs it), and leaves by `_exit`.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                let refused = ask(pool, &limits, &commands, &mut replies);
                drop(guard);
                let code = i32::from(!matches!(refused, Err(Error::Forked { .. })));
                // SAFETY: ends the process without the parent's exit handlers.
                unsafe { libc::_exit(code) };
            }
            let mut status = 0;
            // SAFETY: `pid` is a child of ours, `status` a valid place.
            assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
            assert_eq!(status, 0, "{self:?}: the child used its parent's pool");
            drop(child_lives);
            let done = exchange::run(&mut guard, &commands, &limits, &deadline, &mut replies);
            return done.map(|()| replies).map_err(|_| None);
        }
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let mut guard = guard;
            let done = exchange::run(&mut guard, &commands, &limits, &deadline, &mut replies);
            resume_unwind(Box::new((done.is_ok(), replies)));
        }));
        match unwound {
            Err(payload) => match *payload.downcast::<(bool, Replies)>().unwrap() {
                (true, replies) => Ok(replies),
                (false, _) => Err(None),
            },
            Ok(()) => unreachable!("it panics"),
        }
    }

    /// What may come out of it.
    fn judge(self, outcome: &Result<Replies, Option<Error>>) {
        let kind = match outcome {
            Ok(replies) => {
                assert_eq!(replies.len(), 1, "{self:?}");
                match replies.get(0) {
                    Reply::Value(value) => assert_eq!(value, b"mine", "{self:?}"),
                    Reply::Error(text) => assert_eq!(text, b"out of order", "{self:?}"),
                    other => panic!("{self:?}: {other:?}"),
                }
                None
            }
            Err(None) => return,
            Err(Some(error)) => Some(error.kind()),
        };
        let opens = self.found != Found::Quiet;
        let wanted: &[Option<ErrorKind>] = match (self.connect, self.course) {
            (Connect::Refused, _) if opens => &[Some(ErrorKind::Connection)],
            (Connect::Never, _) if opens => &[Some(ErrorKind::Timeout)],
            (_, Use::Ok | Use::Refused | Use::SurplusLater) => &[None],
            // The retry of a read on a reused connection needs a new one.
            (_, Use::Eof { .. }) => &[Some(ErrorKind::Connection), Some(ErrorKind::Timeout)],
            (_, Use::Stall { .. }) => &[Some(ErrorKind::Timeout)],
            (_, Use::Garbage | Use::Oversized) => &[Some(ErrorKind::Protocol)],
            (_, Use::SurplusAtOnce) => &[None, Some(ErrorKind::Protocol)],
        };
        assert!(wanted.contains(&kind), "{self:?}: {kind:?}");
    }

    /// Full capacity, the right value, no descriptor too many.
    fn whole_again(self, server: &FaultServer, pool: &Pool) {
        at_the_door(|| {
            server.clear();
            server.accept();
        });
        assert_eq!(guards_on_this_thread(), 0, "{self:?}");
        let stats = pool.stats();
        assert_eq!((stats.in_use, stats.waiters), (0, 0), "{self:?}: {stats:?}");
        // A late surplus line is on its way to the connection that was used.
        if self.course == Use::SurplusLater {
            thread::sleep(Duration::from_millis(30));
        }
        let patient = CallLimits::default();
        let deadline = Deadline::after(patient.timeout);
        let all = [(); 2].map(|()| pool.try_check_out(&patient, &deadline).unwrap());
        assert!(
            all.iter().all(Option::is_some),
            "{self:?}: capacity is lost"
        );
        drop(all);
        let mut commands = Commands::new();
        commands.get(b"k").unwrap();
        let mut replies = Replies::new();
        for _ in 0..2 {
            ask(pool, &patient, &commands, &mut replies).unwrap();
            assert_eq!(replies.get(0), Reply::Value(b"mine"), "{self:?}");
        }
        pool.drain();
        let end = Instant::now() + Duration::from_secs(3);
        while server.peers() > 0 {
            assert!(Instant::now() < end, "{self:?}: a descriptor is left");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn every_fault_everywhere() {
    let cases = cases();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                // Relaxed: hands out numbers.
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    case.run();
                }
            });
        }
    });
}
