//! A lock in the server, for the processes and machines that share it: an entry that only one can
//! ADD, with a time to live and a tag that nobody else has. Invalidating the tag gives it back; an
//! owner whose time was over removes nothing by that, whoever has the lock meanwhile.

use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tagcache_client::{random, random_unit};

use crate::error::Failure;
use crate::ffi::Owned;
use crate::handle::HandleCell;
use crate::ops::{self, Put};
use crate::report;
use crate::route::Errand;

/// A lock, until it is dropped. It refers to the pool, not to the handle, which user code may close.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Taken out when it has been given back, or was never taken.
    release: Option<Errand>,
}

/// How much longer than its time limit a call may take to give back a lock that it does not know to have.
const UNANSWERED: Duration = Duration::from_millis(100);

impl Lock {
    /// Takes the lock `name` for at most `ttl`; `None` if somebody has it. It is [`Owned`] from before it
    /// is asked for: however PHP leaves the call that has it, it is given back. *May bail out.*
    ///
    /// # Errors
    ///
    /// What keeps the server from answering.
    pub(crate) fn take(
        handle: &HandleCell,
        name: &[u8],
        ttl: NonZeroU64,
    ) -> Result<Option<Owned<Self>>, Failure> {
        let owner = owner();
        // What can fail without leaving a lock behind comes first.
        let mut scratch = ops::begin(handle)?;
        ops::encode::invalidate_tag(&mut scratch, &owner)?;
        let release = Some(handle.route()?.errand(scratch.commands.clone()));
        drop(scratch);
        let mut lock = Owned::new(Self { release });
        let tags = report::list(&[&owner]);
        let value = report::text("locked");
        let taken = ops::put(handle, name, &value, Some(&tags), Some(ttl), Put::IfAbsent);
        if let Ok(true) = taken {
            return Ok(Some(lock));
        }
        let release = lock.release.take();
        if taken.as_ref().is_err_and(|why| !why.is_before_sending()) {
            // Nobody knows whether it was taken, and nobody would ever give it back. The call has had its time, so
            // this gets a little only; and as it goes over another connection, it can overtake an ADD that is
            // late, whose lock then lasts for its time to live.
            let _ = release.map(|release| release.run_within(UNANSWERED));
        }
        taken.map(|_| None)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // If this fails, whoever waits for it waits for the end of its time to live.
            let _ = release.run();
        }
    }
}

/// Returns a tag that nobody else has had.
fn owner() -> Vec<u8> {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!(
        "~owner:{:x}-{nanos:x}-{:016x}",
        std::process::id(),
        random()
    )
    .into_bytes()
}

/// The pauses of who waits for something that another client has: longer each time, and not the same for all.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

impl Pauses {
    const FIRST: Duration = Duration::from_millis(2);
    const LAST: Duration = Duration::from_millis(50);

    /// Begins with the shortest.
    pub(crate) fn new() -> Self {
        Self(Self::FIRST)
    }

    /// Sleeps for half to one and a half of the pause, which grows by half.
    pub(crate) fn sleep(&mut self) {
        thread::sleep(self.0.mul_f64(0.5 + random_unit()));
        self.0 = (self.0 * 3 / 2).min(Self::LAST);
    }
}
