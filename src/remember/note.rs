//! What is noted beside a remembered value: when it expires and how long it took to make. It decides
//! whether a value is used as it is, made anew early, or used although its time is over. It says which
//! value it is of, and counts for no other: what somebody else has stored under the key is used as it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tagcache_client::random_unit;

use crate::ops::Fingerprint;

/// A note, as it is stored: `2:<fingerprint of the value>:<expires, ms since 1970>:<microseconds to make it>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    of: Fingerprint,
    expires_ms: u64,
    took_us: u64,
}

impl Note {
    /// Returns the note of the value `of`, which was made just now, in `took`, and expires in `ttl_ms`.
    pub(super) fn new(of: Fingerprint, ttl_ms: u64, took: Duration) -> Self {
        Self {
            of,
            expires_ms: now_ms().saturating_add(ttl_ms),
            took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// Reads a note; `None` for anything else.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_prefix("2:")?;
        let (of, rest) = text.split_once(':')?;
        let (expires, took) = rest.split_once(':')?;
        Some(Self {
            of: Fingerprint::parse(of)?,
            expires_ms: expires.parse().ok()?,
            took_us: took.parse().ok()?,
        })
    }

    /// Returns it as it is stored.
    pub(super) fn text(self) -> String {
        format!("2:{}:{}:{}", self.of, self.expires_ms, self.took_us)
    }

    /// Returns whether it is the note of this value.
    pub(super) fn is_of(self, value: Fingerprint) -> bool {
        self.of == value
    }

    /// Returns whether the value should be made anew: its time is over, or by chance shortly
    /// before, the sooner the longer it takes to make ("Optimal Probabilistic Cache Stampede
    /// Prevention", Vattani, Chierichetti, Lowenstein, VLDB 2015).
    pub(super) fn is_due(self, beta: f64) -> bool {
        self.is_due_at(now_ms(), beta, 1.0 - random_unit())
    }

    /// With a `chance` above 0 and up to 1.
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
