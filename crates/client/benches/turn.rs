//! One check-out and check-in with nobody else about, in memory: `cargo bench -p tagcache-client --bench turn`.

#[path = "pool/contenders.rs"]
mod contenders;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use contenders::{Channel, Lender, Locked, Queue, R2d2, Shared};
use criterion::{Criterion, criterion_group, criterion_main};
use tagcache_client::Deadline;
use tagcache_client::bench::{BarePool, Maker};

/// A connection that is nothing but a number, always fit.
struct Numbers;

impl Maker for Numbers {
    type Link = u64;

    fn open(&self) -> u64 {
        0
    }

    fn is_quiet(_: &u64) -> bool {
        true
    }
}

const SIZE: u32 = 8;

fn turns(criterion: &mut Criterion) {
    let maker = Shared(Arc::new(Numbers));
    let bare = || BarePool::new(SIZE, None, maker.clone());
    let mut group = criterion.benchmark_group("turn");
    let ours = bare();
    // A call has one deadline anyway; what the pool adds is this.
    let deadline = Deadline::after(Duration::from_secs(3600));
    group.bench_function("tagcache", |bencher| {
        bencher.iter(|| {
            let guard = ours.check_out(&deadline).expect("an hour is not over yet");
            black_box(*guard)
        });
    });
    let mut compare = |name: &str, pool: &dyn Fn()| {
        group.bench_function(name, |bencher| bencher.iter(pool));
    };
    let work = |link: &mut u64| *link = black_box(*link + 1);
    compare("tagcache, with its deadline", &|| ours.lend(work));
    let r2d2 = R2d2::new(SIZE, maker.clone());
    compare("r2d2", &|| r2d2.lend(work));
    let locked = Locked::new(vec![0; SIZE as usize]);
    compare("Mutex and Condvar", &|| locked.lend(work));
    let channel = Channel::new(vec![0; SIZE as usize]);
    compare("crossbeam channel", &|| channel.lend(work));
    let queue = Queue::new(vec![0; SIZE as usize]);
    compare("ArrayQueue alone", &|| queue.lend(work));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500));
    targets = turns
}
criterion_main!(benches);
