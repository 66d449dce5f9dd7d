//! A server that is away costs one call a connect timeout, not all of them; and it is found when it is back.

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{assert_full_capacity, config, get, limits, pool, put};
use tagcache_client::{
    Breaker, CallLimits, Commands, Deadline, Error, ErrorKind, Fanout, Phase, Pool,
};
use tagcached::fault::{FaultServer, Rule};

const GRACE: Duration = Duration::from_millis(100);

/// As a handle has them, with `connect` for connecting.
fn patient(connect: u64) -> CallLimits {
    CallLimits {
        connect_timeout: Duration::from_millis(connect),
        ..CallLimits::default()
    }
}

fn failure(pool: &Pool, limits: &CallLimits) -> Error {
    get(pool, limits, "k").unwrap_err()
}

fn wait_for_the_next_try(pool: &Pool) {
    let open = pool.breaker().outage().expect("it is closed");
    thread::sleep(open.next_try.expect("somebody tries"));
}

#[test]
fn a_page_of_twenty_gets_waits_once() {
    let server = FaultServer::start([Rule::blackhole()]).unwrap();
    let pool = pool(server.addr(), 8);
    let start = Instant::now();
    let errors = [(); 20].map(|()| failure(&pool, &patient(200)));
    let took = start.elapsed();
    assert!(took < Duration::from_millis(200) + GRACE, "{took:?}");
    assert_eq!(errors[0].kind(), ErrorKind::Timeout, "{}", errors[0]);
    for error in &errors[1..] {
        let kind = (error.kind(), error.phase());
        assert_eq!(kind, (ErrorKind::Connection, Some(Phase::Connect)));
        assert_eq!(error.peer(), Some(&*server.addr().to_string()));
        let text = error.to_string();
        assert!(
            text.contains("timed out") && text.contains("the next try is due in"),
            "{text}"
        );
    }
    let stats = pool.stats();
    assert_eq!((stats.connect_failures, stats.connects_skipped), (1, 19));
    assert_eq!((stats.in_use, stats.waiters), (0, 0));
}

#[test]
fn without_it_each_call_connects() {
    let server = FaultServer::start([]).unwrap();
    server.refuse();
    let pool = pool(server.addr(), 1);
    for _ in 0..20 {
        assert!(matches!(
            failure(&pool, &limits(1000)),
            Error::Connect { .. }
        ));
    }
    let stats = pool.stats();
    assert_eq!((stats.connect_failures, stats.connects_skipped), (20, 0));
    assert!(pool.breaker().outage().is_none(), "and nobody is told");
}

/// A restart of a second must not be felt for many: the pauses grow from little, with how long it lasts.
#[test]
fn a_server_that_is_back_is_found_soon() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 2);
    put(&pool, "k", "v");
    server.refuse();
    server.kick();
    thread::sleep(Duration::from_millis(20));
    let limits = CallLimits::default();
    let away = Instant::now();
    while away.elapsed() < Duration::from_millis(1000) {
        assert_eq!(failure(&pool, &limits).kind(), ErrorKind::Connection);
        thread::sleep(Duration::from_millis(5));
    }
    let tries = pool.stats().connect_failures;
    assert!((3..=7).contains(&tries), "{tries} tries in a second");
    server.accept();
    let back = Instant::now();
    while get(&pool, &limits, "k").is_err() {
        assert!(back.elapsed() < Duration::from_millis(1100), "not found");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(pool.breaker().outage().is_none());
    assert_full_capacity(&pool);
}

#[test]
fn idle_connections_are_used_while_it_is_open() {
    let server = FaultServer::start([]).unwrap();
    let breaker = Breaker::new();
    let [one, other] =
        [1, 2].map(|size| Pool::with_breaker(config(server.addr(), size), breaker.clone()));
    let limits = CallLimits::default();
    put(&one, "k", "v");
    server.refuse();
    assert!(matches!(failure(&other, &limits), Error::Connect { .. }));
    assert!(breaker.outage().is_some());
    assert_eq!(get(&one, &limits, "k").unwrap().as_deref(), Some("v"));
    // It is one breaker: what one pool has found out, the other need not.
    server.kick();
    thread::sleep(Duration::from_millis(10));
    let error = failure(&one, &limits);
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!(
        (one.stats().connect_failures, one.stats().closed_stale),
        (0, 1)
    );
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    let batch = Fanout::start(&one, &limits, &commands, 1);
    assert!(matches!(batch, Err(Error::Unreachable { .. })), "{batch:?}");
    server.accept();
    wait_for_the_next_try(&one);
    assert_eq!(get(&one, &limits, "k").unwrap().as_deref(), Some("v"));
    assert_eq!(get(&other, &limits, "k").unwrap().as_deref(), Some("v"));
}

/// One tries with the only permit of its pool; the others don't stand in line for it.
#[test]
fn nobody_stands_in_line_behind_a_try() {
    let server = FaultServer::start([Rule::blackhole()]).unwrap();
    let pool = pool(server.addr(), 1);
    let limits = patient(300);
    assert_eq!(failure(&pool, &limits).kind(), ErrorKind::Timeout);
    wait_for_the_next_try(&pool);
    thread::scope(|scope| {
        let trying = scope.spawn(|| failure(&pool, &limits));
        while pool.stats().in_use == 0 {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(50));
        for _ in 0..50 {
            let start = Instant::now();
            let error = failure(&pool, &limits);
            assert!(matches!(error, Error::Unreachable { next_try: None, .. }));
            assert!(error.to_string().contains("another call is trying now"));
            assert!(start.elapsed() < Duration::from_millis(50), "{error}");
        }
        assert!(!trying.is_finished(), "the try was over before");
        assert_eq!(trying.join().unwrap().kind(), ErrorKind::Timeout);
    });
    assert_eq!(pool.stats().waits, 0);
}

/// Eight threads that never pause: while the server is away they dial one at a time; when it is back there is no storm,
/// and the pool is as large as it may be and no larger.
#[test]
fn eight_threads_make_no_storm() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 3);
    server.refuse();
    let limits = CallLimits::default();
    let (stop, failed, done) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let start = Barrier::new(9);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                while !stop.load(Ordering::Relaxed) {
                    match get(&pool, &limits, "k") {
                        Ok(_) => drop(done.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        start.wait();
        thread::sleep(Duration::from_millis(400));
        let stats = pool.stats();
        assert_eq!(done.load(Ordering::Relaxed), 0);
        // At most all permits at first, then after 50, 100, 200 ms (less a quarter).
        assert!(stats.connect_failures <= 3 + 5, "{stats:?}");
        assert!(stats.connects_skipped > 100, "{stats:?}");
        server.accept();
        let back = Instant::now();
        while done.load(Ordering::Relaxed) < 1000 {
            assert!(
                back.elapsed() < Duration::from_secs(5),
                "{:?}",
                pool.stats()
            );
            thread::sleep(Duration::from_millis(1));
        }
        let before = failed.load(Ordering::Relaxed);
        thread::sleep(Duration::from_millis(50));
        assert_eq!(failed.load(Ordering::Relaxed), before, "once it is back");
        stop.store(true, Ordering::Relaxed);
    });
    let (peers, opened) = (server.peers_max(), pool.stats().opened);
    assert!(peers <= 3 && opened <= 3, "{peers} peers, {opened} opened");
    assert_full_capacity(&pool);
}

/// Calls that are too short to tell a silent server from a slow one; together they are not.
#[test]
fn short_calls_find_out_together() {
    let server = FaultServer::start([Rule::blackhole()]).unwrap();
    let pool = pool(server.addr(), 1);
    let short = CallLimits {
        timeout: Duration::from_millis(60),
        ..CallLimits::default()
    };
    let start = Instant::now();
    let errors = [(); 40].map(|()| failure(&pool, &short));
    let took = start.elapsed();
    let waited = errors
        .iter()
        .take_while(|error| error.kind() == ErrorKind::Timeout)
        .count();
    // Half a second of silence is enough.
    assert!((6..=9).contains(&waited), "{waited} of 40 waited");
    assert!(took < Duration::from_millis(800), "{took:?}");
    assert!(matches!(errors[39], Error::Unreachable { .. }));
}

/// A connection that ends in a call is opened anew for the one retry, which is a dial as any other.
#[test]
fn a_retry_is_a_dial() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 1);
    let limits = CallLimits::default();
    put(&pool, "k", "v");
    server.add(Rule::close(1).conn(0));
    server.refuse();
    let error = failure(&pool, &limits);
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    assert!(pool.breaker().outage().is_some());
    let error = failure(&pool, &limits);
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    server.accept();
    wait_for_the_next_try(&pool);
    assert_full_capacity(&pool);
}

/// A slow command, a full pool and a reply that makes no sense are no matter of connecting.
#[test]
fn only_dials_open_it() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 1);
    let limits = CallLimits {
        timeout: Duration::from_millis(50),
        ..CallLimits::default()
    };
    put(&pool, "k", "v");
    server.add(Rule::stall(1).conn(0));
    assert_eq!(failure(&pool, &limits).kind(), ErrorKind::Timeout);
    server.add(Rule::replace(0, "rubbish\n").conn(1));
    assert_eq!(failure(&pool, &limits).kind(), ErrorKind::Protocol);
    server.add(Rule::close(0).conn(2));
    assert_eq!(failure(&pool, &limits).kind(), ErrorKind::Connection);
    let held = pool.check_out(&limits, &Deadline::after(GRACE)).unwrap();
    assert_eq!(failure(&pool, &limits).kind(), ErrorKind::PoolExhausted);
    drop(held);
    assert!(pool.breaker().outage().is_none());
    assert_eq!(pool.stats().connects_skipped, 0);
    assert_eq!(get(&pool, &limits, "k").unwrap().as_deref(), Some("v"));
}
