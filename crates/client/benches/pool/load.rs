//! A load: so many threads that borrow, do their work and give back, until the time is over.

use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

use crate::contenders::Lender;

/// What a load gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) per_second: f64,
    /// The most operations of a thread, divided by the fewest.
    pub(crate) unfairness: f64,
    /// How long the loans were waited for, if that was asked for.
    pub(crate) waits: Option<Waits>,
}

/// Sorted times to wait, in nanoseconds.
#[derive(Debug)]
pub(crate) struct Waits(Vec<u32>);

impl Waits {
    /// Returns the wait in microseconds that a part of all loans did not exceed.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let last = self.0.len() - 1;
        f64::from(self.0[(last as f64 * part) as usize]) / 1000.0
    }
}

/// Runs `work` on loans from `pool` in `threads` threads for `span`. Measuring the waits reads the clock twice a
/// loan, so throughput in memory is measured without.
pub(crate) fn run<L>(
    pool: &impl Lender<L>,
    threads: usize,
    span: Duration,
    with_waits: bool,
    work: impl Fn(&mut L) + Sync,
) -> Outcome {
    let ready = Barrier::new(threads + 1);
    let begun = OnceLock::new();
    let (work, ready, begun) = (&work, &ready, &begun);
    let (results, took) = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || {
                    ready.wait();
                    // One end for all, whenever each gets to run first.
                    let end = *begun.get_or_init(Instant::now) + span;
                    if with_waits {
                        loans_with_waits(pool, end, work)
                    } else {
                        (loans(pool, end, work), Vec::new())
                    }
                })
            })
            .collect();
        ready.wait();
        let start = *begun.get_or_init(Instant::now);
        let results: Vec<(u64, Vec<u32>)> = running
            .into_iter()
            .map(|thread| thread.join().expect("a thread of the bench panicked"))
            .collect();
        (results, start.elapsed())
    });
    let counts = results.iter().map(|(count, _)| *count);
    let (most, fewest) = (counts.clone().max(), counts.clone().min());
    let per_second = counts.sum::<u64>() as f64 / took.as_secs_f64();
    let mut waits: Vec<u32> = results.into_iter().flat_map(|(_, waits)| waits).collect();
    waits.sort_unstable();
    Outcome {
        per_second,
        unfairness: most.unwrap_or(0) as f64 / fewest.unwrap_or(0).max(1) as f64,
        waits: (!waits.is_empty()).then_some(Waits(waits)),
    }
}

/// Looks at the clock at every 64th loan only.
fn loans<L>(pool: &impl Lender<L>, end: Instant, work: impl Fn(&mut L)) -> u64 {
    let mut count = 0;
    while count % 64 != 0 || Instant::now() < end {
        pool.lend(&work);
        count += 1;
    }
    count
}

fn loans_with_waits<L>(
    pool: &impl Lender<L>,
    end: Instant,
    work: impl Fn(&mut L),
) -> (u64, Vec<u32>) {
    let mut waits = Vec::with_capacity(1 << 16);
    let mut asked = Instant::now();
    while asked < end {
        let waited = pool.lend(|link| {
            let waited = asked.elapsed();
            work(link);
            waited
        });
        waits.push(u32::try_from(waited.as_nanos()).unwrap_or(u32::MAX));
        asked = Instant::now();
    }
    (waits.len() as u64, waits)
}
