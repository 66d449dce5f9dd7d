//! What nobody asks for: removal of expired entries, by a walk over all shards, and freeing what
//! was flushed; both in small steps.

use std::time::{Duration, Instant};

use super::{SHARDS, Store};

/// Places looked at under one lock: some ten microseconds.
const STEP: u32 = 256;

/// Where the walk stands. One at a time sweeps a store.
#[derive(Debug, Default)]
pub struct Sweeper {
    shard: usize,
}

impl Sweeper {
    /// Goes on for at most about `budget`, or until every shard was passed once and nothing is
    /// left to be freed. Returns whether it found so much that it should go on soon: more than
    /// a quarter of what it looked at.
    pub fn run(&mut self, store: &Store, budget: Duration) -> bool {
        let start = Instant::now();
        while store.bury() {
            if start.elapsed() >= budget {
                return true;
            }
        }
        let (mut steps, mut removed, mut passed) = (0_usize, 0_usize, 0);
        while passed < SHARDS {
            let (found, at_end) = store.hold(self.shard, |table, now| table.sweep(STEP, now));
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
        removed > steps * STEP as usize / 4
    }
}
