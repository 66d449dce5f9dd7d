//! [`BarePool`]: the pool over connections of any kind, without server, protocol and errors, so that a bench can
//! set it beside other pools with the same connection in each. Not part of the API.

use std::convert::Infallible;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::fork;

use super::core::{Core, Keeping, Managed};
use super::gate::PATIENCE;
use super::guard::Guard;

/// Makes connections for a [`BarePool`], and looks at them.
pub trait Maker: Send + Sync {
    /// What is pooled.
    type Link: Send;

    /// Opens one.
    fn open(&self) -> Self::Link;

    /// Looks at an idle one before it is handed out, as [`Pool`](crate::Pool) does by a poll.
    fn is_quiet(link: &Self::Link) -> bool;
}

/// See the module documentation.
pub struct BarePool<M: Maker> {
    core: Arc<Core<Bare<M>>>,
    maker: M,
}

/// The guard of a [`BarePool`].
pub struct BareGuard<M: Maker>(Guard<Bare<M>>);

struct Bare<M: Maker>(M::Link);

impl<M: Maker> Managed for Bare<M> {
    type Handshake = ();

    fn is_quiet(&self) -> bool {
        M::is_quiet(&self.0)
    }

    fn is_clean(&self) -> bool {
        true
    }
}

impl<M: Maker> BarePool<M> {
    /// The patience of a real pool.
    pub const PATIENCE: Duration = PATIENCE;

    /// Makes a pool of `size` whose gate hands permits over to a head of the line that has waited for `patience`.
    pub fn new(size: u32, patience: Duration, maker: M) -> Self {
        fork::install();
        let keeping = Keeping {
            size,
            max_lifetime: None,
            idle_timeout: None,
            min_idle: 0,
        };
        Self {
            core: Arc::new(Core::with_patience(keeping, patience)),
            maker,
        }
    }

    /// Checks a connection out, or returns `None` at the deadline.
    pub fn check_out(&self, deadline: &Deadline) -> Option<BareGuard<M>> {
        let connect = || Ok::<_, Infallible>(Bare(self.maker.open()));
        self.core
            .check_out(deadline, Duration::MAX, Duration::ZERO, connect)
            .ok()
            .map(BareGuard)
    }
}

impl<M: Maker> Deref for BareGuard<M> {
    type Target = M::Link;

    fn deref(&self) -> &M::Link {
        &self.0.0
    }
}

impl<M: Maker> DerefMut for BareGuard<M> {
    fn deref_mut(&mut self) -> &mut M::Link {
        &mut self.0.0
    }
}

impl<M: Maker> fmt::Debug for BarePool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarePool").finish_non_exhaustive()
    }
}

impl<M: Maker> fmt::Debug for BareGuard<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareGuard").finish_non_exhaustive()
    }
}
