//! Signals in the middle of every wait, as PHP's time limit, `pcntl` and children that end send them: no call ends
//! early by one, and none takes longer than its deadline. A program of its own, as a handler is the whole process's.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{assert_full_capacity, call, config, failed, get, limits, pool, put};
use tagcache_client::{
    Commands, Deadline, Endpoint, Error, ErrorKind, Fanout, Pool, PoolConfig, Replies, TagList,
    Value,
};
use tagcached::fault::{FaultConfig, FaultServer, Nth, Rule};

const LIMIT_MS: u64 = 200;
const GRACE: Duration = Duration::from_millis(100);

static CAUGHT: AtomicU32 = AtomicU32::new(0);

extern "C" fn note(_signal: libc::c_int) {
    CAUGHT.fetch_add(1, Ordering::Relaxed); // a count
}

/// Calls `wait` while its thread gets a signal every two milliseconds.
fn pestered<R>(wait: impl FnOnce() -> R) -> R {
    // SAFETY: the handler does one atomic addition. No SA_RESTART: system calls end early.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as extern "C" fn(libc::c_int) as usize;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
    }
    // SAFETY: names the calling thread, which outlives the scope below.
    let victim = unsafe { libc::pthread_self() };
    let done = AtomicBool::new(false);
    let before = CAUGHT.load(Ordering::Relaxed);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // SAFETY: the thread exists, see above, and handles the signal.
                unsafe { libc::pthread_kill(victim, libc::SIGUSR1) };
                thread::sleep(Duration::from_millis(2));
            }
        });
        let result = wait();
        done.store(true, Ordering::Relaxed);
        result
    });
    assert!(CAUGHT.load(Ordering::Relaxed) > before, "no signal came");
    result
}

/// Expects `wait` to fail at its deadline, not before and not after.
fn at_the_deadline(what: &str, kind: ErrorKind, wait: impl FnOnce() -> Error) {
    let begun = Instant::now();
    let error = pestered(wait);
    let took = begun.elapsed();
    assert_eq!(error.kind(), kind, "{what}: {error}");
    let limit = Duration::from_millis(LIMIT_MS);
    assert!(
        took >= limit - GRACE / 10 && took < limit + GRACE,
        "{what}: {took:?}, {error}"
    );
}

#[test]
fn no_signal_ends_a_wait_and_none_extends_it() {
    let limits = limits(LIMIT_MS);

    let server = FaultServer::start([Rule::blackhole()]).unwrap();
    let tcp = pool(server.addr(), 1);
    at_the_deadline("connect", ErrorKind::Timeout, || {
        get(&tcp, &limits, "k").unwrap_err()
    });
    // The handshake was put aside, and is waited for now.
    at_the_deadline("take up", ErrorKind::Timeout, || {
        get(&tcp, &limits, "k").unwrap_err()
    });
    server.clear();

    let path = std::env::temp_dir().join(format!("tagcache-signals-{}.sock", std::process::id()));
    let place = FaultConfig {
        unix: Some(path.clone()),
        ..FaultConfig::default()
    };
    let server = FaultServer::start_with(place, [Rule::blackhole()]).unwrap();
    let unix = Pool::new(PoolConfig::new(Endpoint::Unix(path)));
    at_the_deadline("connect, Unix", ErrorKind::Timeout, || {
        get(&unix, &limits, "k").unwrap_err()
    });
    drop(server);

    let server = FaultServer::start([]).unwrap();
    let pool = Pool::new(config(server.addr(), 1));
    put(&pool, "k", "value");
    server.add(Rule::stall(Nth::Every).verb("GET"));
    at_the_deadline("read", ErrorKind::Timeout, || {
        get(&pool, &limits, "k").unwrap_err()
    });
    server.clear();

    server.add(Rule::noread());
    let large = vec![b'x'; 32 << 20];
    let mut commands = Commands::new();
    commands
        .put(b"large", None, &TagList::new(), Value::Str(&large))
        .unwrap();
    at_the_deadline("write", ErrorKind::Timeout, || {
        call(&pool, &limits, &commands, &mut Replies::new()).unwrap_err()
    });
    server.clear();

    let guard = pool
        .check_out(&limits, &Deadline::after(Duration::from_secs(5)))
        .unwrap();
    at_the_deadline("line", ErrorKind::PoolExhausted, || {
        get(&pool, &limits, "k").unwrap_err()
    });
    drop(guard);

    server.add(Rule::stall(Nth::Every).verb("GET"));
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    let fanout = Fanout::start(&pool, &limits, &commands, 1).unwrap();
    let begun = Instant::now();
    assert!(pestered(|| fanout.drive(Duration::MAX)));
    assert!(begun.elapsed() < Duration::from_millis(LIMIT_MS) + GRACE);
    assert_eq!(failed(&fanout, 0).unwrap().kind(), ErrorKind::Timeout);
    drop(fanout);
    server.clear();

    // And what takes its time comes in full.
    server.add(Rule::dribble(Duration::from_millis(10), 0));
    let got = pestered(|| get(&pool, &common::limits(3000), "k"));
    assert_eq!(got.unwrap().as_deref(), Some("value"));
    server.clear();
    assert_full_capacity(&pool);
}
