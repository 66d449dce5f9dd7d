//! Removal of expired entries that nobody asks for: a walk over all shards in small steps.

use std::time::{Duration, Instant};

use super::{SHARDS, Store};

/// Places looked at under one lock: some ten microseconds.
const STEP: usize = 256;

/// Where the walk stands. One at a time sweeps a store.
#[derive(Debug, Default)]
pub struct Sweeper {
    shard: usize,
}

impl Sweeper {
    /// Goes on for at most about `budget`, or until every shard was passed once. Returns whether
    /// it found so much that it should go on soon: more than a quarter of what it looked at.
    pub fn run(&mut self, store: &Store, budget: Duration) -> bool {
        let start = Instant::now();
        let now = store.now();
        let (mut steps, mut removed, mut passed) = (0_usize, 0_usize, 0);
        while passed < SHARDS {
            let (found, at_end) =
                store.shards[self.shard].with(|table| table.sweep(STEP, now, &store.budget));
            steps += 1;
            removed += found;
            if at_end {
                self.shard = (self.shard + 1) % SHARDS;
                passed += 1;
            }
            if start.elapsed() >= budget {
                break;
            }
        }
        removed > steps * STEP / 4
    }
}
