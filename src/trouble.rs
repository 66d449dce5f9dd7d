//! The last errors of the process, for those who look at it afterwards, and how many there were within the last minute.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tagcache_client::{Error, History};

use crate::process::PerProcess;

/// How many are kept.
const KEPT: usize = 20;

static NOTES: PerProcess<Mutex<Notes>> = PerProcess::new();

#[derive(Default)]
struct Notes {
    last: VecDeque<Trouble>,
    total: u64,
    totals: History<u64>,
}

/// A call that failed.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// When, since 1970.
    pub(crate) at: Duration,
    /// When it came first, of those in a row.
    pub(crate) since: Duration,
    /// What the exception said.
    pub(crate) message: String,
    /// How often it came in a row; `at` is when it came last.
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
    let mut notes = NOTES.get().lock();
    let Notes {
        last,
        total,
        totals,
    } = &mut *notes;
    totals.note(at, || *total);
    *total += 1;
    if let Some(newest) = last.back_mut()
        && same_kind(&newest.message, &message)
    {
        *newest = Trouble {
            at,
            since: newest.since,
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
        since: at,
        message,
        times: 1,
    });
}

/// Returns the last errors, the newest first.
pub(crate) fn last() -> Vec<Trouble> {
    NOTES.get().lock().last.iter().rev().cloned().collect()
}

/// Returns how many calls failed within the last minute, and since when, if any did.
pub(crate) fn lately() -> Option<(u64, Duration)> {
    let notes = NOTES.get().lock();
    notes.totals.growth(now(), notes.total, |total| *total)
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
