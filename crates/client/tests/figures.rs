//! What a pool tells of itself: times, bytes, the age of its connections.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{call, get, limits, pool, put, run, server};
use tagcache_client::{CallLimits, Commands, Error, Replies};

#[test]
fn every_call_is_timed_and_every_byte_counted() {
    let server = server();
    let pool = pool(server.addr(), 2);
    assert_eq!(pool.stats().oldest, None);
    put(&pool, "key", "abcdefghij");
    let before = pool.stats();
    let began = Instant::now();
    for _ in 0..100 {
        get(&pool, &CallLimits::default(), "key").unwrap();
    }
    let elapsed = began.elapsed();
    let after = pool.stats();
    // "GET\tkey\n" and "VALUE\tabcdefghij\n".
    assert_eq!(after.bytes_sent - before.bytes_sent, 800);
    assert_eq!(after.bytes_received - before.bytes_received, 1700);
    assert!(
        after
            .oldest
            .is_some_and(|age| age < elapsed + Duration::from_secs(5))
    );
    let latencies = pool.latencies();
    assert_eq!(latencies.round_trip.count(), 101);
    assert_eq!(latencies.acquire.count(), 101);
    assert_eq!(
        latencies.acquire.quantile(1.0),
        Duration::ZERO,
        "nobody waited"
    );
    let median = latencies.round_trip.quantile(0.5);
    assert!(
        median > Duration::ZERO && median <= elapsed,
        "{median:?} of {elapsed:?}"
    );
    assert!(latencies.round_trip.sum() >= median * 50);
    pool.drain();
    assert_eq!(pool.stats().oldest, None);
}

#[test]
fn who_waits_is_told_how_long() {
    let server = server();
    let pool = pool(server.addr(), 1);
    put(&pool, "key", "v");
    let limits = CallLimits::default();
    let deadline = tagcache_client::Deadline::after(Duration::from_secs(5));
    let guard = pool.check_out(&limits, &deadline).unwrap();
    let waiter = thread::spawn({
        let pool = pool.clone();
        move || {
            let mut commands = Commands::new();
            commands.get(b"key").unwrap();
            let mut replies = Replies::new();
            call(&pool, &CallLimits::default(), &commands, &mut replies).unwrap();
            replies.timing()
        }
    });
    while pool.stats().waiters == 0 {
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(30));
    drop(guard);
    let timing = waiter.join().unwrap();
    assert!(timing.wait >= Duration::from_millis(30), "{timing:?}");
    assert!(timing.wire < timing.total(), "{timing:?}");
    let acquire = pool.latencies().acquire;
    assert_eq!(acquire.count(), 3);
    assert_eq!(acquire.quantile(0.5), Duration::ZERO);
    assert!(acquire.quantile(1.0) >= Duration::from_millis(30));
}

#[test]
fn a_call_that_fails_is_timed_too() {
    let server = server();
    let pool = pool(server.addr(), 1);
    let deadline = tagcache_client::Deadline::after(Duration::from_secs(5));
    let _guard = pool.check_out(&CallLimits::default(), &deadline).unwrap();
    let mut commands = Commands::new();
    commands.get(b"key").unwrap();
    let mut replies = Replies::new();
    let failed = call(&pool, &limits(20), &commands, &mut replies);
    assert!(
        matches!(failed, Err(Error::PoolExhausted { .. })),
        "{failed:?}"
    );
    assert!(replies.timing().wait >= Duration::from_millis(20));
    assert_eq!(replies.timing().wire, Duration::ZERO);
    assert_eq!(
        pool.latencies().round_trip.count(),
        0,
        "it never got to the wire"
    );
}

#[test]
fn a_batch_counts_as_one_round_trip() {
    let server = server();
    let pool = pool(server.addr(), 1);
    let replies = run(&pool, &CallLimits::default(), |commands| {
        for n in 0..1000 {
            commands.delete(format!("key{n}").as_bytes()).unwrap();
        }
    })
    .unwrap();
    assert_eq!(replies.len(), 1000);
    assert_eq!(pool.latencies().round_trip.count(), 1);
}

#[test]
fn the_first_command_is_named_for_a_log() {
    let mut commands = Commands::new();
    assert_eq!(commands.first(), None);
    commands.get(b"some key").unwrap();
    commands.flush();
    assert_eq!(commands.first(), Some(("GET", &b"some key"[..])));
    commands.clear(0);
    commands.flush();
    assert_eq!(commands.first(), Some(("FLUSH", &b""[..])));
}
