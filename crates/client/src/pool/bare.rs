//! [`BarePool`]: the pool over connections of any kind, without server, protocol and errors, so that a bench can
//! set it beside other pools with the same connection in each. Not part of the API: reached through the hidden module
//! `bench` of the crate only.

use std::convert::Infallible;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::fork;

use super::core::{Core, Keeping, Managed};
use super::guard::Guard;
use super::hand_off::HandOff;

/// Makes connections for a [`BarePool`], and looks at them.
pub trait Maker: Send + Sync {
    /// What is pooled.
    type Link: Send;

    /// Opens one.
    fn open(&self) -> Self::Link;

    /// Looks at an idle one before it is handed out, as [`Pool`](crate::Pool) does by a poll.
    fn is_quiet(link: &Self::Link) -> bool;
}

/// A pool of whatever `M` makes.
pub struct BarePool<M: Maker> {
    core: Core<Bare<M>>,
    maker: M,
}

/// The guard of a [`BarePool`].
pub struct BareGuard<'p, M: Maker>(Guard<Bare<M>, &'p Core<Bare<M>>>);

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
    /// Makes a pool of `size`, whose gate hands permits over as that of a [`Pool`](crate::Pool) does, or as `hand_off`
    /// says: to a head of the line that has waited for so long, by threads that have had so many loans in turn.
    pub fn new(size: u32, hand_off: Option<(Duration, u32)>, maker: M) -> Self {
        let hand_off = hand_off.map_or_else(HandOff::default, |(patience, turn)| HandOff {
            patience,
            turn,
        });
        fork::install();
        let keeping = Keeping {
            size,
            max_lifetime: None,
            idle_timeout: None,
            min_idle: 0,
        };
        Self {
            core: Core::with_hand_off(keeping, hand_off),
            maker,
        }
    }

    /// Checks a connection out, or returns `None` at the deadline.
    pub fn check_out(&self, deadline: &Deadline) -> Option<BareGuard<'_, M>> {
        let connect = || Ok::<_, Infallible>(Bare(self.maker.open()));
        Core::check_out(&self.core, deadline, Duration::MAX, Duration::ZERO, connect)
            .ok()
            .map(BareGuard)
    }
}

impl<M: Maker> Deref for BareGuard<'_, M> {
    type Target = M::Link;

    fn deref(&self) -> &M::Link {
        &self.0.0
    }
}

impl<M: Maker> DerefMut for BareGuard<'_, M> {
    fn deref_mut(&mut self) -> &mut M::Link {
        &mut self.0.0
    }
}

impl<M: Maker> fmt::Debug for BarePool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarePool").finish_non_exhaustive()
    }
}

impl<M: Maker> fmt::Debug for BareGuard<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareGuard").finish_non_exhaustive()
    }
}
