//! The gate on one thread, which plays all waiters and says for each permit that comes home whether the head of the
//! line has waited for long. Who is woken and who is granted is then no matter of luck.

use std::sync::Arc;
use std::time::Duration;

use super::gate::{Gate, Joined, Refused};
use super::hand_off::HandOff;
use super::line::Waiter;

const FOREVER: Duration = Duration::from_secs(1 << 40);

/// A gate whose permits are all out, and those who wait for one, by their numbers.
struct Line {
    gate: Gate,
    waiters: Vec<(usize, Arc<Waiter>)>,
}

impl Line {
    fn new(permits: u32, waiters: usize) -> Self {
        let hand_off = HandOff {
            patience: FOREVER,
            turn: 0,
        };
        let gate = Gate::new(permits, hand_off);
        for _ in 0..permits {
            gate.try_acquire().unwrap().unwrap();
        }
        let waiters = (0..waiters)
            .map(|n| match gate.join(&mut gate.lock()).unwrap() {
                Joined::Line(waiter) => (n, waiter),
                Joined::Permit(_) => panic!("all permits are out"),
            })
            .collect();
        Self { gate, waiters }
    }

    /// A permit comes home; `due` says whether the head has waited for long.
    fn release(&self, due: bool) {
        self.gate.release_when(|_| due, || ());
    }

    /// The first leaves at its deadline.
    fn first_gives_up(&mut self) {
        let (_, waiter) = self.waiters.remove(0);
        let outcome = self.gate.abandon(&waiter, &mut self.gate.lock());
        assert!(matches!(outcome, Err(Refused::TimedOut { .. })));
    }

    /// Lets everybody run who was woken or granted a permit, in order; returns those who have one now.
    fn served(&mut self) -> Vec<usize> {
        let mut served = Vec::new();
        self.waiters.retain(|(n, waiter)| {
            let outcome = self.gate.resume(waiter, &mut self.gate.lock());
            if matches!(outcome, Some(Ok(_))) {
                served.push(*n);
            }
            outcome.is_none()
        });
        served
    }
}

/// The head is woken for the first permit and is handed the second before it has run. The first is still free, and
/// nobody else comes home: the next sleeper has to be woken for it (mutant `nobaton2` of the model).
#[test]
fn a_head_that_is_handed_another_permit_passes_its_wakeup_on() {
    let mut line = Line::new(2, 3);
    line.release(false);
    line.release(true);
    assert_eq!(line.served(), [0, 1], "a permit lies free beside a sleeper");
    assert_eq!(line.gate.observe(), (0, 1, false));
}

/// The other way round: the head was asleep when it was handed its permit, so there is nothing to pass on.
#[test]
fn a_head_that_was_asleep_has_no_wakeup_to_pass_on() {
    let mut line = Line::new(2, 3);
    line.release(true);
    assert_eq!(line.served(), [0]);
    line.release(false);
    assert_eq!(line.served(), [1]);
    assert_eq!(line.gate.observe(), (0, 1, false));
}

/// Two permits, two waiters: the second wakes the second, not the head again (mutant `headonly`).
#[test]
fn each_permit_wakes_a_waiter_of_its_own() {
    let mut line = Line::new(2, 3);
    line.release(false);
    line.release(false);
    assert_eq!(line.served(), [0, 1]);
}

/// bb8 #225: a permit that came home woke everybody, and all but one went back to sleep.
#[test]
fn bb8_225_one_permit_wakes_one_waiter() {
    for due in [false, true] {
        let mut line = Line::new(1, 5);
        line.release(due);
        // Who was woken for nothing sleeps on as if it had not been: look before they run.
        let up = line.waiters.iter().filter(|(_, waiter)| waiter.is_up());
        assert_eq!(up.count(), 1, "a herd");
        assert_eq!(line.served(), [0]);
    }
}

/// A waiter that was woken leaves at its deadline (mutant `nobaton`).
#[test]
fn a_waiter_that_gives_up_passes_its_wakeup_on() {
    let mut line = Line::new(1, 2);
    line.release(false);
    line.first_gives_up();
    assert_eq!(line.served(), [1], "a permit lies free beside a sleeper");
}

/// A newcomer takes the permit that a waiter was woken for: the waiter sleeps on in its old place, and the next
/// permit finds it first.
#[test]
fn a_waiter_that_was_overtaken_keeps_its_place() {
    let mut line = Line::new(1, 2);
    line.release(false);
    assert!(line.gate.try_acquire().unwrap().is_some());
    assert_eq!(line.served(), [0; 0]);
    line.release(true);
    assert_eq!(line.served(), [0]);
}

/// A running thread that takes the permit again and again wakes one waiter for it, not one more each time.
#[test]
fn a_permit_that_comes_and_goes_wakes_one_waiter() {
    let mut line = Line::new(1, 4);
    for _ in 0..3 {
        line.release(false);
        assert!(line.gate.try_acquire().unwrap().is_some());
    }
    line.release(false);
    let up = line.waiters.iter().filter(|(_, waiter)| waiter.is_up());
    assert_eq!(up.count(), 1);
    assert_eq!(line.served(), [0]);
    // Two permits are free at once: two are up.
    let mut line = Line::new(2, 4);
    line.release(false);
    line.release(false);
    let up = line.waiters.iter().filter(|(_, waiter)| waiter.is_up());
    assert_eq!(up.count(), 2);
    assert_eq!(line.served(), [0, 1]);
}
