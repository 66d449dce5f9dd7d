//! Every fault of the wire: the documented error, within the deadline, with the pool at full capacity afterwards
//! and nothing foreign returned.

mod common;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{assert_full_capacity, call, failed, get, limits, pool, put, run};
use tagcache_client::{
    CallLimits, Commands, Deadline, Error, ErrorKind, Fanout, Phase, Pool, Replies, Reply, TagList,
    Value,
};
use tagcached::fault::{FaultServer, Rule};

/// How late an error may come.
const GRACE: Duration = Duration::from_millis(100);

fn faulty(rules: impl IntoIterator<Item = Rule>) -> (FaultServer, Pool) {
    let server = FaultServer::start(rules).unwrap();
    let pool = pool(server.addr(), 2);
    (server, pool)
}

/// Expects `get` to fail within `ms` and the pool to be whole.
fn fails(pool: &Pool, ms: u64) -> Error {
    let start = Instant::now();
    let error = get(pool, &limits(ms), "k").unwrap_err();
    let took = start.elapsed();
    assert!(
        took < Duration::from_millis(ms) + GRACE,
        "{took:?} for {error}"
    );
    let stats = pool.stats();
    assert_eq!(
        (stats.in_use, stats.idle),
        (0, 0),
        "a failed connection went back: {stats:?}"
    );
    error
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let pool = pool(free, 1);
    let error = fails(&pool, 2000);
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Connection, Some(Phase::Connect))
    );
    let text = error.to_string();
    assert!(
        text.contains(&free.to_string()) && text.contains("is the server running"),
        "{text}"
    );
    assert_eq!(pool.stats().connect_failures, 1);
}

#[test]
fn connecting_never_completes() {
    let (_server, pool) = faulty([Rule::blackhole()]);
    let error = fails(&pool, 300);
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, Some(Phase::Connect))
    );
}

#[test]
fn the_connect_timeout_is_a_limit_of_its_own() {
    let (_server, pool) = faulty([Rule::blackhole()]);
    let limits = CallLimits {
        connect_timeout: Duration::from_millis(100),
        ..limits(3000)
    };
    let start = Instant::now();
    let error = get(&pool, &limits, "k").unwrap_err();
    assert!(
        start.elapsed() < Duration::from_millis(100) + GRACE,
        "{error}"
    );
    assert_eq!(error.limit(), Some(Duration::from_millis(100)));
}

/// The exchanges before have left fifty milliseconds, in which nothing answers: two hundred is what the call took.
#[test]
fn a_connect_at_the_end_of_a_call_tells_how_long_the_call_took() {
    let (_server, pool) = faulty([Rule::blackhole()]);
    let [whole, spent] = [200, 150].map(Duration::from_millis);
    let deadline = Deadline::resumed(whole, spent);
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    let mut replies = Replies::new();
    let done = tagcache_client::call(&pool, &limits(200), &deadline, &commands, &mut replies);
    let error = done.unwrap_err();
    let Error::Timeout {
        phase: Phase::Connect,
        limit,
        elapsed,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(limit, whole);
    assert!(elapsed > spent && elapsed < whole + GRACE, "{elapsed:?}");
}

#[test]
fn a_handshake_taken_over_late_does_not_shorten_the_next_wait() {
    let (_server, pool) = faulty([Rule::blackhole()]);
    let patient = CallLimits {
        connect_timeout: Duration::from_millis(80),
        ..limits(3000)
    };
    for round in 0..6 {
        // The first leaves a handshake behind that has most of its time still to go, the others come later.
        let _ = get(
            &pool,
            &CallLimits {
                timeout: Duration::from_millis(10),
                ..patient
            },
            "k",
        );
        std::thread::sleep(Duration::from_millis(15 * round));
        let start = Instant::now();
        let error = get(&pool, &patient, "k").unwrap_err();
        let took = start.elapsed();
        assert_eq!(
            (error.kind(), error.phase()),
            (ErrorKind::Timeout, Some(Phase::Connect))
        );
        assert!(
            took >= Duration::from_millis(75),
            "round {round}: gave up after {took:?}"
        );
        assert!(
            took < Duration::from_millis(80) + GRACE,
            "round {round}: {took:?}"
        );
    }
}

#[test]
fn a_server_that_is_back_is_found_although_an_old_handshake_waits() {
    let (server, pool) = faulty([Rule::blackhole()]);
    let short = CallLimits {
        connect_timeout: Duration::from_secs(3),
        ..limits(400)
    };
    assert!(get(&pool, &short, "k").is_err());
    server.clear();
    std::thread::sleep(Duration::from_millis(20));
    // The kernel repeats the lost packet a second after the first, which is later than this call may last.
    assert_eq!(get(&pool, &short, "k").unwrap(), None);
}

#[test]
fn the_server_accepts_and_says_nothing() {
    let (_server, pool) = faulty([Rule::silent()]);
    let error = fails(&pool, 200);
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, Some(Phase::Read))
    );
}

#[test]
fn a_reply_stalls_at_each_byte() {
    for byte in 0..8 {
        let (server, pool) = faulty([]);
        put(&pool, "k", "v");
        server.add(Rule::stall(1).byte(byte).conn(0));
        assert_eq!(fails(&pool, 60).kind(), ErrorKind::Timeout, "byte {byte}");
        // What the stalled server still sends can't reach the next call.
        assert_eq!(
            get(&pool, &limits(2000), "k").unwrap().as_deref(),
            Some("v"),
            "byte {byte}"
        );
        assert_full_capacity(&pool);
    }
}

#[test]
fn a_dribbling_server_does_not_extend_the_deadline() {
    let (_server, pool) = faulty([Rule::dribble(Duration::from_millis(150), 0)]);
    let error = fails(&pool, 200);
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, Some(Phase::Read))
    );
}

/// A peer that reads nothing and sends one reply without an end, as fast as it can.
fn flood() -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let peer = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        // Until the client hangs up; if it does not, this much is enough.
        for _ in 0..(1 << 14) {
            if peer.write_all(&[b'x'; 64 << 10]).is_err() {
                return;
            }
        }
    });
    (addr, peer)
}

#[test]
fn a_flooding_server_does_not_extend_the_deadline() {
    let value = vec![b'x'; 12 << 20];
    let mut commands = Commands::new();
    commands
        .put(b"k", None, &TagList::new(), Value::Str(&value))
        .unwrap();
    let limits = CallLimits {
        max_reply_bytes: 1 << 30,
        ..limits(100)
    };
    for in_a_batch in [false, true, false, true] {
        let (addr, peer) = flood();
        let pool = pool(addr, 1);
        let start = Instant::now();
        let error = if in_a_batch {
            let fanout = Fanout::start(&pool, &limits, &commands, 1).unwrap();
            assert!(fanout.drive(Duration::MAX));
            failed(&fanout, 0).unwrap().kind()
        } else {
            let mut replies = Replies::new();
            let done = call(&pool, &limits, &commands, &mut replies);
            done.unwrap_err().kind()
        };
        let took = start.elapsed();
        assert_eq!(error, ErrorKind::Timeout);
        assert!(
            took < Duration::from_millis(100) + GRACE,
            "in a batch: {in_a_batch}, {took:?}"
        );
        drop(pool);
        peer.join().unwrap();
    }
}

#[test]
fn a_server_that_does_not_read_stops_a_large_put_at_the_deadline() {
    let (_server, pool) = faulty([Rule::noread()]);
    let value = vec![b'x'; 40 << 20];
    let mut start = Instant::now();
    let error = run(&pool, &limits(300), |c| {
        c.put(b"k", None, &TagList::new(), Value::Str(&value))
            .unwrap();
        start = Instant::now();
    })
    .unwrap_err();
    assert!(
        start.elapsed() < Duration::from_millis(300) + GRACE,
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        (error.kind(), error.phase()),
        (ErrorKind::Timeout, Some(Phase::Write))
    );
}

#[test]
fn the_connection_closes_or_resets_inside_a_reply() {
    for byte in 1..8 {
        for rule in [Rule::close(1), Rule::reset(1)] {
            let (server, pool) = faulty([]);
            put(&pool, "k", "v");
            server.add(rule.clone().byte(byte).conn(0));
            let error = fails(&pool, 2000);
            assert_eq!(
                error.kind(),
                ErrorKind::Connection,
                "{rule:?} at byte {byte}: {error}"
            );
            assert_eq!(pool.stats().retries, 0, "bytes of the reply had come");
            assert_full_capacity(&pool);
        }
    }
}

#[test]
fn a_read_is_sent_again_when_the_reused_connection_ends_before_its_reply() {
    for rule in [Rule::close(1), Rule::reset(1)] {
        let (server, pool) = faulty([]);
        put(&pool, "k", "v");
        server.add(rule.conn(0));
        assert_eq!(
            get(&pool, &limits(2000), "k").unwrap().as_deref(),
            Some("v")
        );
        assert_eq!((pool.stats().retries, server.peers_total()), (1, 2));
    }
}

#[test]
fn a_write_is_never_sent_again_after_its_bytes_were_accepted() {
    for rule in [Rule::close(1), Rule::reset(1)] {
        let (server, pool) = faulty([]);
        put(&pool, "k", "v");
        server.add(rule.conn(0));
        let outcome = run(&pool, &limits(2000), |c| {
            c.incr(b"n", 1, None, &TagList::new()).unwrap()
        });
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Connection);
        let arrived = server
            .log()
            .iter()
            .filter(|entry| entry.line.starts_with("INCR"))
            .count();
        assert_eq!((arrived, pool.stats().retries), (1, 0));
    }
}

#[test]
fn a_connection_that_the_server_closed_while_idle_is_replaced_unnoticed() {
    let (server, pool) = faulty([Rule::close_idle(0).conn(0)]);
    put(&pool, "k", "v");
    std::thread::sleep(Duration::from_millis(50));
    let replies = run(&pool, &limits(2000), |c| {
        c.incr(b"n", 1, None, &TagList::new()).unwrap()
    })
    .unwrap();
    assert_eq!(replies.get(0), Reply::Integer(1));
    let stats = pool.stats();
    assert_eq!(
        (stats.closed_stale, stats.retries, server.peers_total()),
        (1, 0, 2)
    );
}

#[test]
fn the_server_is_away_and_comes_back() {
    let (server, pool) = faulty([]);
    put(&pool, "k", "v");
    server.refuse();
    server.kick();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(fails(&pool, 1000).kind(), ErrorKind::Connection);
    server.accept();
    assert_eq!(
        get(&pool, &limits(1000), "k").unwrap().as_deref(),
        Some("v")
    );
    assert_full_capacity(&pool);
}

#[test]
fn garbage_is_a_protocol_error() {
    for text in [
        "\n",
        "VALUE\n",
        "OK\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "\u{0}\n",
        "NF \n",
        "VALUES\tx\n",
    ] {
        let (_server, pool) = faulty([Rule::replace(0, text)]);
        let error = fails(&pool, 1000);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{text:?}: {error}");
    }
}

#[test]
fn an_err_reply_is_a_reply_and_keeps_the_connection() {
    let (_server, pool) = faulty([Rule::replace(0, "ERR out of memory\n")]);
    let replies = run(&pool, &limits(1000), |c| c.get(b"k").unwrap()).unwrap();
    assert_eq!(replies.get(0), Reply::Error(b"out of memory"));
    assert_eq!(pool.stats().idle, 1);
}

#[test]
fn a_reply_past_the_limit_ends_the_connection() {
    let (_server, pool) = faulty([Rule::oversize(0, 3 << 20)]);
    let limits = CallLimits {
        max_reply_bytes: 1 << 20,
        ..limits(5000)
    };
    let error = get(&pool, &limits, "k").unwrap_err();
    assert!(
        matches!(error, Error::ReplyTooLarge { limit, .. } if limit == 1 << 20),
        "{error}"
    );
    assert_eq!(pool.stats().closed_broken, 1);
    // The limit is the reply's, not the buffer's: one byte less passes, one more does not.
    let (_server, pool) = faulty([
        Rule::oversize(0, 100).conn(0),
        Rule::oversize(0, 101).conn(1),
    ]);
    let limits = CallLimits {
        max_reply_bytes: 106,
        ..limits
    };
    assert_eq!(
        get(&pool, &limits, "k").unwrap().map(|v| v.len()),
        Some(100)
    );
    pool.drain();
    assert!(matches!(
        get(&pool, &limits, "k"),
        Err(Error::ReplyTooLarge { .. })
    ));
}

#[test]
fn a_surplus_line_voids_the_exchange() {
    let (_server, pool) = faulty([Rule::inject(1, "VALUE\tSTOLEN\n").conn(0)]);
    put(&pool, "evil", "a");
    let mut replies = Replies::new();
    let mut commands = Commands::new();
    for key in [&b"evil"[..], b"victim"] {
        commands.get(key).unwrap();
    }
    let error = call(&pool, &limits(1000), &commands, &mut replies).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(
        replies.is_empty(),
        "a reply of a voided exchange came out: {:?}",
        replies.get(0)
    );
    assert_eq!((pool.stats().idle, pool.stats().closed_broken), (0, 1));
    assert_full_capacity(&pool);
}

#[test]
fn a_forged_closing_line_does_not_help() {
    // Everything that a stored value can contain, the server's own words included, but not our nonce.
    let stolen = "VALUE\tSTOLEN\nERR unknown_command\nNF\nVALUE\t1\n";
    let (server, pool) = faulty([Rule::inject(0, stolen).conn(1)]);
    let batch = |c: &mut Commands| {
        c.get(b"evil").unwrap();
        c.get(b"victim").unwrap();
    };
    // Undisturbed first, as the fault ends the other exchange before the server has read all of it.
    run(&pool, &limits(1000), batch).unwrap();
    let sent: Vec<_> = server.log().into_iter().map(|entry| entry.line).collect();
    assert!(
        sent.last().unwrap().starts_with("INCR\t__tc_seal:"),
        "{sent:?}"
    );
    pool.drain();
    let outcome = run(&pool, &limits(1000), batch);
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Protocol);
}

#[test]
fn a_batch_of_reads_that_breaks_off_gives_nothing_unsealed_away() {
    let (_server, pool) = faulty([Rule::close(2)]);
    let mut commands = Commands::new();
    for key in [&b"a"[..], b"b", b"c"] {
        commands.get(key).unwrap();
    }
    let mut replies = Replies::new();
    assert!(call(&pool, &limits(1000), &commands, &mut replies).is_err());
    assert!(replies.is_empty());
}

#[test]
fn a_surplus_line_that_comes_late_is_found_at_the_next_check_out() {
    let (_server, pool) =
        faulty([Rule::inject_after(0, "VALUE\tSTOLEN\n", Duration::from_millis(10)).conn(0)]);
    put(&pool, "k", "v");
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(
        get(&pool, &limits(1000), "k").unwrap().as_deref(),
        Some("v")
    );
    assert_eq!(get(&pool, &limits(1000), "victim").unwrap(), None);
    assert_eq!(pool.stats().closed_stale, 1);
}

#[test]
fn what_had_arrived_before_the_connection_broke_is_kept() {
    let (_server, pool) = faulty([Rule::close(2)]);
    let mut commands = Commands::new();
    for n in 0..5 {
        commands
            .incr(format!("n{n}").as_bytes(), 1, None, &TagList::new())
            .unwrap();
    }
    let mut replies = Replies::new();
    let error = call(&pool, &limits(1000), &commands, &mut replies).unwrap_err();
    assert!(
        matches!(
            error,
            Error::PeerClosed {
                done: 2,
                expected: 5,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(replies.len(), 2);
}

/// The server answers out of step and hangs up while commands are still being sent. That sending failed is no reason
/// to trust what had come before.
#[test]
fn a_line_out_of_step_beats_a_broken_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let pool = pool(listener.local_addr().unwrap(), 1);
    let server = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"OK\nVALUES\tx\n").unwrap();
    });
    // Checked out by hand, so that all of it has come before the first byte is sent.
    let deadline = Deadline::after(Duration::from_secs(5));
    drop(pool.check_out(&limits(5000), &deadline).unwrap());
    server.join().unwrap();
    let large = vec![b'x'; 32 << 20];
    let mut commands = Commands::new();
    let none = TagList::new();
    for value in [&b"small"[..], &large, &large] {
        commands.put(b"k", None, &none, Value::Str(value)).unwrap();
    }
    let unseen = CallLimits {
        probe_after: Duration::from_secs(60),
        ..limits(5000)
    };
    let mut replies = Replies::new();
    let error = call(&pool, &unseen, &commands, &mut replies).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert_eq!(replies.len(), 0, "a reply that can't be trusted");
}
