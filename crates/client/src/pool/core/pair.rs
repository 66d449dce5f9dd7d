//! [`Pair`]: a pool and its model, taken through a script side by side.
//!
//! Waiters are put in the line, resumed and made to give up by the script (as loom's models do), so one thread
//! plays all of them, and the model can say who gets which permit.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fake::{Fake, World, keeping};
use super::reference::{Link, Model, Place};
use super::script::{Connect, Op};
use super::{Acquired, Core, Denied, Keeping, Refused};
use crate::deadline::Deadline;
use crate::fork::pretended::Child;
use crate::pool::gate::Joined;
use crate::pool::guard::Guard;
use crate::pool::hand_off::HandOff;
use crate::pool::line::Waiter;

const FOREVER: Duration = Duration::from_secs(1 << 40);
const LIFETIME: Duration = Duration::from_secs(1 << 30);

/// A guard that is out.
pub(super) struct Out {
    guard: Guard<Fake>,
    /// None after a failed `replace`.
    pub(super) link: Option<Link>,
}

/// The pool and its model, which take every step together.
pub(super) struct Pair {
    pub(super) world: Arc<World>,
    pub(super) core: Arc<Core<Fake>>,
    pub(super) model: Model,
    pub(super) out: Vec<Out>,
    pub(super) waiters: Vec<(u64, Arc<Waiter>)>,
    next_waiter: u64,
}

impl Pair {
    pub(super) fn new(world: &Arc<World>, size: u32, hand_over: bool, min_idle: u32) -> Self {
        let patience = if hand_over { Duration::ZERO } else { FOREVER };
        let kept = Keeping {
            max_lifetime: Some(LIFETIME),
            idle_timeout: Some(Duration::from_millis(1)),
            min_idle,
            ..keeping(size)
        };
        Self {
            world: Arc::clone(world),
            core: Arc::new(Core::with_hand_off(kept, HandOff { patience, turn: 0 })),
            model: Model::new(size, hand_over, min_idle),
            out: Vec::new(),
            waiters: Vec::new(),
            next_waiter: 0,
        }
    }

    fn connect(&self, how: Connect) -> impl FnOnce() -> Result<Fake, ()> + use<> {
        let world = Arc::clone(&self.world);
        move || match how {
            Connect::Ok => Ok(world.open()),
            Connect::Refused => Err(()),
            Connect::Panics => resume_unwind(Box::new("connect")),
        }
    }

    /// Follows a permit that was given: what must the guard be, and is it?
    fn admitted(
        &mut self,
        connect: Connect,
        probe: bool,
        done: std::thread::Result<Result<Option<Guard<Fake>>, Denied<()>>>,
    ) {
        self.model.note_peak();
        let found = self.model.pop_fit(probe);
        match (found, connect) {
            (Some(link), _) => {
                let guard = done.unwrap().unwrap().unwrap();
                assert_eq!(guard.id, link.id, "idle connections come out in order");
                assert!(guard.reused());
                self.out.push(Out {
                    guard,
                    link: Some(link),
                });
            }
            (None, Connect::Ok) => {
                let guard = done.unwrap().unwrap().unwrap();
                assert!(!guard.reused());
                let link = self.link(&guard);
                self.out.push(Out {
                    guard,
                    link: Some(link),
                });
            }
            (None, Connect::Refused) => {
                assert!(matches!(done.unwrap(), Err(Denied::Connect(()))));
                self.model.release();
            }
            (None, Connect::Panics) => {
                assert!(done.is_err());
                self.model.release();
            }
        }
    }

    fn link(&self, guard: &Guard<Fake>) -> Link {
        Link {
            id: guard.id,
            epoch: self.model.epoch,
            old: false,
            dead: Arc::clone(&guard.dead),
        }
    }

    fn probe_after(probe: bool) -> Duration {
        if probe { Duration::ZERO } else { FOREVER }
    }

    pub(super) fn step(&mut self, op: Op) {
        match op {
            Op::TryCheckOut { connect, probe } => {
                let open = self.connect(connect);
                let after = Self::probe_after(probe);
                let done = catch_unwind(AssertUnwindSafe(|| {
                    Core::try_check_out(Arc::clone(&self.core), Instant::now(), after, open)
                }));
                if self.model.closed {
                    assert!(matches!(done.unwrap(), Err(Denied::Closed)));
                } else if self.model.free == 0 {
                    assert!(matches!(done.unwrap(), Ok(None)));
                } else {
                    self.model.free -= 1;
                    self.admitted(connect, probe, done);
                }
            }
            Op::CheckOut { connect, probe } => {
                let open = self.connect(connect);
                let after = Self::probe_after(probe);
                // No time at all: what is free is given all the same, a wait ends at once.
                let deadline = Deadline::after(Duration::ZERO);
                let done = catch_unwind(AssertUnwindSafe(|| {
                    Core::check_out(Arc::clone(&self.core), &deadline, FOREVER, after, open)
                }));
                if self.model.closed {
                    assert!(matches!(done.unwrap(), Err(Denied::Closed)));
                } else if self.model.free == 0 {
                    let others = self.model.line.len() as u32;
                    assert!(matches!(
                        done.unwrap(),
                        Err(Denied::TimedOut { waiters }) if waiters == others
                    ));
                } else {
                    self.model.free -= 1;
                    self.admitted(connect, probe, done.map(|done| done.map(Some)));
                }
            }
            Op::WarmUp { wanted, connect } => self.warm_up(wanted, connect),
            Op::Join => {
                let joined = self.core.gate.join(&mut self.core.gate.lock());
                match joined {
                    Err(refused) => {
                        assert_eq!((refused, self.model.closed), (Refused::Closed, true));
                    }
                    Ok(Joined::Permit(acquired)) => {
                        assert!(self.model.free > 0);
                        self.model.free -= 1;
                        assert_eq!(acquired.free_after, self.model.free);
                        self.admit(acquired, Connect::Ok);
                    }
                    Ok(Joined::Line(waiter)) => {
                        assert_eq!((self.model.free, self.model.closed), (0, false));
                        let number = self.next_waiter;
                        self.next_waiter += 1;
                        self.waiters.push((number, waiter));
                        self.model.line.push_back((number, Place::Asleep));
                    }
                }
            }
            Op::Resume { waiter, connect } if !self.waiters.is_empty() => {
                let at = waiter % self.waiters.len();
                let (number, waiter) = self.waiters[at].clone();
                let outcome = self.core.gate.resume(&waiter, &mut self.core.gate.lock());
                self.resumed(at, number, outcome, connect);
            }
            Op::GiveUp { waiter } if !self.waiters.is_empty() => {
                let at = waiter % self.waiters.len();
                let (number, waiter) = self.waiters.remove(at);
                let outcome = self.core.gate.abandon(&waiter, &mut self.core.gate.lock());
                let place = self.model.place(number);
                self.model.forget(number);
                match place {
                    Place::Granted => self.admit(outcome.unwrap(), Connect::Ok),
                    Place::Shut => assert_eq!(outcome, Err(Refused::Closed)),
                    Place::Asleep | Place::Woken => {
                        let waiters = self.model.line.len() as u32;
                        assert_eq!(outcome, Err(Refused::TimedOut { waiters }));
                        if place == Place::Woken && self.model.free > 0 {
                            self.model.wake_one();
                        }
                    }
                }
            }
            Op::Return { guard } if !self.out.is_empty() => {
                let Out { guard, link } = self.out.swap_remove(guard % self.out.len());
                drop(guard);
                self.returned(link, true);
            }
            Op::LeaveHalfDone { guard } if !self.out.is_empty() => {
                let Out { mut guard, link } = self.out.swap_remove(guard % self.out.len());
                if link.is_some() {
                    guard.clean = false;
                }
                drop(guard);
                self.returned(link, false);
            }
            Op::PanicInUse { guard } if !self.out.is_empty() => {
                let Out { guard, link } = self.out.swap_remove(guard % self.out.len());
                let unwound = catch_unwind(AssertUnwindSafe(move || {
                    let _in_use = guard;
                    resume_unwind(Box::new("in use"))
                }));
                assert!(unwound.is_err());
                self.returned(link, false);
            }
            Op::Replace { guard, connect } if !self.out.is_empty() => {
                let at = guard % self.out.len();
                let open = self.connect(connect);
                let guard = &mut self.out[at].guard;
                let done = catch_unwind(AssertUnwindSafe(|| guard.replace(open)));
                let replaced = matches!(done, Ok(Ok(())));
                assert_eq!(replaced, matches!(connect, Connect::Ok));
                self.out[at].link = replaced.then(|| self.link(&self.out[at].guard));
            }
            Op::PeerHangsUp { idle } if !self.model.idle.is_empty() => {
                let at = idle % self.model.idle.len();
                self.model.idle[at].dead.store(true, Ordering::Relaxed); // one thread
            }
            Op::Grow { old } => {
                // So many of the idle ones reach their age. They keep their order.
                for n in 0..self.model.idle.len() {
                    let mut slot = self.core.idle.pop().unwrap();
                    if n < old {
                        slot.expires = Some(Instant::now());
                        self.model.idle[n].old = true;
                    }
                    self.core.idle.push(slot).unwrap();
                }
            }
            Op::Housekeep => {
                self.core.next_sweep_ms.store(0, Ordering::Relaxed); // one thread
                self.core.housekeep();
                let wanted = self.model.peak.max(self.model.min_idle);
                let live = self.model.in_use() + self.model.idle.len() as u32;
                self.model.close_idle(live.saturating_sub(wanted));
                self.model.peak = self.model.in_use();
            }
            Op::Drain => {
                let closed = self.core.drain();
                self.model.epoch += 1;
                assert_eq!(closed, self.model.close_idle(self.model.size));
            }
            Op::Close => {
                let home = self.core.close(&Deadline::after(Duration::ZERO));
                assert_eq!(home, self.model.in_use() == 0);
                self.model.closed = true;
                self.model.idle.clear();
                let line = std::mem::take(&mut self.model.line);
                let shut = line.into_iter().map(|(number, _)| (number, Place::Shut));
                self.model.settled.extend(shut);
            }
            Op::Fork => self.fork(),
            _ => {}
        }
    }

    /// Follows a wait that the gate says is over, or not.
    fn resumed(
        &mut self,
        at: usize,
        number: u64,
        outcome: Option<Result<Acquired, Refused>>,
        connect: Connect,
    ) {
        let place = self.model.place(number);
        match place {
            Place::Asleep => return assert_eq!(outcome, None),
            Place::Woken if self.model.free == 0 => {
                assert_eq!(outcome, None);
                let mut line = self.model.line.iter_mut();
                line.find(|(n, _)| *n == number).unwrap().1 = Place::Asleep;
                return;
            }
            _ => {}
        }
        // Out of the line before the permit that it took can come home again.
        self.model.forget(number);
        self.waiters.remove(at);
        match place {
            Place::Woken => {
                self.model.free -= 1;
                let free_after = self.model.free;
                assert_eq!(outcome, Some(Ok(Acquired { free_after })));
                self.admit(outcome.unwrap().unwrap(), connect);
            }
            Place::Granted => self.admit(outcome.unwrap().unwrap(), connect),
            Place::Shut => assert_eq!(outcome, Some(Err(Refused::Closed))),
            Place::Asleep => unreachable!("seen above"),
        }
    }

    /// Makes a guard of a permit, as `check_out` does.
    fn admit(&mut self, acquired: Acquired, connect: Connect) {
        let open = self.connect(connect);
        let done = catch_unwind(AssertUnwindSafe(|| {
            let home = Arc::clone(&self.core);
            Core::admit(
                home,
                acquired,
                Duration::ZERO,
                Instant::now(),
                Duration::ZERO,
                open,
            )
        }));
        // What a hand-over leaves free is not known to the waiter: it counts as none.
        self.model.peak = self.model.peak.max(self.model.size - acquired.free_after);
        self.admitted(connect, true, done.map(|done| done.map(Some)));
    }

    fn returned(&mut self, link: Option<Link>, clean: bool) {
        if let Some(link) = link {
            self.model.check_in(link, clean);
        }
        self.model.release();
    }

    fn warm_up(&mut self, wanted: u32, connect: Connect) {
        let open = || self.connect(connect)();
        let done = catch_unwind(AssertUnwindSafe(|| self.core.warm_up(wanted, open)));
        let mut held = Vec::new();
        let mut failed = false;
        for _ in 0..wanted {
            if self.model.closed || self.model.free == 0 || failed {
                break;
            }
            self.model.free -= 1;
            match self.model.pop_fit(true) {
                Some(link) => held.push(Some(link)),
                None if matches!(connect, Connect::Ok) => held.push(None),
                None => {
                    failed = true;
                    self.model.release();
                }
            }
        }
        let panicked = failed && matches!(connect, Connect::Panics);
        assert_eq!(done.is_err(), panicked);
        for link in held {
            if panicked {
                // What is held while a panic unwinds counts as left half done.
                self.model.release();
                continue;
            }
            if let Some(link) = link {
                self.model.check_in(link, true);
            } else {
                // New ones are known by what lies in the queue afterwards.
                self.model.idle.push_back(Link {
                    id: u64::MAX,
                    epoch: self.model.epoch,
                    old: false,
                    dead: Arc::default(),
                });
            }
            self.model.release();
        }
        self.adopt_new();
    }

    /// Learns the connections that the pool opened by itself.
    fn adopt_new(&mut self) {
        for n in 0..self.core.idle.len() {
            let slot = self.core.idle.pop().unwrap();
            if let Some(link) = self.model.idle.get_mut(n)
                && link.id == u64::MAX
            {
                link.id = slot.link.id;
                link.dead = Arc::clone(&slot.link.dead);
            }
            self.core.idle.push(slot).unwrap();
        }
    }

    /// The thread wakes up as a forked child: the pool is somebody else's from here on.
    fn fork(&mut self) {
        let before = self.core.gate.observe();
        let idle = self.core.idle.len();
        let child = Child::new();
        let open = self.connect(Connect::Panics);
        let home = || Arc::clone(&self.core);
        let refused = Core::check_out(
            home(),
            &Deadline::after(Duration::ZERO),
            FOREVER,
            Duration::ZERO,
            open,
        );
        assert!(matches!(refused, Err(Denied::Forked)));
        let open = self.connect(Connect::Panics);
        let refused = Core::try_check_out(home(), Instant::now(), Duration::ZERO, open);
        assert!(matches!(refused, Err(Denied::Forked)));
        self.core.housekeep();
        // Guards that crossed over close their descriptor and touch nothing else.
        let lost = self.out.len() as u32;
        self.out.clear();
        assert_eq!(
            (self.core.gate.observe(), self.core.idle.len()),
            (before, idle)
        );
        // The child's own pool works, and waits without parking.
        let mut own = Self::new(&self.world, 1, self.model.hand_over, 0);
        for op in [
            Op::CheckOut {
                connect: Connect::Ok,
                probe: true,
            },
            Op::CheckOut {
                connect: Connect::Ok,
                probe: true,
            },
            Op::Join,
            Op::Return { guard: 0 },
            Op::Resume {
                waiter: 0,
                connect: Connect::Ok,
            },
            Op::Close,
        ] {
            own.step(op);
            own.check(idle as u64);
        }
        drop(own);
        drop(child);
        // Back in the parent the permits that the child's copies held are still out: in truth its guards are.
        self.model.lost += lost;
    }
}
