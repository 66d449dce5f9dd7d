//! Every command against `tagcached`, alone and in batches of any size.

mod common;

use std::time::Duration;

use common::{assert_full_capacity, get, limits, pool, put, run, server, tags, ttl};
use tagcache_client::{
    CallLimits, Commands, Deadline, Error, Fanout, Phase, Replies, Reply, TagList, TagMatch, Value,
    call, guards_on_this_thread,
};

fn sorted(keys: &[u8]) -> Vec<&str> {
    let mut keys: Vec<_> = std::str::from_utf8(keys).unwrap().split(',').collect();
    keys.sort_unstable();
    keys
}

#[test]
fn all_thirteen_commands() {
    let server = server();
    let pool = pool(server.addr(), 2);
    let none = TagList::new();
    let replies = run(&pool, &CallLimits::default(), |c| {
        c.put(b"a", None, &tags(&["t", "u"]), Value::Str(b"one"))
            .unwrap();
        c.put(b"b", ttl(60_000), &tags(&["t"]), Value::Int(2))
            .unwrap();
        c.put(b"dash", None, &tags(&["-"]), Value::Null).unwrap();
        c.add(b"a", None, &none, Value::Str(b"two")).unwrap();
        c.add(b"c", None, &none, Value::Float(1.5)).unwrap();
        c.get(b"a").unwrap();
        c.get(b"missing").unwrap();
        c.incr(b"n", 5, None, &tags(&["u"])).unwrap();
        c.decr(b"n", 7, None, &none).unwrap();
        c.keys_by_tag(b"t").unwrap();
        c.keys_by_tag(b"-").unwrap();
        c.keys_by_tag(b"nothing").unwrap();
        c.delete(b"c").unwrap();
        c.delete(b"c").unwrap();
        c.invalidate_tags(&tags(&["t", "u"]), TagMatch::All)
            .unwrap();
        c.invalidate_tags(&tags(&["t", "u"]), TagMatch::Any)
            .unwrap();
        c.invalidate_tag(b"-").unwrap();
        c.put(b"x", None, &none, Value::Str(b"")).unwrap();
        c.get(b"x").unwrap();
        c.invalidate_keys([&b"x"[..], b"y"]).unwrap();
        c.incr(b"s", 1, None, &none).unwrap();
        c.put(b"s", None, &none, Value::Str(b"text")).unwrap();
        c.incr(b"s", 1, None, &none).unwrap();
        c.flush();
    })
    .unwrap();
    let got: Vec<_> = replies.iter().collect();
    assert_eq!(
        &got[..9],
        &[
            Reply::Ok,
            Reply::Ok,
            Reply::Ok,
            Reply::Exists,
            Reply::Added,
            Reply::Value(b"one"),
            Reply::NotFound,
            Reply::Integer(5),
            Reply::Integer(-2),
        ]
    );
    let Reply::Keys(keys) = got[9] else {
        panic!("{:?}", got[9])
    };
    assert_eq!(sorted(keys), ["a", "b"]);
    assert_eq!(
        &got[10..],
        &[
            Reply::Keys(b"dash"),
            Reply::Keys(b""),
            Reply::Deleted(true),
            Reply::Deleted(false),
            Reply::Count(1), // a
            Reply::Count(2), // b and n
            Reply::Count(1), // dash
            Reply::Ok,
            Reply::Value(b""),
            Reply::Count(1), // x
            Reply::Integer(1),
            Reply::Ok,
            Reply::Error(b"value is not an integer"),
            Reply::Count(1), // s
        ]
    );
    let replies = run(&pool, &CallLimits::default(), Commands::stats).unwrap();
    let Reply::Stats(stats) = replies.get(0) else {
        panic!("{:?}", replies.get(0))
    };
    assert!(
        stats.hits >= 2 && stats.misses >= 1 && (0.0..=1.0).contains(&stats.hit_ratio),
        "{stats:?}"
    );
    assert_eq!(pool.stats().opened, 1);
    assert_full_capacity(&pool);
}

#[test]
fn a_large_batch_does_not_deadlock() {
    const KEYS: usize = 200_000;
    let server = server();
    let pool = pool(server.addr(), 1);
    let value = "v".repeat(100);
    put(&pool, "k", &value);
    let replies = run(&pool, &limits(60_000), |c| {
        for n in 0..KEYS {
            c.get(if n % 2 == 0 { b"k" } else { b"missing" }).unwrap();
        }
    })
    .unwrap();
    for (n, reply) in replies.iter().enumerate() {
        let want = if n % 2 == 0 {
            Reply::Value(value.as_bytes())
        } else {
            Reply::NotFound
        };
        assert_eq!(reply, want, "reply {n}");
    }
    assert_full_capacity(&pool);
}

#[test]
fn large_values_go_both_ways_in_one_batch() {
    let server = server();
    let pool = pool(server.addr(), 1);
    let value = "x".repeat(3 << 20);
    let replies = run(&pool, &limits(60_000), |c| {
        for n in 0..8 {
            let key = format!("k{n}");
            c.put(
                key.as_bytes(),
                None,
                &TagList::new(),
                Value::Str(value.as_bytes()),
            )
            .unwrap();
            c.get(key.as_bytes()).unwrap();
        }
    })
    .unwrap();
    assert!(
        replies
            .iter()
            .skip(1)
            .step_by(2)
            .all(|reply| reply == Reply::Value(value.as_bytes()))
    );
}

#[test]
fn an_empty_batch_opens_no_connection() {
    let server = server();
    let pool = pool(server.addr(), 1);
    assert!(
        run(&pool, &CallLimits::default(), |_| ())
            .unwrap()
            .is_empty()
    );
    assert_eq!(pool.stats().opened, 0);
}

#[test]
fn threads_get_their_own_answers() {
    const THREADS: usize = 16;
    let server = server();
    let pool = pool(server.addr(), 3);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..300 {
                    let key = format!("{thread}:{}", round % 7);
                    let value = format!("{thread}-{round}");
                    put(pool, &key, &value);
                    assert_eq!(get(pool, &limits(20_000), &key).unwrap(), Some(value));
                }
            });
        }
    });
    let stats = pool.stats();
    assert!(stats.opened <= 3, "{stats:?}");
    assert_eq!(stats.closed_broken + stats.closed_stale, 0, "{stats:?}");
    assert_full_capacity(&pool);
}

#[test]
fn a_unix_socket_serves_as_well() {
    let path = std::env::temp_dir().join(format!("tagcache-calls-{}.sock", std::process::id()));
    let config = tagcached::Config {
        unix: Some(path.clone()),
        ..tagcached::Config::default()
    };
    let server = tagcached::Server::start(config).unwrap();
    let endpoint = tagcache_client::Endpoint::Unix(path);
    let pool = tagcache_client::Pool::new(tagcache_client::PoolConfig::new(endpoint));
    put(&pool, "k", "v");
    assert_eq!(
        get(&pool, &limits(5000), "k").unwrap().as_deref(),
        Some("v")
    );
    drop(server);
}

#[test]
fn a_host_name_is_looked_up() {
    let server = server();
    let endpoint = tagcache_client::Endpoint::tcp("localhost", server.addr().port());
    let pool = tagcache_client::Pool::new(tagcache_client::PoolConfig::new(endpoint));
    // localhost is ::1 first on many machines, where nobody listens: the next address has to be tried.
    put(&pool, "k", "v");
    assert_eq!(
        get(&pool, &limits(5000), "k").unwrap().as_deref(),
        Some("v")
    );
}

/// Nothing that is checked out can lose the pool that it goes back to.
#[test]
fn a_guard_outlives_its_pool() {
    let server = server();
    let pool = pool(server.addr(), 2);
    put(&pool, "k", "v");
    let deadline = Deadline::after(Duration::from_secs(5));
    let guard = pool.check_out(&limits(1000), &deadline).unwrap();
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    let fanout = Fanout::start(&pool, &limits(1000), &commands, 1).unwrap();
    drop(pool);
    assert!(fanout.drive(Duration::from_secs(5)));
    assert!(common::replied(&fanout, 0, Reply::Value(b"v")));
    drop(fanout);
    drop(guard);
    assert_eq!(guards_on_this_thread(), 0);
}

#[test]
fn nothing_is_sent_when_exchanges_before_have_spent_the_time() {
    let server = server();
    let pool = pool(server.addr(), 1);
    let limits = limits(500);
    let mut commands = Commands::new();
    commands
        .put(b"k", None, &TagList::new(), Value::Int(1))
        .unwrap();
    let spent = Deadline::resumed(limits.timeout, limits.timeout);
    let failed = call(&pool, &limits, &spent, &commands, &mut Replies::new());
    assert!(
        matches!(&failed, Err(Error::Timeout { phase: Phase::Acquire, limit, elapsed, .. })
            if *limit == limits.timeout && *elapsed == limits.timeout),
        "{failed:?}"
    );
    assert_eq!(pool.stats().check_outs, 0);
    let left = Deadline::resumed(limits.timeout, limits.timeout / 2);
    call(&pool, &limits, &left, &commands, &mut Replies::new()).unwrap();
}
