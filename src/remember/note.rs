//! What is noted beside a remembered value: when it expires and how long it took to make. It decides
//! whether a value is used as it is, made anew early, or used although its time is over.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::lock::random;

/// A note, as it is stored: `1:<expires, ms since 1970>:<microseconds to make it>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    expires_ms: u64,
    took_us: u64,
}

impl Note {
    /// Returns the note of a value that was made just now, in `took`, and expires in `ttl_ms`.
    pub(super) fn new(ttl_ms: u64, took: Duration) -> Self {
        Self {
            expires_ms: now_ms().saturating_add(ttl_ms),
            took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// Reads a note; `None` for anything else.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_prefix("1:")?;
        let (expires, took) = text.split_once(':')?;
        Some(Self {
            expires_ms: expires.parse().ok()?,
            took_us: took.parse().ok()?,
        })
    }

    /// Returns it as it is stored.
    pub(super) fn text(self) -> String {
        format!("1:{}:{}", self.expires_ms, self.took_us)
    }

    /// Returns whether the value should be made anew: its time is over, or by chance shortly
    /// before, the sooner the longer it takes to make ("Optimal Probabilistic Cache Stampede
    /// Prevention", Vattani, Chierichetti, Lowenstein, VLDB 2015).
    pub(super) fn is_due(self, beta: f64) -> bool {
        self.is_due_at(now_ms(), beta, random_unit())
    }

    fn is_due_at(self, now_ms: u64, beta: f64, chance: f64) -> bool {
        // As floats: 2^53 ms are far away, and the logarithm is one anyhow.
        let early_ms = self.took_us as f64 / 1000.0 * beta * -chance.ln();
        now_ms as f64 + early_ms >= self.expires_ms as f64
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Returns a random number above 0 and up to 1.
fn random_unit() -> f64 {
    ((random() >> 11) + 1) as f64 / (1u64 << 53) as f64
}
