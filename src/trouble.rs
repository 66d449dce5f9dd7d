//! The last errors of the process, for those who look at it afterwards.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tagcache_client::Error;

use crate::process::PerProcess;

/// How many are kept.
const KEPT: usize = 20;

static LAST: PerProcess<Mutex<VecDeque<Trouble>>> = PerProcess::new();

/// A call that failed.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// When, since 1970.
    pub(crate) at: Duration,
    /// What the exception said.
    pub(crate) message: String,
    /// How often it came in a row; the time is that of the last.
    pub(crate) times: u64,
}

/// Notes an error.
pub(crate) fn note(error: &Error) {
    // Calls that did not try have failed of what the last try failed of.
    let message = match error {
        Error::Unreachable { reason, .. } => reason.to_string(),
        tried => tried.to_string(),
    };
    let at = now();
    let mut last = LAST.get().lock();
    if let Some(newest) = last.back_mut()
        && same_kind(&newest.message, &message)
    {
        *newest = Trouble {
            at,
            message,
            times: newest.times + 1,
        };
        return;
    }
    if last.len() == KEPT {
        last.pop_front();
    }
    last.push_back(Trouble {
        at,
        message,
        times: 1,
    });
}

/// Returns the last errors, the newest first.
pub(crate) fn last() -> Vec<Trouble> {
    LAST.get().lock().iter().rev().cloned().collect()
}

/// Returns the time since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Returns whether two messages differ in their figures only, as the milliseconds that passed.
fn same_kind(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        text.chars()
            .filter(|c| !c.is_ascii_digit() && *c != '.')
            .collect::<String>()
    };
    words(one) == words(other)
}
