//! Each rule of the fault server, seen from the peer.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use support::{Peer, eventually};
use tagcached::fault::{FaultConfig, FaultServer, Nth, Rule};

const A_WHILE: Duration = Duration::from_millis(60);

fn start(rule: &str) -> (FaultServer, Peer) {
    let server = FaultServer::start([rule.parse().unwrap()]).unwrap();
    let peer = Peer::connect(server.addr());
    (server, peer)
}

fn put(peer: &mut Peer) {
    assert_eq!(peer.ask("PUT\tk\t-\tt\tvalue"), "OK");
}

#[test]
fn without_rules_it_is_a_tagcached() {
    let server = FaultServer::start([]).unwrap();
    let mut peer = Peer::connect(server.addr());
    put(&mut peer);
    peer.send("GET\tk\n\nKEYS\tt\r\nINCR\tn\t5\nFOO\nGET\tk");
    peer.finish();
    let replies = "VALUE\tvalue\nKEYS\tk\nVALUE\t5\nERR unknown_command\nVALUE\tvalue\n";
    assert_eq!(peer.rest(), replies.as_bytes());
    let log: Vec<String> = server.log().into_iter().map(|entry| entry.line).collect();
    assert_eq!(log[0], "PUT\tk\t-\tt\tvalue");
    assert_eq!(
        log[1..],
        ["GET\tk", "", "KEYS\tt\r", "INCR\tn\t5", "FOO", "GET\tk"]
    );
    assert!(server.log().is_empty(), "the log is given once");
    assert_eq!((server.replies(), server.peers_total()), (6, 1));
}

#[test]
fn stall_leaves_the_connection_open_and_read() {
    let (server, mut peer) = start("stall:reply=1,byte=3");
    put(&mut peer);
    peer.send("GET\tk\n");
    assert_eq!(peer.bytes(3), b"VAL");
    peer.send("PUT\tlate\n");
    assert_eq!(peer.arrives_within(A_WHILE).unwrap(), b"");
    eventually("it reads on", || server.store().len() == 2);
    assert_eq!(server.peers(), 1);
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "VALUE\tvalue");
}

#[test]
fn dribble_sends_byte_by_byte() {
    let (_server, mut peer) = start("dribble:ms=3,reply=1");
    put(&mut peer);
    let start = Instant::now();
    assert_eq!(peer.ask("GET\tk"), "VALUE\tvalue");
    assert!(start.elapsed() >= Duration::from_millis(12 * 3));
    assert_eq!(peer.ask("GET\tk"), "VALUE\tvalue");
    assert!(start.elapsed() >= Duration::from_millis(24 * 3));
}

#[test]
fn delay_answers_late() {
    let (_server, mut peer) = start("delay:ms=60,reply=1");
    let start = Instant::now();
    put(&mut peer);
    let first = start.elapsed();
    assert_eq!(peer.ask("GET\tk"), "VALUE\tvalue");
    assert!(start.elapsed() - first >= Duration::from_millis(60));
}

#[test]
fn close_ends_in_order_even_with_requests_unread() {
    let (server, mut peer) = start("close:reply=1,byte=4");
    peer.send("PUT\tk\t-\t-\tv\nGET\tk\n".to_owned() + &"GET\tk\n".repeat(30_000));
    assert_eq!(peer.rest(), b"OK\nVALU");
    std::thread::sleep(A_WHILE);
    let error = peer.stream.take_error().unwrap();
    assert!(error.is_none(), "a reset came behind the end: {error:?}");
    eventually("it is gone", || server.peers() == 0);
}

#[test]
fn close_idle_ends_after_a_whole_reply() {
    let (_server, mut peer) = start("close_idle:after=0");
    put(&mut peer);
    assert_eq!(peer.rest(), b"");
}

#[test]
fn reset_resets() {
    let (_server, mut peer) = start("reset:reply=1");
    put(&mut peer);
    peer.send("GET\tk\n");
    let error = peer.stream.read(&mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn replies_can_be_replaced_added_to_and_blown_up() {
    let server = FaultServer::start([
        Rule::replace(0, "NO\n"),
        Rule::inject(1, "VALUE\tSTOLEN\n"),
        Rule::inject_after(2, "LATE\n", Duration::from_millis(40)),
        Rule::oversize(3, 100_000),
    ])
    .unwrap();
    let mut peer = Peer::connect(server.addr());
    assert_eq!(peer.ask("GET\tk"), "NO");
    peer.send("GET\tk\n");
    let mut chunk = [0; 64];
    let n = peer.stream.read(&mut chunk).unwrap();
    assert_eq!(&chunk[..n], b"NF\nVALUE\tSTOLEN\n", "both in one segment");
    let start = Instant::now();
    assert_eq!(peer.ask("GET\tk"), "NF");
    assert_eq!(peer.line(), "LATE");
    assert!(start.elapsed() >= Duration::from_millis(40));
    assert_eq!(
        peer.ask("GET\tk"),
        format!("VALUE\t{}", "x".repeat(100_000))
    );
    assert_eq!(peer.ask("GET\tk"), "NF");
}

#[test]
fn selectors_narrow_a_rule() {
    let server = FaultServer::start([
        Rule::replace(0, "first get\n").verb("get").conn(1),
        Rule::replace(Nth::Every, "twice\n").verb("DEL").times(2),
    ])
    .unwrap();
    let mut zero = Peer::connect(server.addr());
    assert_eq!(zero.ask("GET\tk"), "NF");
    let mut one = Peer::connect(server.addr());
    assert_eq!(one.ask("PUT\tk"), "OK");
    assert_eq!(one.ask("GET\tk"), "first get");
    assert_eq!(one.ask("GET\tk"), "VALUE\t");
    assert_eq!([zero.ask("DEL\tx"), one.ask("DEL\tx")], ["twice", "twice"]);
    assert_eq!(zero.ask("DEL\tx"), "DEL nf");
}

#[test]
fn silent_and_noread_take_requests_and_never_answer() {
    let (server, mut peer) = start("silent:times=1");
    peer.send("PUT\tk\n");
    assert_eq!(peer.arrives_within(A_WHILE).unwrap(), b"");
    eventually("it was executed", || server.store().len() == 1);
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "VALUE\t");

    let (server, peer) = start("noread:conn=0");
    peer.stream.set_nonblocking(true).unwrap();
    let mut stream = &peer.stream;
    let start = Instant::now();
    let mut full = false;
    while !full && start.elapsed() < support::PATIENCE {
        full = stream
            .write(&[b'x'; 65_536])
            .is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
    }
    assert!(full, "the window never filled");
    assert!(server.log().is_empty());
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "NF");
}

#[test]
fn refuse_and_accept_on_the_same_port() {
    let server = FaultServer::start([]).unwrap();
    let mut old = Peer::connect(server.addr());
    for _ in 0..3 {
        server.refuse();
        let error = TcpStream::connect(server.addr()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(old.ask("GET\tk"), "NF", "live connections stay");
        server.accept();
        assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "NF");
    }
    server.add(Rule::refuse().conn(5));
    let _fifth = Peer::connect(server.addr());
    eventually("refused from the fifth on", || {
        TcpStream::connect(server.addr()).is_err()
    });
    server.clear();
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "NF");
}

#[test]
fn in_a_blackhole_connecting_never_completes() {
    let (server, peer) = {
        let server = FaultServer::start([]).unwrap();
        let peer = Peer::connect(server.addr());
        (server, peer)
    };
    let mut peer = peer;
    assert_eq!(peer.ask("GET\tk"), "NF");
    server.add(Rule::blackhole());
    for _ in 0..3 {
        let wait = Duration::from_millis(150);
        let error = TcpStream::connect_timeout(&server.addr(), wait).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
    assert_eq!(peer.ask("GET\tk"), "NF", "live connections stay");
    server.clear();
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "NF");
    assert_eq!(server.peers_max(), 2, "what filled the queue is no peer");
}

#[test]
fn kick_closes_whoever_is_there_whatever_it_waits_for() {
    let rules = [
        "stall:reply=0,conn=0",
        "delay:ms=60000,conn=1",
        "noread:conn=2",
    ];
    let server = FaultServer::start(rules.map(|rule| rule.parse().unwrap())).unwrap();
    let mut peers: Vec<Peer> = (0..4).map(|_| Peer::connect(server.addr())).collect();
    for peer in &mut peers {
        peer.send("GET\tk\n");
    }
    assert_eq!(peers[3].line(), "NF");
    eventually("all are accepted", || server.peers() == 4);
    server.kick();
    assert_eq!(
        (server.peers(), server.peers_max(), server.peers_total()),
        (0, 4, 4)
    );
    for peer in &mut peers {
        // The one that was not read is reset.
        let end = peer.stream.read(&mut [0; 9]);
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
        assert!(!end.is_err_and(|e| e.kind() == ErrorKind::WouldBlock));
    }
    assert_eq!(Peer::connect(server.addr()).ask("GET\tk"), "NF");
}

#[test]
fn on_a_unix_socket_with_echoed_keys() {
    let path = std::env::temp_dir().join(format!("tagcached-fault-{}.sock", std::process::id()));
    let config = FaultConfig {
        unix: Some(path.clone()),
        echo_keys: true,
        ..FaultConfig::default()
    };
    let server = FaultServer::start_with(config, [Rule::close(2)]).unwrap();
    assert_eq!(server.addr(), SocketAddr::from(([0, 0, 0, 0], 0)));
    let mut unix = UnixStream::connect(&path).unwrap();
    unix.write_all(b"PUT\tk\t-\t-\tv\nGET\tk\nGET\tother\n")
        .unwrap();
    let mut replies = String::new();
    unix.read_to_string(&mut replies).unwrap();
    assert_eq!(replies, "OK\nVALUE\tv\n");
    let mut unix = UnixStream::connect(&path).unwrap();
    unix.write_all(b"GET\tother\n").unwrap();
    let mut reply = [0; 12];
    unix.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"VALUE\tother\n");
    server.refuse();
    let error = UnixStream::connect(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    server.accept();
    UnixStream::connect(&path).unwrap();
    drop(server);
    assert!(!path.exists());
}

#[test]
fn a_fault_server_that_ends_leaves_the_socket_of_its_successor() {
    let path = std::env::temp_dir().join(format!("tagcached-next-{}.sock", std::process::id()));
    let start = || {
        let config = FaultConfig {
            unix: Some(path.clone()),
            ..FaultConfig::default()
        };
        FaultServer::start_with(config, []).unwrap()
    };
    let old = start();
    std::fs::remove_file(&path).unwrap();
    let new = start();
    drop(old);
    UnixStream::connect(&path).unwrap();
    drop(new);
    assert!(!path.exists());
}
