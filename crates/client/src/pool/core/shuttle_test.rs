//! The whole pool under shuttle, which draws interleavings of the gate's every step: more threads and longer
//! scripts than loom can exhaust. Timeouts come whenever the scheduler says so. Panics are not among the steps:
//! shuttle's tasks share one thread, so one that unwinds would make all of them look as if they did.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::fake::{Fake, World, keeping};
use super::{Core, Denied, Home};
use crate::deadline::Deadline;
use crate::pool::guard::Guard;
use crate::pool::hand_off::HandOff;

const FOREVER: Duration = Duration::from_secs(1 << 40);

/// Long enough to be a timed wait, which ends when the scheduler says so.
const SOME_TIME: Duration = Duration::from_secs(1 << 20);

struct Shared {
    world: Arc<World>,
    core: Arc<Core<Fake>>,
}

impl Shared {
    fn connect(&self) -> Result<Fake, ()> {
        thread::yield_now();
        match thread_rng().gen_range(0..8) {
            0 => Err(()),
            _ => Ok(self.world.open()),
        }
    }

    fn use_up<H: Home<Link = Fake>>(&self, mut guard: Guard<Fake, H>) {
        guard.with(thread::yield_now);
        match thread_rng().gen_range(0..8) {
            0 => guard.clean = false,
            // The peer of an idle connection hangs up, sooner or later. Relaxed: a flag.
            2 => guard.dead.store(true, std::sync::atomic::Ordering::Relaxed),
            3 => drop(guard.replace(|| self.connect())),
            _ => {}
        }
    }

    /// Returns whether the pool was found closed.
    fn step(&self) -> bool {
        let within = match thread_rng().gen_range(0..3) {
            0 => SOME_TIME,
            _ => FOREVER,
        };
        match thread_rng().gen_range(0..12) {
            0 => drop(self.core.drain()),
            1 => {
                // Relaxed: makes it due.
                self.core
                    .next_sweep_ms
                    .store(0, std::sync::atomic::Ordering::Relaxed);
                self.core.housekeep();
            }
            2 => drop(self.core.warm_up(2, || self.connect())),
            3 => match Core::try_check_out(&*self.core, Instant::now(), Duration::ZERO, || {
                self.connect()
            }) {
                Ok(Some(guard)) => self.use_up(guard),
                Ok(None) | Err(Denied::Connect(())) => {}
                Err(denied) => return matches!(denied, Denied::Closed),
            },
            _ => {
                let deadline = Deadline::after(within);
                let home = Arc::clone(&self.core);
                match Core::check_out(home, &deadline, FOREVER, Duration::ZERO, || self.connect()) {
                    Ok(guard) => self.use_up(guard),
                    Err(Denied::Connect(())) => {}
                    Err(Denied::TimedOut { .. }) => assert_eq!(within, SOME_TIME),
                    Err(denied) => return matches!(denied, Denied::Closed),
                }
            }
        }
        false
    }
}

fn run(size: u32, threads: usize, steps: usize, patience: Duration, close: bool) {
    let mut kept = keeping(size);
    kept.idle_timeout = Some(Duration::from_millis(1));
    let shared = Arc::new(Shared {
        world: Arc::default(),
        core: Arc::new(Core::with_hand_off(kept, HandOff { patience, turn: 0 })),
    });
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for _ in 0..steps {
                    if shared.step() {
                        assert!(close);
                        return;
                    }
                }
            })
        })
        .collect();
    if close {
        thread::yield_now();
        assert!(shared.core.close(&Deadline::after(FOREVER)));
        assert_eq!(shared.world.live(), 0, "P6: a closed pool is not empty");
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let (free, waiters, closed) = shared.core.gate.observe();
    assert_eq!((free, waiters, closed), (size, 0, close));
    assert_eq!(shared.world.live(), shared.core.idle.len() as u64);
    // Closing empties the queue without a permit: who had one before may open another meanwhile.
    assert!(close || shared.world.most() <= u64::from(size), "P5");
}

fn iterations() -> usize {
    if std::env::var_os("TAGCACHE_DEEP").is_some() {
        50_000
    } else {
        5_000
    }
}

#[test]
fn eight_threads_of_everything() {
    for patience in [Duration::ZERO, FOREVER] {
        shuttle::check_random(move || run(2, 8, 6, patience, false), iterations());
        shuttle::check_pct(move || run(1, 4, 4, patience, false), iterations(), 4);
    }
}

#[test]
fn a_pool_that_is_closed_meanwhile_ends_empty() {
    for patience in [Duration::ZERO, FOREVER] {
        shuttle::check_random(move || run(2, 5, 5, patience, true), iterations());
        shuttle::check_pct(move || run(1, 3, 4, patience, true), iterations(), 4);
    }
}
