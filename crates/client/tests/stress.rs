//! Threads, real sockets and a server that keeps failing, for ThreadSanitizer and AddressSanitizer
//! (`scripts/tsan.sh`, `scripts/asan.sh`); in `cargo test` for a second. A program of its own: the test harness
//! brings races of its own into a sanitizer's report.
//!
//! Every thread works on its own key and checks each byte; errors are expected, a foreign value never.
//!
//! A value names the call that wrote it. So a value that is not the last one written tells whose it is: a write of
//! this thread's own may come late, if its call had failed after the first byte was sent, and the server carried it
//! out after the write behind it. That is believed only if the server has that value in fact, on another connection
//! and asked again; once for each such call. Everything else is a wrong answer, and is printed with what became of
//! the call that the value names.
//!
//! `TAGCACHE_STRESS_SECONDS` is how long it runs (1). Nothing that it keeps grows with it but the numbers of failed
//! calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tagcache_client::{
    CallLimits, Commands, Deadline, Endpoint, Error, ErrorKind, Phase, Pool, PoolConfig, Replies,
    Reply, TagList, Value, call, guards_on_this_thread,
};
use tagcached::fault::{FaultServer, Nth, Rule};

const THREADS: u64 = 8;

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    calls: AtomicU64,
    errors: AtomicU64,
    /// Late writes of calls that had timed out, and of those whose connection had broken.
    late: AtomicU64,
    broken: AtomicU64,
    wrong: AtomicU64,
}

fn seconds() -> Duration {
    let asked = std::env::var("TAGCACHE_STRESS_SECONDS");
    Duration::from_secs(asked.map_or(1, |text| text.parse().expect("a number of seconds")))
}

fn value(key: &str, n: u64) -> String {
    format!("{key}={n}:{}", "x".repeat((n % 7 * 3000) as usize))
}

/// What became of a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Before a byte was sent.
    Unsent,
    /// At its deadline.
    TimedOut,
    /// Its connection broke.
    Broken,
    /// Its write has been seen since.
    SeenLate,
}

impl Ended {
    fn of(error: &Error) -> Self {
        match (error.phase(), error.kind()) {
            (Some(Phase::Acquire | Phase::Connect), _) | (_, ErrorKind::PoolExhausted) => {
                Self::Unsent
            }
            (_, ErrorKind::Timeout) => Self::TimedOut,
            _ => Self::Broken,
        }
    }

    /// Whether the server may carry the call's write out yet.
    fn may_come(self) -> bool {
        matches!(self, Self::TimedOut | Self::Broken)
    }
}

/// What a thread knows of its key.
struct Own {
    key: String,
    failed: BTreeMap<u64, Ended>,
    replies: Replies,
}

enum Step {
    Right,
    /// A write of our own that had failed came after all, as this.
    Late(Ended),
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
        if let Err(error) = call(
            pool,
            limits,
            &Deadline::after(limits.timeout),
            &commands,
            &mut self.replies,
        ) {
            self.failed.insert(n, Ended::of(&error));
            return Step::Failed;
        }
        if self.replies.get(0) != Reply::Ok || self.replies.get(2) != Reply::NotFound {
            return self.wrong(n, "of another kind than its command has");
        }
        let Reply::Value(read) = self.replies.get(1) else {
            return self.wrong(n, "no value");
        };
        if read == written.as_bytes() {
            return Step::Right;
        }
        let Some(other) = self.call_of(read) else {
            return self.wrong(n, "written by no call of this thread");
        };
        self.judge(pool, n, other)
    }

    /// Returns the call that wrote `bytes`, if it was one of this thread's, to the last byte.
    fn call_of(&self, bytes: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (number, _) = text
            .strip_prefix(&self.key)?
            .strip_prefix('=')?
            .split_once(':')?;
        let n = number.parse().ok()?;
        (value(&self.key, n) == text).then_some(n)
    }

    /// Call `n` has read what call `other` wrote.
    fn judge(&mut self, pool: &Pool, n: u64, other: u64) -> Step {
        let ended = self.failed.get(&other).copied();
        let Some(ended) = ended.filter(|ended| ended.may_come()) else {
            let what = format!("written by call {other}, which ended as {ended:?}");
            return self.wrong(n, &what);
        };
        // Does the server have it, or did we misread? The pool is emptied, so that another connection is asked.
        pool.drain();
        match self.read_again(pool) {
            Some(held) if held == other || self.may_have_come(held) => {
                self.failed.insert(other, Ended::SeenLate);
                Step::Late(ended)
            }
            held => {
                let what =
                    format!("written by call {other} ({ended:?}), but the server has {held:?}");
                self.wrong(n, &what)
            }
        }
    }

    fn may_have_come(&self, n: u64) -> bool {
        self.failed.get(&n).is_some_and(|ended| ended.may_come())
    }

    /// Returns the call whose value the server has now.
    fn read_again(&self, pool: &Pool) -> Option<u64> {
        let mut commands = Commands::new();
        commands.get(self.key.as_bytes()).unwrap();
        let mut replies = Replies::new();
        let limits = CallLimits {
            connect_backoff: Duration::ZERO,
            ..CallLimits::default()
        };
        // The server keeps failing meanwhile.
        let done = (0..100).any(|_| {
            call(
                pool,
                &limits,
                &Deadline::after(limits.timeout),
                &commands,
                &mut replies,
            )
            .is_ok()
        });
        if !done {
            return None;
        }
        match replies.get(0) {
            Reply::Value(bytes) => self.call_of(bytes),
            _ => None,
        }
    }

    fn wrong(&self, n: u64, what: &str) -> Step {
        eprintln!("wrong: {} {n}: {what}", self.key);
        for reply in self.replies.iter() {
            let mut text = format!("{reply:?}");
            text.truncate(200);
            eprintln!("    {text}");
        }
        Step::Wrong
    }
}

fn work(pool: &Pool, counts: &Counts, me: u64) {
    let mut own = Own {
        key: format!("thread-{me}"),
        failed: BTreeMap::new(),
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
            Step::Late(Ended::TimedOut) => drop(counts.late.fetch_add(1, Ordering::Relaxed)),
            Step::Late(_) => drop(counts.broken.fetch_add(1, Ordering::Relaxed)),
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
        // What arrived is kept for tests that ask for it: not for hours.
        drop(server.log());
        let stats = pool.stats();
        assert!(stats.idle <= 3 && stats.in_use <= 3, "{stats:?}");
    }
    server.clear();
    counts.stop.store(true, Ordering::Relaxed); // a flag
    for thread in threads {
        thread.join().unwrap();
    }
    let [calls, errors, late, broken, wrong] = [
        &counts.calls,
        &counts.errors,
        &counts.late,
        &counts.broken,
        &counts.wrong,
    ]
    .map(|count| count.load(Ordering::Relaxed));
    println!(
        "stress: {calls} calls, {errors} failed, {late} late writes of timed-out calls and {broken} of broken ones \
         (the server had each), {wrong} wrong answers"
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
