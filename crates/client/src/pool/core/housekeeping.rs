//! What is closed and opened without a call that needs it: warming up, draining, the surplus of quiet times.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::super::guard::Guard;
use super::super::stats::Counter;
use super::{Core, Managed, Permit, millis};

impl<C: Managed> Core<C> {
    /// Returns how many idle connections the first call should see to, once; 0 ever after.
    pub(crate) fn take_warm_up(&self) -> u32 {
        // Relaxed: only one caller shall do it; which one does not matter.
        if self.warmed.load(Ordering::Relaxed) || self.warmed.swap(true, Ordering::Relaxed) {
            return 0;
        }
        self.keeping.min_idle.min(self.keeping.size)
    }

    /// Fills the pool up to `wanted` idle connections, as far as permits are free. All of them are held until the
    /// last is there: a connection may be opened only by a holder that found none idle (P5).
    pub(crate) fn warm_up<E>(
        &self,
        wanted: u32,
        mut connect: impl FnMut() -> Result<C, E>,
    ) -> Result<(), E> {
        let mut held = Vec::new();
        for _ in 0..wanted {
            if !matches!(self.gate.try_acquire(), Ok(Some(_))) {
                break;
            }
            let permit = Permit::new(self);
            let now = Instant::now();
            let slot = match self.pop_fit(now, Duration::ZERO) {
                Some(slot) => slot,
                None => self.open(now, &mut connect)?,
            };
            held.push(Guard::new(slot, permit, Duration::ZERO, now));
        }
        Ok(())
    }

    /// Closes what the last window did not need: once per `idle_timeout`, idle connections beyond the peak use of
    /// the window and `min_idle`. Costs two loads when it is not yet time.
    ///
    /// A queue that is used in turn touches every connection, so the age of the idle ones says nothing of need;
    /// the peak does.
    pub(crate) fn housekeep(&self) {
        let Some(window) = self.keeping.idle_timeout else {
            return;
        };
        if self.is_inherited() {
            return;
        }
        let now_ms = millis(self.born.elapsed());
        // Relaxed throughout: the winner of the exchange sweeps, the others go on; nothing is published.
        let due = self.next_sweep_ms.load(Ordering::Relaxed);
        let next = now_ms.saturating_add(millis(window).max(1));
        if now_ms < due
            || self
                .next_sweep_ms
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        self.give_up_handshakes();
        // A guess: by how much `free` is out of date, one connection is closed or kept that should not be.
        let (free, _, _) = self.gate.observe();
        let in_use = self.keeping.size.saturating_sub(free);
        let peak = self.peak.swap(in_use, Ordering::Relaxed);
        let wanted = peak.max(self.keeping.min_idle);
        let live = in_use.saturating_add(self.idle.len() as u32);
        self.close_idle(live.saturating_sub(wanted), &self.counters.closed_retired);
    }

    /// Makes every connection of now unfit: idle ones are closed here, those that are out at their check-in.
    /// Returns how many were closed.
    pub(crate) fn drain(&self) -> usize {
        // Release: pairs with the Acquire in `epoch`; a check-in that reads the old value pushed before this and
        // is closed below or refused at its next check-out.
        self.epoch.fetch_add(1, Ordering::Release);
        self.give_up_handshakes();
        self.close_idle(self.keeping.size, &self.counters.closed_stale)
    }

    /// Closes idle connections, at most `most`, and returns how many. Each is closed under a permit: one that has
    /// left the queue and is still open counts (P5), and whoever finds the queue empty meanwhile opens another.
    /// Where no permit is free, none is idle, or somebody is about to take it.
    fn close_idle(&self, most: u32, reason: &Counter) -> usize {
        let mut closed = 0;
        while closed < most as usize && matches!(self.gate.try_acquire(), Ok(Some(_))) {
            let permit = Permit::new(self);
            let Some(slot) = self.idle.pop() else {
                break;
            };
            reason.add_one();
            closed += 1;
            drop(slot);
            drop(permit);
        }
        closed
    }
}
