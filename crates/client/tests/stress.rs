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
    late: AtomicU64,
    wrong: AtomicU64,
}

fn seconds() -> Duration {
    let asked = std::env::var("TAGCACHE_STRESS_SECONDS");
    Duration::from_secs(asked.map_or(1, |text| text.parse().expect("a number of seconds")))
}

fn value(key: &str, n: u64) -> String {
    format!("{key}={n}:{}", "x".repeat((n % 7 * 3000) as usize))
}

/// What a thread knows of its key.
struct Own {
    key: String,
    /// Writes that failed. The server may carry them out yet, each on its old connection, even between a later
    /// write and the read behind it.
    unsure: Vec<u64>,
    replies: Replies,
}

enum Step {
    Right,
    /// A write of our own that had failed came after all.
    Late,
    Failed,
    Wrong,
}

impl Own {
    /// One write and one read of the thread's own key, checked.
    fn round(&mut self, pool: &Pool, limits: &CallLimits, n: u64) -> Step {
        let written = value(&self.key, n);
        let (key, none) = (self.key.as_bytes(), TagList::new());
        let mut commands = Commands::new();
        commands
            .put(key, None, &none, Value::Str(written.as_bytes()))
            .unwrap();
        commands.get(key).unwrap();
        commands.get(b"nobody's").unwrap();
        if call(pool, limits, &commands, &mut self.replies).is_err() {
            self.unsure.push(n);
            return Step::Failed;
        }
        let Reply::Value(read) = self.replies.get(1) else {
            return self.wrong(n);
        };
        let others = self.replies.get(0) == Reply::Ok && self.replies.get(2) == Reply::NotFound;
        if others && read == written.as_bytes() {
            return Step::Right;
        }
        let mut unsure = self.unsure.iter();
        if others && unsure.any(|m| read == value(&self.key, *m).as_bytes()) {
            return Step::Late;
        }
        self.wrong(n)
    }

    fn wrong(&self, n: u64) -> Step {
        for reply in self.replies.iter() {
            let mut text = format!("{reply:?}");
            text.truncate(200);
            eprintln!("wrong: {} {n}: {text}", self.key);
        }
        Step::Wrong
    }
}

fn work(pool: &Pool, counts: &Counts, me: u64) {
    let mut own = Own {
        key: format!("thread-{me}"),
        unsure: Vec::new(),
        replies: Replies::new(),
    };
    let mut n = 0;
    // Relaxed throughout: counts and a flag.
    while !counts.stop.load(Ordering::Relaxed) {
        n += 1;
        planted::race();
        let span = Duration::from_millis(if n % 10 == 0 { 1 } else { 500 });
        let limits = CallLimits {
            timeout: span,
            acquire_timeout: span,
            connect_timeout: span,
            ..CallLimits::default()
        };
        match own.round(pool, &limits, n) {
            Step::Right => {}
            Step::Late => drop(counts.late.fetch_add(1, Ordering::Relaxed)),
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
    let [calls, errors, late, wrong] = [&counts.calls, &counts.errors, &counts.late, &counts.wrong]
        .map(|count| count.load(Ordering::Relaxed));
    println!(
        "stress: {calls} calls, {errors} failed, {late} late writes of their own, {wrong} wrong answers"
    );
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
