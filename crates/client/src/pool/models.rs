//! Models of the gate for loom, which runs every interleaving and every outcome that the memory orderings allow:
//! `scripts/loom.sh`. A waiter that is stuck ends a model as a deadlock (P4); what a permit publishes is a
//! `loom::cell::UnsafeCell`, so a missing Acquire or Release is a data race.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::deadline::Deadline;

use super::gate::{Gate, Joined, Refused, Released};
use super::hand_off::HandOff;

const FOREVER: Duration = Duration::from_secs(1 << 40);

/// Always hands permits over, never does.
const PATIENCES: [Duration; 2] = [Duration::ZERO, FOREVER];

/// A gate with something to guard: each permit holder writes to a slot of its own.
struct Shared {
    gate: Gate,
    slots: Vec<UnsafeCell<u32>>,
    users: AtomicUsize,
}

impl Shared {
    fn new(size: u32, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            gate: Gate::new(size, HandOff { patience, turn: 0 }),
            slots: (0..size).map(|_| UnsafeCell::new(0)).collect(),
            users: AtomicUsize::new(0),
        })
    }

    /// Uses the connection: with one permit there is one slot, and only the gate orders its users.
    fn use_slot(&self) {
        if let [slot] = &self.slots[..] {
            // Enough for loom, which tracks the access and not what is done with it.
            slot.with_mut(|_| ());
            return;
        }
        // Relaxed: counting must not order anything for the gate.
        let before = self.users.fetch_add(1, Ordering::Relaxed);
        assert!(before < self.slots.len(), "P3: more users than permits");
        self.users.fetch_sub(1, Ordering::Relaxed);
    }

    fn acquire_and_release(&self) -> Result<(), Refused> {
        self.gate.acquire(&Deadline::after(FOREVER))?;
        self.use_slot();
        if self.gate.release(|| ()) == Released::Closed {
            self.gate.announce_drained();
        }
        Ok(())
    }

    fn assert_home(&self, closed: bool) {
        let (free, waiters, shut) = self.gate.observe();
        assert_eq!(
            (free as usize, waiters, shut),
            (self.slots.len(), 0, closed)
        );
    }
}

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn two_threads_share_one_permit() {
    for patience in PATIENCES {
        explore(move || {
            let shared = Shared::new(1, patience);
            let other = Arc::clone(&shared);
            let thread = thread::spawn(move || other.acquire_and_release().unwrap());
            shared.acquire_and_release().unwrap();
            thread.join().unwrap();
            shared.assert_home(false);
        });
    }
}

#[test]
fn three_threads_share_one_permit() {
    for patience in PATIENCES {
        explore(move || {
            let shared = Shared::new(1, patience);
            let threads = [(); 2].map(|()| {
                let other = Arc::clone(&shared);
                thread::spawn(move || other.acquire_and_release().unwrap())
            });
            shared.acquire_and_release().unwrap();
            for thread in threads {
                thread.join().unwrap();
            }
            shared.assert_home(false);
        });
    }
}

#[test]
fn three_threads_share_two_permits() {
    for patience in PATIENCES {
        explore(move || {
            let shared = Shared::new(2, patience);
            let threads = [(); 2].map(|()| {
                let other = Arc::clone(&shared);
                thread::spawn(move || other.acquire_and_release().unwrap())
            });
            shared.acquire_and_release().unwrap();
            for thread in threads {
                thread.join().unwrap();
            }
            shared.assert_home(false);
        });
    }
}

/// A waiter gives up at a moment of loom's choice; whatever it was given or woken for must reach the other.
#[test]
fn a_waiter_that_gives_up_strands_nobody() {
    for patience in PATIENCES {
        explore(move || {
            let shared = Shared::new(1, patience);
            shared.gate.acquire(&Deadline::after(FOREVER)).unwrap();
            let quitter = Arc::clone(&shared);
            let quitter = thread::spawn(move || {
                let mut line = quitter.gate.lock();
                let waiter = match quitter.gate.join(&mut line).unwrap() {
                    Joined::Permit(_) => {
                        drop(line);
                        quitter.gate.release(|| ());
                        return;
                    }
                    Joined::Line(waiter) => waiter,
                };
                drop(line);
                thread::yield_now();
                let outcome = quitter.gate.abandon(&waiter, &mut quitter.gate.lock());
                if outcome.is_ok() {
                    quitter.use_slot();
                    quitter.gate.release(|| ());
                }
            });
            let stayer = Arc::clone(&shared);
            let stayer = thread::spawn(move || stayer.acquire_and_release().unwrap());
            shared.use_slot();
            shared.gate.release(|| ());
            quitter.join().unwrap();
            stayer.join().unwrap();
            shared.assert_home(false);
        });
    }
}

/// The head is woken for one permit and handed another before it has run: somebody has to be woken for the first.
/// The keeper does not give its permit back before the other has had one, so it can't come to the rescue with that.
#[test]
fn a_head_that_is_handed_another_permit_strands_nobody() {
    for due in [[false, true], [true, false], [false, false], [true, true]] {
        explore(move || {
            let shared = Shared::new(2, FOREVER);
            for _ in 0..2 {
                shared.gate.try_acquire().unwrap().unwrap();
            }
            let other = Arc::clone(&shared);
            let other = thread::spawn(move || other.acquire_and_release().unwrap());
            let keeper = Arc::clone(&shared);
            let keeper = thread::spawn(move || {
                keeper.gate.acquire(&Deadline::after(FOREVER)).unwrap();
                keeper.use_slot();
                other.join().unwrap();
                keeper.gate.release(|| ());
            });
            for due in due {
                shared.gate.release_when(|_| due, || ());
            }
            keeper.join().unwrap();
            shared.assert_home(false);
        });
    }
}

#[test]
fn close_refuses_waiters_and_sees_every_permit_home() {
    for patience in PATIENCES {
        explore(move || {
            let shared = Shared::new(1, patience);
            shared.gate.acquire(&Deadline::after(FOREVER)).unwrap();
            let waiter = Arc::clone(&shared);
            let waiter = thread::spawn(move || waiter.acquire_and_release());
            let closer = Arc::clone(&shared);
            let closer = thread::spawn(move || {
                closer.gate.close();
                assert!(closer.gate.wait_drained(&Deadline::after(FOREVER)));
                closer.use_slot();
            });
            shared.use_slot();
            if shared.gate.release(|| ()) == Released::Closed {
                shared.gate.announce_drained();
            }
            let outcome = waiter.join().unwrap();
            assert!(matches!(outcome, Ok(()) | Err(Refused::Closed)));
            closer.join().unwrap();
            shared.assert_home(true);
        });
    }
}
