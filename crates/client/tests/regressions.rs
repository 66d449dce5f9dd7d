//! The bugs that other pools had, each as a test that would find it here. A name begins with the thread in which the
//! bug was reported (project, number); `scripts/mutants.sh` puts each of them into a copy of this crate and demands
//! that its test turns red. Here: waiting, accounting, closing and forking; in `wire`: time and the protocol.
//!
//! Elsewhere, as they need to see more than a caller does: bb8 #225, a herd that is woken for one permit
//! (`pool/gate_test.rs`); HikariCP #718, a store that is not visible in time (the orderings under loom,
//! `pool/models.rs`); parking_lot #515, waiting in a forked child (`tests/fork.rs`); phpredis #614 and #94, ext-php-rs
//! #537, time limits and fatal errors within a call (`tests/zts`, `tests/fatal`).
//!
//! What cannot happen here: a request for a connection that gets lost (HikariCP #222), as nobody opens connections
//! for others; an underflow when the pool is resized (deadpool #380), as it is not; a thread that retries to connect
//! beside an idle connection (sqlx #2848), as nothing is retried; times subtracted in the wrong order (sqlx #1912), as
//! all such subtractions saturate; a farewell on the parent's connection (phpredis #2370), as there is none.

mod common;
#[path = "regressions/wire.rs"]
mod wire;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{assert_full_capacity, config, get, limits, pool, put};
use tagcache_client::{
    ConnectionGuard, Deadline, Endpoint, Error, ErrorKind, Pool, PoolConfig, fork,
};
use tagcached::fault::{FaultConfig, FaultServer, Rule};

/// Far longer than anything here takes when no wake-up is lost.
const LONG: Duration = Duration::from_secs(3);

fn server(rules: impl IntoIterator<Item = Rule>) -> FaultServer {
    FaultServer::start(rules).unwrap()
}

fn take(pool: &Pool, wait: Duration) -> Result<ConnectionGuard, Error> {
    let limits = limits(wait.as_millis() as u64);
    pool.check_out(&limits, &Deadline::after(wait))
}

fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn wait_for_waiters(pool: &Pool, n: u32) {
    until("nobody joined the line", || pool.stats().waiters == n);
}

/// bb8 #122: a connection came home between "none is idle" and "join the queue"; the waiter slept beside it.
#[test]
fn bb8_122_lost_wakeup_between_try_and_enqueue() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    for _ in 0..300 {
        let guard = take(&pool, LONG).unwrap();
        let start = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                take(&pool, LONG).expect("asleep beside a free permit");
            });
            start.wait();
            drop(guard);
        });
    }
    assert_full_capacity(&pool);
}

/// bb8 #167: a broken connection was thrown away, and the waiter was not told that there is room for a new one.
#[test]
fn bb8_167_a_discarded_connection_wakes_the_waiter() {
    let server = server([Rule::stall(0).conn(0)]);
    let pool = pool(server.addr(), 1);
    thread::scope(|scope| {
        scope.spawn(|| get(&pool, &limits(150), "k").unwrap_err());
        until("nothing is in use", || pool.stats().in_use == 1);
        let waiter = scope.spawn(|| get(&pool, &limits(3000), "k"));
        wait_for_waiters(&pool, 1);
        assert_eq!(waiter.join().unwrap().expect("not woken"), None);
    });
    assert_eq!(pool.stats().closed_broken, 1);
    assert_full_capacity(&pool);
}

/// sqlx #622: the wake-up went to a waiter that was about to give up; those behind it slept on.
#[test]
fn sqlx_622_a_waiter_that_leaves_passes_its_wakeup_on() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    for round in 0..40 {
        let guard = take(&pool, LONG).unwrap();
        thread::scope(|scope| {
            let leaver = scope.spawn(|| drop(take(&pool, Duration::from_millis(4))));
            until("the first waiter", || {
                pool.stats().waiters == 1 || leaver.is_finished()
            });
            let stayer = scope.spawn(|| take(&pool, LONG).map(drop));
            until("the second waiter", || {
                pool.stats().waiters == 2 || leaver.is_finished()
            });
            // About when the first one gives up, somewhat earlier or later.
            thread::sleep(Duration::from_micros(round * 100));
            drop(guard);
            stayer.join().unwrap().expect("the wake-up got lost");
        });
    }
    assert_full_capacity(&pool);
}

/// bb8 #67: the hand-over to a waiter that was cancelled at that moment lost the permit.
#[test]
fn bb8_67_a_permit_given_at_the_timeout_is_not_lost() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    for round in 0..40 {
        let guard = take(&pool, LONG).unwrap();
        thread::scope(|scope| {
            let leaver = scope.spawn(|| drop(take(&pool, Duration::from_millis(6))));
            until("the waiter", || {
                pool.stats().waiters == 1 || leaver.is_finished()
            });
            // The head has waited for longer than the pool's patience: it is handed the permit.
            thread::sleep(Duration::from_micros(2000 + round * 100));
            drop(guard);
        });
        assert_full_capacity(&pool);
    }
}

/// sqlx #453: whoever came first to a connection that came free got it, and those in line starved.
#[test]
fn sqlx_453_newcomers_do_not_starve_waiters() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    let (turns, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let hog = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let guard = take(&pool, LONG).unwrap();
                turns.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(2));
                drop(guard);
            }
        });
        until("the hog", || turns.load(Ordering::Relaxed) > 0);
        let passed: Vec<u32> = (0..40)
            .map(|_| {
                // It is the hog that has the connection, and not this thread that does not let it in.
                let seen = turns.load(Ordering::Relaxed);
                until("the hog again", || turns.load(Ordering::Relaxed) > seen);
                let before = turns.load(Ordering::Relaxed);
                drop(take(&pool, LONG));
                turns.load(Ordering::Relaxed) - before
            })
            .take_while(|passed| *passed < 100)
            .collect();
        stop.store(true, Ordering::Relaxed);
        hog.join().unwrap();
        // The hog has four loans in turn, and one is counted while it runs.
        assert!(passed.iter().all(|passed| *passed <= 5), "{passed:?}");
        assert_eq!(passed.len(), 40, "starved");
    });
}

/// ephpm #221: the permit stayed with the idle connection, and a pool full of idle ones let nobody in.
#[test]
fn ephpm_221_an_idle_connection_holds_no_permit() {
    let server = server([]);
    let pool = pool(server.addr(), 2);
    for _ in 0..5 {
        drop([(); 2].map(|()| take(&pool, LONG).expect("blocked beside idle connections")));
        assert_eq!((pool.stats().idle, pool.stats().in_use), (2, 0));
    }
}

/// go-redis #2658: an early return with an error kept the turn that had been taken.
#[test]
fn go_redis_2658_an_early_error_gives_the_permit_back() {
    let server = server([]);
    let pool = pool(server.addr(), 2);
    server.refuse();
    for _ in 0..5 {
        assert_eq!(
            get(&pool, &limits(500), "k").unwrap_err().kind(),
            ErrorKind::Connection
        );
    }
    server.accept();
    assert_full_capacity(&pool);
}

/// go-redis #3619: a turn was freed twice, and the pool grew past its size. Here: by the retry that fails.
#[test]
fn go_redis_3619_no_permit_is_released_twice() {
    let server = server([]);
    let pool = pool(server.addr(), 2);
    put(&pool, "k", "v");
    server.add(Rule::close(1).conn(0));
    server.refuse();
    // The reused connection ends before the reply, so the read is sent again, and nobody listens.
    assert!(get(&pool, &limits(1000), "k").is_err());
    assert_eq!(pool.stats().retries, 1);
    server.accept();
    assert_full_capacity(&pool);
    let held = [(); 2].map(|()| take(&pool, LONG).unwrap());
    let third = pool.try_check_out(&limits(1000), &Deadline::after(LONG));
    assert!(matches!(third, Ok(None)), "a third permit of two");
    drop(held);
}

/// sqlx #4289: the number of idle connections was raised after the push and lowered by a faster pop before that; it
/// wrapped around, and housekeeping counted from 18 quintillion.
#[test]
fn sqlx_4289_no_gauge_underflows() {
    let server = server([]);
    let pool = Pool::new(PoolConfig {
        idle_timeout: Some(Duration::from_millis(1)),
        ..config(server.addr(), 3)
    });
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    drop(take(&pool, LONG).unwrap());
                    pool.housekeep();
                }
            });
        }
        let end = Instant::now() + Duration::from_millis(400);
        let looks = std::iter::from_fn(|| (Instant::now() < end).then(|| pool.stats()));
        let wrong = looks.into_iter().find(|stats| {
            stats.idle > 3 || stats.in_use > 3 || stats.peak > 3 || stats.waiters > 4
        });
        stop.store(true, Ordering::Relaxed);
        assert_eq!(wrong, None);
    });
}

/// deadpool #205: more connections than the maximum, seen by the only one who can tell: the server.
#[test]
fn deadpool_205_the_server_never_sees_more_than_the_maximum() {
    let server = server([]);
    let pool = pool(server.addr(), 2);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for n in 0..40 {
                    // Every few calls the peer is lost, so that new ones are opened all the time.
                    match n % 8 {
                        0 => drop(get(&pool, &limits(3000), "k").unwrap()),
                        1 => assert!(pool.drain() <= 2),
                        _ => drop(take(&pool, LONG).unwrap()),
                    }
                }
            });
        }
    });
    // A closed connection is gone for the server a moment later than for us: that much may overlap.
    assert_eq!(pool.stats().in_use, 0);
    assert!(pool.stats().idle <= 2);
    let held = [(); 2].map(|()| take(&pool, LONG).unwrap());
    until("surplus connections", || server.peers() == 2);
    drop(held);
}

/// Ours: with `min_idle` the first call opened its share beside connections that were there already.
#[test]
fn tagcache_warming_up_stays_within_the_maximum() {
    let server = server([]);
    let pool = Pool::new(PoolConfig {
        min_idle: 3,
        ..config(server.addr(), 3)
    });
    drop([(); 3].map(|()| take(&pool, LONG).unwrap()));
    put(&pool, "k", "v");
    assert_eq!((server.peers_max(), pool.stats().opened), (3, 3));
    assert_full_capacity(&pool);
}

/// sqlx #3217: a connection that came home while the pool was being closed was left behind.
#[test]
fn sqlx_3217_a_closed_pool_keeps_nothing_that_comes_home() {
    let server = server([]);
    let pool = pool(server.addr(), 2);
    let guards = [(); 2].map(|()| take(&pool, LONG).unwrap());
    assert!(!pool.close(Duration::ZERO), "two are out");
    drop(guards);
    assert_eq!((pool.stats().idle, pool.stats().in_use), (0, 0));
    until("a connection is left", || server.peers() == 0);
    for _ in 0..30 {
        let pool = common::pool(server.addr(), 2);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| while take(&pool, LONG).is_ok() {});
            }
            thread::sleep(Duration::from_micros(300));
            assert!(pool.close(LONG), "a permit did not come home");
            assert_eq!(pool.stats().idle, 0);
        });
        until("a connection is left", || server.peers() == 0);
    }
}

/// sqlx #2376: a connection that was being opened while the pool was closed was left behind.
#[test]
fn sqlx_2376_a_connection_opened_during_the_close_is_closed() {
    let path = std::env::temp_dir().join(format!("tagcache-{}.sock", std::process::id()));
    let place = FaultConfig {
        unix: Some(path.clone()),
        ..FaultConfig::default()
    };
    let server = FaultServer::start_with(place, []).unwrap();
    let pool = Pool::new(PoolConfig::new(Endpoint::Unix(path)));
    server.add(Rule::blackhole());
    thread::scope(|scope| {
        let opener = scope.spawn(|| take(&pool, LONG));
        until("nobody connects", || pool.stats().in_use == 1);
        thread::sleep(Duration::from_millis(20));
        assert!(!pool.close(Duration::ZERO), "one is being opened");
        server.clear();
        // The fillers of the black hole are gone with it.
        drop(opener.join().unwrap());
    });
    assert_eq!((pool.stats().idle, pool.stats().in_use), (0, 0));
    until("a connection is left", || server.peers() == 0);
}

/// phpredis #1642: a child went on with its parent's socket, and each read the other's replies.
#[test]
fn phpredis_1642_a_child_never_uses_its_parents_socket() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    put(&pool, "k", "v");
    let peers = server.peers_total();
    assert_eq!(fork::generation(), 0);
    // SAFETY: the child makes one call on its copy of this thread, which touches no lock of another thread but the
    // allocator's (glibc repairs it), and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let refused = matches!(get(&pool, &limits(2000), "k"), Err(Error::Forked { .. }));
        let code = if refused && pool.is_inherited() { 0 } else { 1 };
        // SAFETY: ends the process without the parent's exit handlers.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `pid` is a child of ours, `status` a valid place.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child used its parent's pool");
    assert_eq!(
        get(&pool, &limits(2000), "k").unwrap().as_deref(),
        Some("v")
    );
    assert_eq!(
        server.peers_total(),
        peers,
        "the parent's connection is lost"
    );
}

/// sqlx #83: a path that was abandoned between "taken" and "in use" leaked the connection, here by a panic.
#[test]
fn sqlx_83_an_abandoned_path_leaks_nothing() {
    let server = server([]);
    let pool = pool(server.addr(), 2);
    for _ in 0..3 {
        let unwound = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _guard = take(&pool, LONG).unwrap();
                    std::panic::resume_unwind(Box::new("on purpose"));
                })
                .join()
        });
        assert!(unwound.is_err());
    }
    assert_eq!((pool.stats().idle, pool.stats().closed_broken), (0, 3));
    until("a connection leaked", || server.peers() == 0);
    assert_full_capacity(&pool);
}

/// r2d2 #65: connections used in turn never got old, so the pool stayed at the size of its busiest moment for ever.
#[test]
fn r2d2_65_the_pool_shrinks_although_all_are_used_in_turn() {
    let server = server([]);
    let pool = Pool::new(PoolConfig {
        idle_timeout: Some(Duration::from_millis(20)),
        ..config(server.addr(), 4)
    });
    drop([(); 4].map(|()| take(&pool, LONG).unwrap()));
    until("the pool stays at its peak", || {
        // In turn: each is touched far more often than once in 20 ms.
        drop(take(&pool, LONG).unwrap());
        pool.housekeep();
        pool.stats().idle == 1
    });
}

/// bb8 #221: a wake-up that nobody had needed was kept, and cost a connection that nobody needed.
#[test]
fn bb8_221_a_connection_that_came_home_is_used_again() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let _guard = take(&pool, LONG).unwrap();
                    // The others get in line meanwhile.
                    thread::sleep(Duration::from_micros(200));
                }
            });
        }
    });
    assert_eq!(pool.stats().opened, 1);
}

/// deadpool #92: connections that were thrown away at a check-out were counted on as if they were there.
#[test]
fn deadpool_92_evicted_connections_are_not_counted() {
    let server = server([]);
    let pool = pool(server.addr(), 3);
    drop([(); 3].map(|()| take(&pool, LONG).unwrap()));
    until("not all were accepted", || server.peers() == 3);
    server.kick();
    thread::sleep(Duration::from_millis(50));
    let guard = take(&pool, LONG).unwrap();
    let stats = pool.stats();
    assert_eq!(
        (stats.idle, stats.in_use, stats.closed_stale),
        (0, 1, 3),
        "{stats:?}"
    );
    drop(guard);
    assert_eq!((pool.stats().idle, pool.stats().in_use), (1, 0));
    assert_full_capacity(&pool);
}

/// What the calling thread has cost so far: processor time, and how often it was given a processor.
fn cost() -> (Duration, i64) {
    // SAFETY: getrusage fills the struct, for which zeros are as good as anything.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_THREAD, &mut usage), 0);
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    (
        time(usage.ru_utime) + time(usage.ru_stime),
        usage.ru_nvcsw + usage.ru_nivcsw,
    )
}

/// HikariCP #835, #2398: who waited for a connection spun, and all processors were busy with waiting.
#[test]
fn hikaricp_835_waiting_costs_no_processor() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    let held = take(&pool, LONG).unwrap();
    let before = cost();
    assert!(take(&pool, Duration::from_millis(400)).is_err());
    let after = cost();
    let (time, turns) = (after.0 - before.0, after.1 - before.1);
    assert!(
        time < Duration::from_millis(10) && turns < 10,
        "{time:?} in {turns} turns, of 400 ms"
    );
    drop(held);
}
