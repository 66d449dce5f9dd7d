//! The synchronisation primitives of the gate and its line, in one place, so that `--cfg loom` or `--cfg shuttle`
//! swaps them for the checker's. What the checkers do not see is in `docs/verification.md`.

#[cfg(not(any(loom, shuttle)))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

#[cfg(loom)]
use loom as checker;
#[cfg(shuttle)]
use shuttle as checker;

#[cfg(any(loom, shuttle))]
pub(crate) use checker::sync::atomic::{AtomicU8, AtomicU64, Ordering};
#[cfg(any(loom, shuttle))]
pub(crate) use shim::{Condvar, Mutex, MutexGuard};

/// The checker's mutex and condition variable with parking_lot's signatures.
#[cfg(any(loom, shuttle))]
mod shim {
    use std::ops::{Deref, DerefMut};
    use std::time::Instant;

    use super::checker;

    #[derive(Debug)]
    pub(crate) struct MutexGuard<'a, T> {
        /// Empty only while a wait has the mutex free.
        held: Option<checker::sync::MutexGuard<'a, T>>,
        #[cfg(shuttle)]
        mutex: &'a checker::sync::Mutex<T>,
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.held
                .as_ref()
                .expect("BUG: only `wait` empties the guard, and refills it")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.held
                .as_mut()
                .expect("BUG: only `wait` empties the guard, and refills it")
        }
    }

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(checker::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.guard(
                self.0
                    .lock()
                    .expect("BUG: a panic ends the model, none is poisoned"),
            )
        }

        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok().map(|held| self.guard(held))
        }

        fn guard<'a>(&'a self, held: checker::sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            MutexGuard {
                held: Some(held),
                #[cfg(shuttle)]
                mutex: &self.0,
            }
        }
    }

    #[derive(Debug)]
    pub(crate) struct Condvar(checker::sync::Condvar);

    #[derive(Debug)]
    pub(crate) struct WaitTimeoutResult(bool);

    impl WaitTimeoutResult {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(checker::sync::Condvar::new())
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        /// loom's condition variable never times out; models call `Gate::abandon` instead.
        #[cfg(loom)]
        pub(crate) fn wait_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            _deadline: Instant,
        ) -> WaitTimeoutResult {
            self.wait(guard);
            WaitTimeoutResult(false)
        }

        /// The time is over whenever the scheduler says so, which is at every possible moment sooner or later: the
        /// clock of a model stands still.
        #[cfg(shuttle)]
        pub(crate) fn wait_until<T>(
            &self,
            guard: &mut MutexGuard<'_, T>,
            deadline: Instant,
        ) -> WaitTimeoutResult {
            use checker::rand::Rng;
            const NEVER: std::time::Duration = std::time::Duration::from_secs(1 << 30);
            if deadline.saturating_duration_since(Instant::now()) > NEVER
                || checker::rand::thread_rng().gen_bool(0.5)
            {
                self.wait(guard);
                return WaitTimeoutResult(false);
            }
            // As long as the mutex is free, the others may grant, wake or close.
            guard.held = None;
            checker::thread::yield_now();
            guard.held = Some(guard.mutex.lock().expect("BUG: a panic ends the model"));
            WaitTimeoutResult(true)
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let owned = guard
                .held
                .take()
                .expect("BUG: only `wait` empties the guard, and refills it");
            guard.held = Some(self.0.wait(owned).expect("BUG: a panic ends the model"));
        }
    }
}
