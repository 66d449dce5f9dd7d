//! Threads, real sockets and a server that keeps failing, for ThreadSanitizer and AddressSanitizer
//! (`scripts/tsan.sh`, `scripts/asan.sh`); in `cargo test` for a second. A program of its own: the test harness
//! brings races of its own into a sanitizer's report.
//!
//! Every thread works on its own key and checks each byte; errors are expected, a foreign value never.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tagcache_client::{
    CallLimits, Commands, Deadline, Endpoint, Pool, PoolConfig, Replies, Reply, TagList, Value,
    call, guards_on_this_thread,
};
use tagcached::fault::{FaultServer, Nth, Rule};

const THREADS: u64 = 8;

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    calls: AtomicU64,
    errors: AtomicU64,
    wrong: AtomicU64,
}

fn seconds() -> Duration {
    let asked = std::env::var("TAGCACHE_STRESS_SECONDS");
    Duration::from_secs(asked.map_or(1, |text| text.parse().expect("a number of seconds")))
}

/// One write and one read of the thread's own key, checked.
fn round(pool: &Pool, limits: &CallLimits, key: &str, n: u64, replies: &mut Replies) -> Step {
    let value = format!("{key}={n}:{}", "x".repeat((n % 7 * 3000) as usize));
    let mut commands = Commands::new();
    commands
        .put(
            key.as_bytes(),
            None,
            &TagList::new(),
            Value::Str(value.as_bytes()),
        )
        .unwrap();
    commands.get(key.as_bytes()).unwrap();
    commands.get(b"nobody's").unwrap();
    if call(pool, limits, &commands, replies).is_err() {
        return Step::Failed;
    }
    let right = replies.get(0) == Reply::Ok
        && replies.get(1) == Reply::Value(value.as_bytes())
        && replies.get(2) == Reply::NotFound;
    if right { Step::Right } else { Step::Wrong }
}

enum Step {
    Right,
    Failed,
    Wrong,
}

fn work(pool: &Pool, counts: &Counts, me: u64) {
    let key = format!("thread-{me}");
    let mut replies = Replies::new();
    let mut n = 0;
    // Relaxed throughout: counts and a flag.
    while !counts.stop.load(Ordering::Relaxed) {
        n += 1;
        planted::race();
        let span = Duration::from_millis(if n % 50 == 0 { 1 } else { 500 });
        let limits = CallLimits {
            timeout: span,
            acquire_timeout: span,
            connect_timeout: span,
            ..CallLimits::default()
        };
        match round(pool, &limits, &key, n, &mut replies) {
            Step::Right => {}
            Step::Failed => drop(counts.errors.fetch_add(1, Ordering::Relaxed)),
            Step::Wrong => drop(counts.wrong.fetch_add(1, Ordering::Relaxed)),
        }
        counts.calls.fetch_add(1, Ordering::Relaxed);
        if n % 20 == 0 {
            pool.housekeep();
        }
    }
    assert_eq!(guards_on_this_thread(), 0);
}

fn main() {
    let server = FaultServer::start([]).unwrap();
    let address = server.addr();
    let endpoint = Endpoint::tcp(address.ip().to_string(), address.port());
    let pool = Pool::new(PoolConfig {
        size: 3,
        idle_timeout: Some(Duration::from_millis(30)),
        max_lifetime: Some(Duration::from_millis(200)),
        min_idle: 2,
        ..PoolConfig::new(endpoint)
    });
    let counts = Arc::new(Counts::default());
    let threads: Vec<_> = (0..THREADS)
        .map(|me| {
            let (pool, counts) = (pool.clone(), Arc::clone(&counts));
            thread::spawn(move || work(&pool, &counts, me))
        })
        .collect();
    let end = Instant::now() + seconds();
    let mut turn = 0;
    while Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
        turn += 1;
        match turn % 5 {
            0 => server.kick(),
            1 => server.add(Rule::close(Nth::Every).byte(3).times(3)),
            2 => server.add(Rule::delay(Duration::from_millis(5), Nth::Every).times(20)),
            3 => drop(pool.drain()),
            _ => server.clear(),
        }
        let stats = pool.stats();
        assert!(stats.idle <= 3 && stats.in_use <= 3, "{stats:?}");
    }
    server.clear();
    counts.stop.store(true, Ordering::Relaxed); // a flag
    for thread in threads {
        thread.join().unwrap();
    }
    let (calls, errors, wrong) = (
        counts.calls.load(Ordering::Relaxed),
        counts.errors.load(Ordering::Relaxed),
        counts.wrong.load(Ordering::Relaxed),
    );
    println!("stress: {calls} calls, {errors} failed, {wrong} wrong answers");
    assert_eq!(wrong, 0);
    assert!(calls > errors, "nothing succeeded");
    let limits = CallLimits::default();
    let all: Vec<_> = (0..3)
        .map(|_| pool.try_check_out(&limits, &Deadline::after(Duration::from_secs(5))))
        .collect();
    assert!(
        all.iter().all(|one| matches!(one, Ok(Some(_)))),
        "capacity is lost"
    );
    drop(all);
    assert!(pool.close(Duration::from_secs(5)));
}

/// A race on purpose, which ThreadSanitizer has to report: else its silence means nothing.
mod planted {
    #[cfg(planted_race)]
    pub(crate) fn race() {
        static mut COUNT: u64 = 0;
        // SAFETY: none; that is the point. Built for `scripts/tsan.sh` only.
        unsafe { COUNT = COUNT.wrapping_add(1) };
    }

    #[cfg(not(planted_race))]
    pub(crate) fn race() {}
}
