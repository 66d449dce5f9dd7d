//! Bugs on the wire: time, handshakes, replies that answer somebody else, calls that are made twice.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use tagcache_client::{CallLimits, ErrorKind, Pool, Reply, TagList, Value};
use tagcached::fault::{Nth, Rule};

use super::common::{assert_full_capacity, get, limits, pool, put, run};
use super::server;

/// How many handshakes towards `port` are under way, by the local port of each.
fn handshakes(port: u16) -> Vec<String> {
    const SYN_SENT: &str = "02";
    let to = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace());
    rows.filter_map(|mut row| {
        let (local, remote, state) = (row.nth(1)?, row.next()?, row.next()?);
        (remote.ends_with(&to) && state == SYN_SENT).then(|| local.to_owned())
    })
    .collect()
}

/// sqlx #3132: the head of the line got its permit in its last milliseconds, began to connect, was cut off, and so
/// was the next: thousands of handshakes a second, none of them finished. A handshake that was begun goes to the
/// next caller; many who come late share one.
#[test]
fn sqlx_3132_late_callers_share_a_handshake() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    server.add(Rule::blackhole());
    let before = handshakes(server.addr().port());
    let late = CallLimits {
        connect_timeout: Duration::from_secs(20),
        ..limits(30)
    };
    let mut begun = Vec::new();
    let start = Instant::now();
    for _ in 0..12 {
        let error = get(&pool, &late, "k").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        for handshake in handshakes(server.addr().port()) {
            if !before.contains(&handshake) && !begun.contains(&handshake) {
                begun.push(handshake);
            }
        }
    }
    // One that had no answer for half a second is given up for a fresh one.
    let due = 1 + start.elapsed().as_millis() as usize / 500;
    assert!(begun.len() <= due, "each began its own: {begun:?}");
    assert!(!begun.is_empty(), "it was cut off with its caller");
    // It is not thrown away when it is finished at last.
    server.clear();
    let patient = CallLimits {
        connect_timeout: Duration::from_secs(20),
        ..limits(10_000)
    };
    assert_eq!(get(&pool, &patient, "k").unwrap(), None);
    assert_eq!((pool.stats().opened, server.peers()), (1, 1));
    assert_full_capacity(&pool);
}

/// What is put aside is no connection for ever: draining and closing give it up, and it is not older than
/// `connect_timeout` when it is taken up.
#[test]
fn sqlx_3132_a_handshake_put_aside_is_given_up() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    server.add(Rule::blackhole());
    let port = server.addr().port();
    let before = handshakes(port).len();
    let late = |connect: u64| CallLimits {
        connect_timeout: Duration::from_millis(connect),
        ..limits(30)
    };
    for give_up in [
        |pool: &Pool| assert_eq!(pool.drain(), 0),
        |pool: &Pool| {
            assert!(pool.close(Duration::ZERO));
        },
    ] {
        assert!(get(&pool, &late(20_000), "k").is_err());
        assert_eq!(handshakes(port).len(), before + 1);
        // Too old for this caller, who begins one of its own.
        thread::sleep(Duration::from_millis(20));
        assert!(get(&pool, &late(40), "k").is_err());
        assert!(handshakes(port).len() <= before + 1);
        give_up(&pool);
        assert_eq!(handshakes(port).len(), before);
    }
}

/// redis-rs #1252, redis-py #2624 (CVE-2023-28858): the reply that a call did not wait for answered the next one.
#[test]
fn redis_rs_1252_an_unread_reply_answers_nobody_else() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    put(&pool, "a", "of a");
    put(&pool, "b", "of b");
    server.add(Rule::delay(Duration::from_millis(60), 2).conn(0));
    let error = get(&pool, &limits(20), "a").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // At once, so that the late reply is not there yet when the connection is looked at.
    assert_eq!(
        get(&pool, &limits(2000), "b").unwrap().as_deref(),
        Some("of b")
    );
    assert_eq!((pool.stats().closed_broken, pool.stats().opened), (1, 2));
}

/// redis-rs #1955: all commands were written before the first reply was read; with both directions full, client and
/// server waited for each other.
#[test]
fn redis_rs_1955_a_large_pipeline_does_not_deadlock() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    let value = "x".repeat(1 << 20);
    put(&pool, "large", &value);
    let replies = run(&pool, &limits(20_000), |commands| {
        for n in 0..24 {
            let key = format!("k{n}");
            let none = TagList::new();
            commands.get(b"large").unwrap();
            commands
                .put(key.as_bytes(), None, &none, Value::Str(value.as_bytes()))
                .unwrap();
        }
    })
    .expect("client and server wait for each other");
    for n in 0..24 {
        assert_eq!(replies.get(2 * n), Reply::Value(value.as_bytes()));
        assert_eq!(replies.get(2 * n + 1), Reply::Ok);
    }
}

/// golang #11978, go-sql-driver #302: a write was sent again after the server might have carried it out.
#[test]
fn golang_11978_a_write_is_not_carried_out_twice() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    put(&pool, "k", "v");
    server.add(Rule::close(1).conn(0));
    let outcome = run(&pool, &limits(2000), |commands| {
        commands.incr(b"n", 1, None, &TagList::new()).unwrap();
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Connection);
    let now = run(&pool, &limits(2000), |commands| {
        commands.incr(b"n", 0, None, &TagList::new()).unwrap();
    });
    assert_eq!(now.unwrap().get(0), Reply::Integer(1));
}

/// bb8 #227, r2d2 #75: connecting was tried again until the time was over, and callers were told "timed out" instead
/// of what was wrong.
#[test]
fn bb8_227_the_real_error_comes_at_once() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    server.refuse();
    let begun = Instant::now();
    let error = get(&pool, &limits(3000), "k").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(1), "{error}");
}

/// go-redis #1849: what was armed for one call was still armed at the next look at the connection, and good
/// connections were thrown away.
#[test]
fn go_redis_1849_a_short_timeout_does_not_outlive_its_call() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    assert_eq!(get(&pool, &limits(80), "k").unwrap(), None);
    thread::sleep(Duration::from_millis(120));
    server.add(Rule::delay(Duration::from_millis(250), Nth::Every));
    assert_eq!(get(&pool, &limits(3000), "k").expect("cut short"), None);
    assert_eq!(pool.stats().opened, 1, "a good connection was thrown away");
}

/// redis-rs #436: a refusal in the middle of a batch ended the reading, and the replies behind it answered others.
#[test]
fn redis_rs_436_a_refusal_does_not_end_the_batch() {
    let server = server([]);
    let pool = pool(server.addr(), 1);
    put(&pool, "text", "no number");
    put(&pool, "k", "value");
    // Reply 4 of the connection, from 0, is the one behind the refusal: it comes when the others have been read.
    server.add(Rule::delay(Duration::from_millis(30), 4));
    let replies = run(&pool, &limits(3000), |commands| {
        commands.get(b"k").unwrap();
        commands.incr(b"text", 1, None, &TagList::new()).unwrap();
        commands.get(b"text").unwrap();
    })
    .unwrap();
    assert_eq!(replies.get(0), Reply::Value(b"value"));
    assert!(matches!(replies.get(1), Reply::Error(_)));
    assert_eq!(replies.get(2), Reply::Value(b"no number"));
    assert_eq!(
        get(&pool, &limits(3000), "k").unwrap().as_deref(),
        Some("value")
    );
    assert_eq!(pool.stats().opened, 1);
}
