//! Many commands over several connections: outcomes, order, deadline, and guards that go home.

mod common;

use std::task::Poll;
use std::time::{Duration, Instant};

use common::{
    assert_full_capacity, call, failed, get, limits, outcome, pool, put, replied, tags, ttl,
};
use tagcache_client::{
    CallLimits, Commands, Deadline, Error, ErrorKind, Fanout, Pool, Replies, Reply, TagList, Value,
    guards_on_this_thread,
};
use tagcached::fault::{FaultServer, Nth, Rule};

fn faulty(rules: impl IntoIterator<Item = Rule>, size: u32) -> (FaultServer, Pool) {
    let server = FaultServer::start(rules).unwrap();
    let pool = pool(server.addr(), size);
    (server, pool)
}

fn gets(count: usize) -> Commands {
    let mut commands = Commands::new();
    for n in 0..count {
        commands.get(format!("k{n}").as_bytes()).unwrap();
    }
    commands
}

#[test]
fn every_reply_belongs_to_its_command() {
    const KEYS: usize = 5_000;
    let server = common::server();
    let pool = pool(server.addr(), 4);
    let mut commands = Commands::new();
    for n in 0..KEYS {
        let key = format!("k{n}");
        commands
            .put(
                key.as_bytes(),
                ttl(60_000),
                &tags(&["t"]),
                Value::Str(format!("v{n}").as_bytes()),
            )
            .unwrap();
        // The same key keeps its order, so this read finds what was just put.
        commands.get(key.as_bytes()).unwrap();
    }
    let fanout = Fanout::start(&pool, &limits(30_000), &commands, 4).unwrap();
    assert_eq!(pool.stats().in_use, fanout.connections() as u32);
    assert!(fanout.drive(Duration::from_secs(30)));
    assert_eq!(
        guards_on_this_thread(),
        0,
        "guards go home before the fan-out is dropped"
    );
    for n in 0..KEYS {
        let want = format!("v{n}");
        assert!(replied(&fanout, 2 * n, Reply::Ok));
        assert!(replied(&fanout, 2 * n + 1, Reply::Value(want.as_bytes())));
    }
    assert_eq!(pool.stats().opened, 4);
    assert_full_capacity(&pool);
}

#[test]
fn it_takes_the_connections_that_are_free_and_no_more() {
    let (_server, pool) = faulty([], 2);
    let deadline = Deadline::after(Duration::from_secs(5));
    let held = pool.check_out(&limits(1000), &deadline).unwrap();
    let fanout = Fanout::start(&pool, &limits(1000), &gets(10), 8).unwrap();
    assert!(fanout.drive(Duration::from_secs(1)));
    assert_eq!(pool.stats().opened, 2);
    drop(held);
    assert_full_capacity(&pool);
}

#[test]
fn a_guard_goes_home_while_another_lane_still_waits() {
    let (_server, pool) = faulty([Rule::stall(0).conn(1)], 2);
    let fanout = Fanout::start(&pool, &limits(600), &gets(200), 2).unwrap();
    let start = Instant::now();
    assert!(!fanout.drive(Duration::from_millis(200)));
    assert!(start.elapsed() >= Duration::from_millis(190));
    assert_eq!((fanout.connections(), pool.stats().in_use), (1, 1));
    let pending = (0..200)
        .filter(|n| outcome(&fanout, *n).is_pending())
        .count();
    assert!((1..200).contains(&pending), "{pending} pending");
    assert!(fanout.drive(Duration::from_secs(5)));
    assert!(
        start.elapsed() < Duration::from_millis(700),
        "{:?}",
        start.elapsed()
    );
    let failed = (0..200).filter(|n| timed_out(&fanout, *n)).count();
    assert_eq!(failed, pending);
    drop(fanout);
    assert_full_capacity(&pool);
}

#[test]
fn a_shifted_lane_gives_nothing_away_and_leaves_the_others_alone() {
    let (_server, pool) = faulty([Rule::inject(3, "VALUE\tSTOLEN\n").conn(0)], 2);
    let fanout = Fanout::start(&pool, &limits(2000), &gets(100), 2).unwrap();
    assert!(fanout.drive(Duration::from_secs(2)));
    let mut failed = 0;
    for n in 0..100 {
        match outcome(&fanout, n) {
            Poll::Ready(Ok(replies)) => assert_eq!(replies.get(0), Reply::NotFound),
            Poll::Ready(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Protocol);
                failed += 1;
            }
            Poll::Pending => panic!("command {n} has no outcome"),
        }
    }
    assert!((1..100).contains(&failed), "{failed} failed");
    assert_full_capacity(&pool);
}

#[test]
fn dropped_unfinished_it_closes_what_owes_replies() {
    let (server, pool) = faulty([Rule::silent()], 3);
    let fanout = Fanout::start(&pool, &limits(5000), &gets(50), 3).unwrap();
    assert_eq!(pool.stats().in_use, 3);
    drop(fanout);
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.idle, stats.closed_broken), (0, 0, 3));
    let gone = Instant::now() + Duration::from_secs(2);
    while server.peers() > 0 {
        assert!(Instant::now() < gone);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_descriptor_tells_when_there_is_something_to_do() {
    let (_server, pool) = faulty([Rule::delay(Duration::from_millis(150), 0)], 1);
    let fanout = Fanout::start(&pool, &limits(2000), &gets(1), 1).unwrap();
    let readable = |ms| {
        let mut entry = libc::pollfd {
            fd: fanout.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid entry, whose descriptor the fan-out keeps open.
        unsafe { libc::poll(&mut entry, 1, ms) == 1 }
    };
    // The first edge is "writable", which the start did not consume.
    let _ = readable(0);
    assert!(readable(2000));
    let until = Instant::now() + Duration::from_secs(2);
    while !fanout.drive(Duration::ZERO) {
        assert!(Instant::now() < until);
    }
    assert!(replied(&fanout, 0, Reply::NotFound));
}

fn timed_out(fanout: &Fanout, n: usize) -> bool {
    matches!(failed(fanout, n).as_deref(), Some(Error::Timeout { .. }))
}

/// Returns whether the descriptor of `fanout` is or becomes readable within `ms`.
fn readable(fanout: &Fanout, ms: i32) -> bool {
    let mut entry = libc::pollfd {
        fd: fanout.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid entry, whose descriptor the fan-out keeps open.
    unsafe { libc::poll(&mut entry, 1, ms) == 1 }
}

#[test]
fn a_watched_descriptor_tells_of_the_end_for_good() {
    let (_server, pool) = faulty([], 2);
    let fanout = Fanout::start(&pool, &limits(2000), &gets(10), 2).unwrap();
    fanout.watch().unwrap();
    fanout.watch().unwrap();
    assert!(fanout.drive(Duration::from_secs(2)));
    assert!(readable(&fanout, 0) && readable(&fanout, 0));
    assert!(fanout.drive(Duration::ZERO) && readable(&fanout, 0));
    let late = Fanout::start(&pool, &limits(2000), &gets(10), 2).unwrap();
    assert!(late.drive(Duration::from_secs(2)));
    assert!(!readable(&late, 0), "nobody asked before");
    late.watch().unwrap();
    assert!(readable(&late, 0));
}

#[test]
fn a_watched_descriptor_tells_of_the_deadline() {
    let (_server, pool) = faulty([Rule::silent()], 1);
    let start = Instant::now();
    let fanout = Fanout::start(&pool, &limits(200), &gets(1), 1).unwrap();
    fanout.watch().unwrap();
    assert!(!fanout.drive(Duration::ZERO));
    assert!(readable(&fanout, 5000), "the timer");
    assert!(start.elapsed() >= Duration::from_millis(190));
    assert!(fanout.drive(Duration::ZERO));
    assert!(timed_out(&fanout, 0));
    assert!(readable(&fanout, 0));
}

/// Two commands on one key go over one connection. The other one goes home, and is no concern of the fan-out any more.
#[test]
fn a_connection_without_commands_is_not_watched() {
    let delay = Rule::delay(Duration::from_millis(400), Nth::Every).verb("GET");
    let (_server, pool) = faulty([delay], 2);
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    commands.get(b"k").unwrap();
    let fanout = Fanout::start(&pool, &limits(5000), &commands, 2).unwrap();
    assert_eq!((fanout.connections(), pool.stats().idle), (1, 1));
    // Takes what every new socket has to say: that there is room to send.
    while readable(&fanout, 0) {
        assert!(!fanout.drive(Duration::ZERO));
    }
    put(&pool, "other", "value");
    assert!(!readable(&fanout, 0), "woken by the reply to another call");
    assert!(fanout.drive(Duration::from_secs(3)));
}

#[test]
fn some_commands_can_be_awaited_and_copied() {
    let (_server, pool) = faulty([Rule::delay(Duration::from_millis(100), 1)], 1);
    let fanout = Fanout::start(&pool, &limits(3000), &counts(&["a", "b", "a"]), 1).unwrap();
    assert!(fanout.drive_for(0..1, Duration::from_secs(2)));
    let mut replies = Replies::new();
    assert!(matches!(
        fanout.copy_replies(0..3, &mut replies),
        Poll::Pending
    ));
    assert_eq!((replies.len(), fanout.answered()), (0, 1));
    assert!(!fanout.drive_for(0..3, Duration::ZERO));
    assert!(fanout.drive_for(0..3, Duration::from_secs(2)));
    assert!(matches!(
        fanout.copy_replies(1..3, &mut replies),
        Poll::Ready(Ok(()))
    ));
    assert!(matches!(
        fanout.copy_replies(0..1, &mut replies),
        Poll::Ready(Ok(()))
    ));
    let got: Vec<_> = replies.iter().collect();
    assert_eq!(
        got,
        [Reply::Integer(1), Reply::Integer(2), Reply::Integer(1)]
    );
    assert!(matches!(
        fanout.copy_replies(1..1, &mut replies),
        Poll::Ready(Ok(()))
    ));
    assert_eq!((replies.len(), fanout.answered()), (3, 3));
}

fn counts(keys: &[&str]) -> Commands {
    let mut commands = Commands::new();
    for key in keys {
        commands
            .incr(key.as_bytes(), 1, None, &TagList::new())
            .unwrap();
    }
    commands
}

#[test]
fn a_call_of_the_thread_that_holds_every_connection_drives_them_first() {
    let (_server, pool) = faulty([Rule::delay(Duration::from_millis(100), 5).conn(0)], 1);
    let fanout = Fanout::start(&pool, &limits(3000), &gets(10), 1).unwrap();
    assert_eq!(fanout.connections(), 1);
    let mut replies = Replies::new();
    call(&pool, &limits(2000), &gets(3), &mut replies).unwrap();
    assert_eq!(replies.len(), 3);
    assert!(fanout.is_done());
    assert!((0..10).all(|n| replied(&fanout, n, Reply::NotFound)));
    assert_full_capacity(&pool);
}

/// Another fan-out is a call like any other.
#[test]
fn a_fan_out_of_the_thread_that_holds_every_connection_drives_them_first() {
    let delay = Rule::delay(Duration::from_millis(50), Nth::Every).verb("GET");
    let (_server, pool) = faulty([delay], 2);
    let all: Vec<Fanout> = (0..4)
        .map(|_| Fanout::start(&pool, &limits(3000), &gets(2), 2).unwrap())
        .collect();
    assert!(all[..2].iter().all(Fanout::is_done));
    assert!(all.iter().all(|one| one.drive(Duration::from_secs(3))));
    for fanout in &all {
        assert!((0..2).all(|n| replied(fanout, n, Reply::NotFound)));
    }
    drop(all);
    assert_full_capacity(&pool);
}

/// A call that gets no connection for 200 ms, and how many stand in line halfway through.
fn in_vain(pool: &Pool) -> (Error, u32) {
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            pool.stats().waiters
        });
        let failed = call(pool, &limits(200), &gets(1), &mut Replies::new());
        (failed.unwrap_err(), looking.join().unwrap())
    })
}

#[test]
fn a_thread_that_holds_connections_never_waits_in_line() {
    let (_server, pool) = faulty([Rule::silent()], 1);
    let fanout = Fanout::start(&pool, &limits(5000), &gets(1), 1).unwrap();
    let start = Instant::now();
    let (failed, waiting) = in_vain(&pool);
    assert!(
        matches!(&failed, Error::PoolExhausted { limit, .. } if limit.as_millis() == 200),
        "{failed:?}"
    );
    assert!((190..400).contains(&start.elapsed().as_millis()));
    assert_eq!(waiting, 0, "it stood in line");
    drop(fanout);
    assert_eq!(pool.stats().in_use, 0);
}

/// What somebody else gives back is taken, though the thread's own connection stays out.
#[test]
fn a_thread_that_holds_connections_takes_those_of_others() {
    let (server, pool) = faulty([Rule::silent().conn(0)], 2);
    let fanout = Fanout::start(&pool, &limits(5000), &gets(1), 1).unwrap();
    let deadline = Deadline::after(Duration::from_secs(5));
    let other = pool.check_out(&limits(1000), &deadline).unwrap();
    let giving = Duration::from_millis(100);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(giving);
            drop(other);
        });
        assert_eq!(get(&pool, &limits(3000), "k").unwrap(), None);
    });
    assert_eq!((fanout.connections(), server.peers()), (1, 2));
    drop(fanout);
    assert_eq!(pool.stats().in_use, 0);
}

/// As in a call: what only reads is sent again if the connection had been idle, and ends before its reply.
#[test]
fn a_lane_is_sent_again_where_a_call_would_be() {
    for rule in [Rule::close(1), Rule::reset(1)] {
        let (server, pool) = faulty([], 1);
        put(&pool, "k0", "v");
        server.add(rule.clone().conn(0));
        let fanout = Fanout::start(&pool, &limits(2000), &gets(1), 1).unwrap();
        assert!(fanout.drive(Duration::MAX));
        assert!(
            replied(&fanout, 0, Reply::Value(b"v")),
            "{:?}",
            outcome(&fanout, 0)
        );
        assert_eq!((pool.stats().retries, server.peers_total()), (1, 2));
        assert_full_capacity(&pool);
        // What counts may have counted.
        server.clear();
        server.add(rule.conn(1));
        let fanout = Fanout::start(&pool, &limits(2000), &counts(&["n"]), 1).unwrap();
        assert!(fanout.drive(Duration::MAX));
        assert_eq!(failed(&fanout, 0).unwrap().kind(), ErrorKind::Connection);
        assert_eq!(pool.stats().retries, 1);
        assert_full_capacity(&pool);
    }
}

/// Who only looks does not wait for a connection to be opened, and who can't have one is told why.
#[test]
fn a_lane_is_sent_again_for_who_waits_and_only_if_it_can_be() {
    let (server, pool) = faulty([], 1);
    put(&pool, "k0", "v");
    // Later than the start looks, which would wait.
    let later = Rule::delay(Duration::from_millis(30), 1);
    server.add(later.clone().conn(0));
    server.add(Rule::close(1).conn(0));
    let fanout = Fanout::start(&pool, &limits(2000), &gets(1), 1).unwrap();
    std::thread::sleep(Duration::from_millis(80));
    assert!(fanout.drive(Duration::ZERO));
    assert_eq!(failed(&fanout, 0).unwrap().kind(), ErrorKind::Connection);
    assert_eq!(pool.stats().retries, 0);
    server.clear();
    put(&pool, "k0", "v");
    server.add(later.conn(1));
    server.add(Rule::close(1).conn(1));
    let fanout = Fanout::start(&pool, &limits(2000), &gets(1), 1).unwrap();
    server.refuse();
    assert!(fanout.drive(Duration::MAX));
    let error = failed(&fanout, 0).unwrap();
    assert!(matches!(*error, Error::Connect { .. }), "{error}");
    assert_eq!((pool.stats().retries, pool.stats().in_use), (1, 0));
    assert_eq!(guards_on_this_thread(), 0);
}

#[test]
fn a_fan_out_is_one_round_trip_of_the_time_that_was_spent_on_it() {
    let (_server, pool) = faulty([Rule::delay(Duration::from_millis(60), Nth::Every)], 4);
    let trips = || pool.latencies().round_trip.count();
    let fanout = Fanout::start(&pool, &limits(3000), &gets(2), 2).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(trips(), 0, "it is on its way");
    assert!(fanout.drive(Duration::from_secs(3)));
    assert!(fanout.timing().total() < Duration::from_millis(100));
    let waited_for = Fanout::start(&pool, &limits(3000), &gets(2), 2).unwrap();
    assert!(waited_for.drive(Duration::from_secs(3)) && waited_for.drive(Duration::from_secs(3)));
    assert!(waited_for.timing().wire >= Duration::from_millis(50));
    drop(Fanout::start(&pool, &limits(3000), &gets(2), 2).unwrap());
    assert_eq!(trips(), 2, "one each, and none for what was given up");
}

/// What has ended, whether by its last reply or by its drop, is nobody's to drive: then the call waits in line.
#[test]
fn fan_outs_that_have_ended_are_forgotten() {
    let (_server, pool) = faulty([], 1);
    let done = Fanout::start(&pool, &limits(3000), &gets(2), 1).unwrap();
    assert!(done.drive(Duration::from_secs(3)));
    drop(Fanout::start(&pool, &limits(3000), &gets(2), 1).unwrap());
    let deadline = Deadline::after(Duration::from_secs(5));
    let held = pool.check_out(&limits(1000), &deadline).unwrap();
    let (failed, waiting) = in_vain(&pool);
    assert!(matches!(failed, Error::PoolExhausted { .. }), "{failed:?}");
    assert_eq!(waiting, 1, "it stood in line");
    drop(held);
    drop(done);
    assert_full_capacity(&pool);
}

#[test]
fn large_values_flow_both_ways_at_once() {
    let server = common::server();
    let pool = pool(server.addr(), 2);
    let value = "x".repeat(1 << 20);
    let mut commands = Commands::new();
    for n in 0..40 {
        let key = format!("k{n}");
        commands
            .put(
                key.as_bytes(),
                None,
                &TagList::new(),
                Value::Str(value.as_bytes()),
            )
            .unwrap();
        commands.get(key.as_bytes()).unwrap();
    }
    let fanout = Fanout::start(&pool, &limits(60_000), &commands, 2).unwrap();
    assert!(fanout.drive(Duration::from_secs(60)));
    for n in 0..40 {
        assert!(replied(&fanout, 2 * n + 1, Reply::Value(value.as_bytes())));
    }
}

#[test]
fn nothing_to_do_is_done_at_once() {
    let (_server, pool) = faulty([Rule::silent()], 1);
    let fanout = Fanout::start(&pool, &CallLimits::default(), &Commands::new(), 4).unwrap();
    assert!(fanout.is_done() && fanout.drive(Duration::ZERO));
    assert_eq!(pool.stats().opened, 0);
    put(&common::pool(common::server().addr(), 1), "k", "v");
}

/// Who looks only after the deadline finds what had come before it.
#[test]
fn what_had_arrived_before_the_deadline_counts_after_it() {
    let stalled = Rule::stall(2).conn(0);
    let (server, pool) = faulty([stalled], 1);
    let fanout = Fanout::start(&pool, &limits(100), &counts(&["a", "b", "c"]), 1).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(fanout.drive(Duration::ZERO));
    for n in 0..2 {
        assert!(
            replied(&fanout, n, Reply::Integer(1)),
            "{:?}",
            outcome(&fanout, n)
        );
    }
    assert!(timed_out(&fanout, 2), "{:?}", outcome(&fanout, 2));
    assert_eq!((fanout.answered(), pool.stats().closed_broken), (2, 1));
    drop(fanout);
    // All of it: the connection is in step and goes home.
    server.clear();
    let fanout = Fanout::start(&pool, &limits(100), &gets(10), 1).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(fanout.drive_for(3..4, Duration::MAX));
    assert!((0..10).all(|n| replied(&fanout, n, Reply::NotFound)));
    assert_eq!((pool.stats().idle, pool.stats().closed_broken), (1, 1));
    assert_full_capacity(&pool);
}

/// Looking once more does not wait, however much keeps coming.
#[test]
fn the_last_look_takes_no_more_than_what_lies_there() {
    let (_server, pool) = faulty([Rule::oversize(0, 500 << 20)], 1);
    let limits = CallLimits {
        max_reply_bytes: 1 << 30,
        ..limits(100)
    };
    let fanout = Fanout::start(&pool, &limits, &gets(1), 1).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    assert!(fanout.drive(Duration::from_secs(5)));
    assert!(start.elapsed() < Duration::from_millis(100));
    assert!(timed_out(&fanout, 0), "{:?}", outcome(&fanout, 0));
}
