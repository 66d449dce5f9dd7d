//! What the pool does by itself, against a real socket: who waits, what is closed and when, and what is opened ahead.

mod common;

use std::time::{Duration, Instant};

use common::{assert_full_capacity, config, get, limits, pool, put};
use tagcache_client::{Deadline, ErrorKind, Phase, Pool, PoolConfig};
use tagcached::fault::FaultServer;

/// How late an error may come.
const GRACE: Duration = Duration::from_millis(100);

#[test]
fn a_pool_of_one_serves_sixty_four_threads() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 1);
    put(&pool, "k", "v");
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(
                        get(&pool, &limits(20_000), "k").unwrap().as_deref(),
                        Some("v")
                    );
                }
            });
        }
    });
    assert_eq!((server.peers_max(), server.peers_total()), (1, 1));
    assert_full_capacity(&pool);
}

#[test]
fn an_exhausted_pool_says_so_at_the_deadline() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 1);
    let deadline = Deadline::after(Duration::from_secs(5));
    let held = pool.check_out(&limits(1000), &deadline).unwrap();
    let start = Instant::now();
    let error = get(&pool, &limits(100), "k").unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(100) + GRACE);
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::PoolExhausted, Some(Phase::Acquire))
    );
    assert!(
        error.to_string().contains("all 1 of the pool are in use"),
        "{error}"
    );
    drop(held);
    assert_full_capacity(&pool);
}

#[test]
fn closing_fails_waiters_at_once_and_waits_for_guards() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 1);
    let deadline = Deadline::after(Duration::from_secs(5));
    let held = pool.check_out(&limits(1000), &deadline).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let start = Instant::now();
            (
                get(&pool, &limits(5000), "k").unwrap_err().kind(),
                start.elapsed(),
            )
        });
        while pool.stats().waiters == 0 {
            std::thread::yield_now();
        }
        assert!(!pool.close(Duration::from_millis(50)), "a guard is out");
        let (kind, took) = waiter.join().unwrap();
        assert_eq!(kind, ErrorKind::Closed);
        assert!(took < Duration::from_secs(2), "{took:?}");
        let closer = scope.spawn(|| pool.close(Duration::from_secs(5)));
        drop(held);
        assert!(closer.join().unwrap());
    });
    assert_eq!(pool.stats().idle, 0);
    assert_eq!(
        get(&pool, &limits(1000), "k").unwrap_err().kind(),
        ErrorKind::Closed
    );
    let gone = Instant::now() + Duration::from_secs(2);
    while server.peers() > 0 {
        assert!(Instant::now() < gone, "a connection of a closed pool lives");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_drained_pool_closes_connections_in_use_at_their_check_in() {
    let server = FaultServer::start([]).unwrap();
    let pool = pool(server.addr(), 2);
    let deadline = Deadline::after(Duration::from_secs(5));
    let first = pool.check_out(&limits(1000), &deadline).unwrap();
    drop(pool.check_out(&limits(1000), &deadline).unwrap());
    assert_eq!(pool.drain(), 1);
    drop(first);
    assert_eq!((pool.stats().idle, pool.stats().closed_stale), (0, 2));
    assert_full_capacity(&pool);
}

#[test]
fn old_connections_retire_and_surplus_ones_are_closed() {
    let server = FaultServer::start([]).unwrap();
    let mut short = config(server.addr(), 4);
    short.max_lifetime = Some(Duration::from_millis(40));
    let pool = Pool::new(short);
    put(&pool, "k", "v");
    std::thread::sleep(Duration::from_millis(60));
    assert!(get(&pool, &limits(1000), "k").unwrap().is_some());
    assert_eq!((pool.stats().closed_retired, pool.stats().opened), (1, 2));

    let mut idle = config(server.addr(), 4);
    idle.idle_timeout = Some(Duration::from_millis(30));
    let pool = Pool::new(idle);
    let deadline = Deadline::after(Duration::from_secs(5));
    let guards: Vec<_> = (0..4)
        .map(|_| pool.check_out(&limits(1000), &deadline).unwrap())
        .collect();
    drop(guards);
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(40));
        assert!(get(&pool, &limits(1000), "k").unwrap().is_some());
        pool.housekeep();
    }
    assert_eq!(
        (pool.stats().idle, pool.stats().closed_retired),
        (1, 3),
        "{:?}",
        pool.stats()
    );
}

#[test]
fn the_first_call_warms_the_pool_up() {
    let server = FaultServer::start([]).unwrap();
    let pool = Pool::new(PoolConfig {
        min_idle: 3,
        ..config(server.addr(), 4)
    });
    assert_eq!(pool.stats().opened, 0);
    put(&pool, "k", "v");
    assert_eq!((pool.stats().opened, pool.stats().idle), (3, 3));
    put(&pool, "k", "v");
    assert_eq!(pool.stats().opened, 3);
}

#[test]
fn warming_up_counts_the_connections_that_are_there() {
    let server = FaultServer::start([]).unwrap();
    let pool = Pool::new(PoolConfig {
        min_idle: 2,
        ..config(server.addr(), 2)
    });
    let deadline = Deadline::after(Duration::from_secs(5));
    let both = [(); 2].map(|()| pool.check_out(&limits(1000), &deadline).unwrap());
    drop(both);
    put(&pool, "k", "v");
    assert_eq!((server.peers_max(), pool.stats().opened), (2, 2));
    assert_full_capacity(&pool);
}
