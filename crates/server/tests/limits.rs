//! The limits: what is over one is refused clearly, and the server goes on.

mod support;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Peer, eventually};
use tagcached::{Config, OnFull, Server};

fn server(config: Config) -> Server {
    Server::start(config).unwrap()
}

#[test]
fn an_over_long_line_is_answered_and_skipped() {
    let server = server(Config {
        max_line_bytes: 1000,
        ..Config::default()
    });
    let mut peer = Peer::connect(server.addr());
    let fits = format!("PUT\tk\t-\t-\t{}", "x".repeat(1000 - 10));
    assert_eq!(fits.len(), 1000);
    assert_eq!(peer.ask(&fits), "OK");
    assert_eq!(peer.ask(&format!("{fits}y")), "ERR line_too_long");
    // In pieces, far over the limit, and the replies around it in order.
    peer.send("GET\tk\nPUT\tk\t-\t-\t");
    for _ in 0..50 {
        peer.send("z".repeat(50_000));
    }
    peer.send("\nGET\tabsent\n");
    assert_eq!(peer.line().len(), 6 + 990);
    assert_eq!(peer.line(), "ERR line_too_long");
    assert_eq!(peer.line(), "NF");
    // Unterminated at the end of the stream.
    peer.send("z".repeat(300_000));
    peer.finish();
    assert_eq!(peer.rest(), b"ERR line_too_long\n");
}

#[test]
fn one_connection_too_many_is_told_so() {
    let server = server(Config {
        max_connections: 3,
        ..Config::default()
    });
    let mut peers: Vec<Peer> = (0..3).map(|_| Peer::connect(server.addr())).collect();
    for peer in &mut peers {
        assert_eq!(peer.ask("GET\tk"), "NF");
    }
    assert_eq!(
        Peer::connect(server.addr()).rest(),
        b"ERR too_many_connections\n"
    );
    assert_eq!(peers[0].ask("GET\tk"), "NF");
    peers.pop();
    eventually("a place is free", || server.connections() == 2);
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "NF");
}

/// Longer than a connection has to be idle before it makes room.
const LONG_IDLE: Duration = Duration::from_millis(1100);

#[test]
fn when_all_places_are_taken_the_oldest_idle_one_makes_room() {
    let server = server(Config {
        max_connections: 3,
        threads: 2,
        ..Config::default()
    });
    let mut peers: Vec<Peer> = (0..3).map(|_| Peer::connect(server.addr())).collect();
    for peer in &mut peers {
        assert_eq!(peer.ask("GET\tk"), "NF");
    }
    std::thread::sleep(LONG_IDLE);
    for used in [0, 2] {
        assert_eq!(peers[used].ask("GET\tk"), "NF");
    }
    let mut new = Peer::connect(server.addr());
    assert_eq!(new.ask("GET\tk"), "NF");
    assert_eq!(peers[1].rest(), b"", "closed in order, with nothing said");
    for used in [0, 2] {
        assert_eq!(peers[used].ask("GET\tk"), "NF");
    }
    // All were busy a moment ago.
    assert_eq!(
        Peer::connect(server.addr()).rest(),
        b"ERR too_many_connections\n"
    );
    assert_eq!(server.connections(), 3);
}

#[test]
fn who_sends_no_line_and_who_reads_no_reply_make_room_as_well() {
    let server = server(Config {
        max_connections: 2,
        threads: 1,
        ..Config::default()
    });
    let mut deaf = Peer::connect(server.addr());
    assert_eq!(
        deaf.ask(&format!("PUT\tk\t-\t-\t{}", "v".repeat(1 << 20))),
        "OK"
    );
    deaf.send("GET\tk\n".repeat(100));
    let mut slow = Peer::connect(server.addr());
    slow.send("GET\t");
    for _ in 0..12 {
        std::thread::sleep(LONG_IDLE / 12);
        slow.send("k");
    }
    let mut news: Vec<Peer> = (0..2).map(|_| Peer::connect(server.addr())).collect();
    for new in &mut news {
        assert_eq!(new.ask("GET\tabsent"), "NF");
    }
    assert!(deaf.rest().len() < 100 << 20);
}

#[test]
fn an_idle_connection_is_closed_after_the_timeout() {
    let timeout = Duration::from_millis(300);
    let server = server(Config {
        idle_timeout: Some(timeout),
        ..Config::default()
    });
    let mut idle = Peer::connect(server.addr());
    let mut busy = Peer::connect(server.addr());
    let start = Instant::now();
    assert_eq!(idle.ask("GET\tk"), "NF");
    while start.elapsed() < timeout * 2 {
        assert_eq!(busy.ask("GET\tk"), "NF");
        std::thread::sleep(timeout / 20);
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(idle.rest(), b"");
    drop(busy);
    let start = Instant::now();
    assert_eq!(Peer::connect(server.addr()).rest(), b"");
    let waited = start.elapsed();
    assert!(waited >= timeout && waited < timeout * 4, "{waited:?}");
}

#[test]
fn full_memory_evicts_what_was_not_used() {
    let server = server(Config {
        max_memory_bytes: 256 << 10,
        ..Config::default()
    });
    let mut peer = Peer::connect(server.addr());
    let value = "v".repeat(1000);
    assert_eq!(peer.ask(&format!("PUT\thot\t-\tt\t{value}")), "OK");
    for n in 0..2000 {
        assert_eq!(peer.ask(&format!("PUT\tk{n}\t-\tt\t{value}")), "OK");
        assert!(
            peer.ask("GET\thot").starts_with("VALUE"),
            "the entry in use went at {n}"
        );
    }
    assert_eq!(peer.ask("GET\tk0"), "NF");
    assert!(peer.ask("GET\tk1999").starts_with("VALUE"));
    let store = server.store();
    assert!(store.used_bytes() <= 256 << 10);
    assert!(store.len() > 100, "only {} entries are left", store.len());
    assert_eq!(peer.ask("KEYS\tt").split(',').count(), store.len());
    store.check().unwrap();
    let huge = "v".repeat(300 << 10);
    assert_eq!(
        peer.ask(&format!("PUT\thuge\t-\t-\t{huge}")),
        "ERR out_of_memory"
    );
    assert!(peer.ask("GET\thot").starts_with("VALUE"));
}

#[test]
fn full_memory_refuses_when_told_to() {
    let config = Config {
        max_memory_bytes: 64 << 10,
        on_full: OnFull::Error,
        ..Config::default()
    };
    let server = server(config);
    let mut peer = Peer::connect(server.addr());
    let value = "v".repeat(1000);
    let put = |n| format!("PUT\tk{n}\t-\t-\t{value}");
    let stored = (0..).take_while(|n| peer.ask(&put(*n)) == "OK").count();
    assert!((30..64).contains(&stored), "{stored} entries");
    assert_eq!(peer.ask(&put(stored)), "ERR out_of_memory");
    assert!(
        peer.ask("GET\tk0").starts_with("VALUE"),
        "nothing is evicted"
    );
    assert_eq!(peer.ask(&put(0)), "OK", "replacing needs no room");
    assert_eq!(peer.ask("DEL\tk0"), "DEL ok");
    assert_eq!(peer.ask(&put(stored)), "OK");
}

#[test]
fn expired_entries_are_swept_unasked() {
    let config = Config {
        sweep_interval: Duration::from_millis(5),
        ..Config::default()
    };
    let server = server(config);
    let mut peer = Peer::connect(server.addr());
    peer.ask("PUT\tstays\t-\tt\tv");
    for n in 0..5000 {
        peer.send(format!("PUT\tk{n}\t20\tt\tv\n"));
    }
    for _ in 0..5000 {
        assert_eq!(peer.line(), "OK");
    }
    eventually("all expired entries are gone", || server.store().len() == 1);
    assert_eq!(peer.ask("KEYS\tt"), "KEYS\tstays");
    server.store().check().unwrap();
}

#[test]
fn who_does_not_read_is_not_read_and_gets_all_later() {
    let config = Config {
        max_output_bytes: 64 << 10,
        threads: 1,
        ..Config::default()
    };
    let server = server(config);
    let mut other = Peer::connect(server.addr());
    let value = "v".repeat(100);
    assert_eq!(other.ask(&format!("PUT\tk\t-\t-\t{value}")), "OK");

    let mut stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let requests = "GET\tk\n".repeat(10_000);
    let mut written = 0;
    let mut idle_since = Instant::now();
    // Until nothing was taken for a while. What the kernel holds is a few megabytes.
    while idle_since.elapsed() < Duration::from_millis(300) {
        match stream.write(&requests.as_bytes()[written % requests.len()..]) {
            Ok(n) => {
                written += n;
                idle_since = Instant::now();
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(e) => panic!("{e}"),
        }
        assert!(written < 32 << 20, "the server takes requests without end");
        assert_eq!(other.ask("GET\tabsent"), "NF", "others are served");
    }
    let expected = written / 6 * (6 + 100 + 1);
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let mut got = 0;
    let mut chunk = vec![0; 1 << 20];
    // All replies in full: reading one too few leaves the server stuck, and this times out.
    while got < expected {
        got += stream.read(&mut chunk).unwrap();
    }
    assert_eq!(got, expected);
}

struct Process(Child, SocketAddr);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the binary with at most `files` descriptors.
fn with_files(files: usize) -> Process {
    let command = format!("ulimit -n {files}; exec \"$0\" --listen 127.0.0.1:0 --threads 1");
    let mut child = Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_tagcached")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let addr = line
        .trim()
        .strip_prefix("tagcached listening on ")
        .unwrap()
        .parse()
        .unwrap();
    Process(child, addr)
}

/// Processor time of a process so far, in clock ticks (10 ms).
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn out_of_file_descriptors_it_stays_up_and_idle() {
    let process = with_files(24);
    let mut peers: Vec<Peer> = Vec::new();
    let mut turned_away = 0;
    for _ in 0..60 {
        let mut peer = Peer::connect(process.1);
        // One that is turned away may be reset when the request arrives after the close.
        let sent = peer.stream.write_all(b"GET\tk\n");
        let reply = sent.and_then(|()| peer.arrives_within(support::PATIENCE));
        match reply.as_deref() {
            Ok(b"NF\n") => peers.push(peer),
            Ok(b"ERR too_many_connections\n") | Err(_) => turned_away += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(peers.len() >= 5, "{} served", peers.len());
    assert!(turned_away >= 60 - 24, "{turned_away} turned away");
    assert_eq!(peers[0].ask("GET\tk"), "NF", "those who are in are served");
    let before = ticks(process.0.id());
    std::thread::sleep(Duration::from_millis(500));
    let burnt = ticks(process.0.id()) - before;
    assert!(burnt < 5, "{burnt} ticks of processor time while idle");
    drop(peers);
    eventually("new connections are served again", || {
        let mut peer = Peer::connect(process.1);
        let sent = peer.stream.write_all(b"GET\tk\n");
        let reply = sent.and_then(|()| peer.arrives_within(support::PATIENCE));
        reply.is_ok_and(|reply| reply == b"NF\n")
    });
}
