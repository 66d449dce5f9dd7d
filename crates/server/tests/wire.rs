//! How bytes travel: lines in any pieces, replies in order and whole, ends of streams.

mod support;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use support::Peer;
use tagcached::proto::execute;
use tagcached::store::{OnFull, Store};
use tagcached::{Config, Server};

fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

#[test]
fn a_request_may_come_in_any_two_pieces() {
    let server = server();
    let request = "PUT\tk\u{fc}\t-\ta,b\tsome \u{2713} value\nGET\tk\u{fc}\nKEYS\tb\r\n".as_bytes();
    let reply = "OK\nVALUE\tsome \u{2713} value\nKEYS\tk\u{fc}\n".as_bytes();
    for cut in 0..=request.len() {
        let mut peer = Peer::connect(server.addr());
        peer.send(&request[..cut]);
        thread::sleep(Duration::from_millis(1));
        peer.send(&request[cut..]);
        assert_eq!(peer.bytes(reply.len()), reply, "cut at {cut}");
    }
}

#[test]
fn a_reply_comes_in_one_piece() {
    let server = server();
    let mut peer = Peer::connect(server.addr());
    assert_eq!(peer.ask("PUT\tseg\t-\t-\tabc"), "OK");
    for _ in 0..2000 {
        peer.send("GET\tseg\n");
        let mut reply = [0; 64];
        let n = peer.stream.read(&mut reply).unwrap();
        assert_eq!(&reply[..n], b"VALUE\tabc\n");
    }
}

#[test]
fn a_long_pipeline_is_answered_in_order() {
    const KEYS: usize = 50_000;
    let server = server();
    let mut peer = Peer::connect(server.addr());
    let mut sender = peer.stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        let puts: String = (0..KEYS)
            .map(|n| format!("PUT\tk{n}\t-\tt{}\tv{n}\n", n % 7))
            .collect();
        let gets: String = (0..KEYS)
            .map(|n| format!("GET\tk{n}\nGET\tno{n}\n"))
            .collect();
        sender.write_all(puts.as_bytes()).unwrap();
        sender.write_all(gets.as_bytes()).unwrap();
    });
    for n in 0..KEYS {
        assert_eq!(peer.line(), "OK", "put {n}");
    }
    for n in 0..KEYS {
        assert_eq!(peer.line(), format!("VALUE\tv{n}"));
        assert_eq!(peer.line(), "NF");
    }
    writing.join().unwrap();
    server.store().check().unwrap();
}

/// Lines that get a buffer of their own, between others and at the end of the stream.
#[test]
fn long_lines_do_what_short_ones_do() {
    let value = |size: usize| "v\u{fc}".repeat(size / 3);
    let list = || {
        (0..100_000)
            .map(|n| format!("k{n:0>90},"))
            .collect::<String>()
    };
    let lines = [
        format!("PUT\ta\t-\tt\t{}", value(12 << 20)),
        format!("PUT\tb\t-\tt\t{}\r", value(1 << 20)),
        "GET\ta".into(),
        format!("ADD\ta\t-\t-\t{}", value(1 << 20)),
        format!("ADD\tc\t60000\tt,u\tx\t{}", value(9 << 20)),
        format!("PUT\tk{:0>90}\t-\tk{:0>90},t\tv", 7, 3),
        "GET\tc".into(),
        format!("PUT\ta\t-\tt\t{}", value(2 << 20)),
        "KEYS\tu".into(),
        "GET\tb".into(),
        format!("PUT\twide\t-\t{}t\t{}", list(), value(1 << 20)),
        "GET\twide".into(),
        format!("INV_KEYS\t{}b", list()),
        format!("INV_TAGS_ALL\t{}t\tignored", list()),
        format!("INV_TAGS_ANY\t{}u", list()),
        format!("NONSENSE\t{}", value(9 << 20)),
        value(9 << 20),
        "GET\tc".into(),
        "INV_TAG\tt".into(),
        format!("PUT\tlast\t-\t-\t{}", value(15 << 20)),
    ];
    let alone = Store::new(1 << 30, OnFull::Evict);
    let mut expected = Vec::new();
    for line in &lines {
        execute(&alone, line.as_bytes(), alone.now(), &mut expected);
    }
    let server = server();
    let mut peer = Peer::connect(server.addr());
    let mut sender = peer.stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        sender.write_all(lines.join("\n").as_bytes()).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    let reply = peer.bytes(expected.len());
    assert!(reply == expected);
    writing.join().unwrap();
    server.store().check().unwrap();
    assert_eq!(server.store().len(), alone.len());
}

#[test]
fn a_pipeline_with_a_half_close_is_answered_to_its_end() {
    const REQUESTS: usize = 30_000;
    let config = Config {
        threads: 1,
        max_output_bytes: 1,
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    for _ in 0..3 {
        let mut peer = Peer::connect(server.addr());
        let mut sender = peer.stream.try_clone().unwrap();
        let writing = thread::spawn(move || {
            sender
                .write_all("GET\tk\n".repeat(REQUESTS).as_bytes())
                .unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        assert_eq!(peer.rest().len(), REQUESTS * 3);
        writing.join().unwrap();
    }
    support::eventually("all are gone", || server.connections() == 0);
}

#[test]
fn values_of_all_sizes_come_back() {
    let server = server();
    let mut peer = Peer::connect(server.addr());
    for size in [
        0,
        1,
        8191,
        8192,
        65_535,
        131_071,
        131_072,
        131_073,
        1 << 20,
        20 << 20,
    ] {
        let value: Vec<u8> = (0..size).map(|n| b'a' + (n % 23) as u8).collect();
        peer.send([b"PUT\tk\t-\t-\t", &*value, b"\n"].concat());
        assert_eq!(peer.line(), "OK");
        peer.send("GET\tk\nGET\tabsent\n");
        assert_eq!(peer.bytes(6), b"VALUE\t");
        assert!(peer.bytes(size) == value, "{size} bytes");
        assert_eq!(peer.bytes(4), b"\nNF\n");
    }
}

#[test]
fn what_is_not_utf_8_ends_the_connection_after_the_replies_before_it() {
    let server = server();
    for bad in ["PUT\tk\t-\t-\t\u{0}".as_bytes(), b"", b"GET\tk\n\n"] {
        let mut peer = Peer::connect(server.addr());
        peer.send(
            [
                b"PUT\tok\t-\t-\t1\nGET\tok\n",
                bad,
                b"\xc3\x28\nPUT\tlate\n",
            ]
            .concat(),
        );
        let mut reply = b"OK\nVALUE\t1\n".to_vec();
        if bad.ends_with(b"\n") {
            reply.extend_from_slice(b"NF\n");
        }
        assert_eq!(peer.rest(), reply);
    }
    assert_eq!(Peer::connect(server.addr()).ask("GET\tlate"), "NF");
}

#[test]
fn a_character_may_be_cut_but_not_missing() {
    let server = server();
    let mut peer = Peer::connect(server.addr());
    peer.send(b"PUT\tk\t-\t-\t\xe2\x9c");
    thread::sleep(Duration::from_millis(20));
    peer.send(b"\x93\n");
    assert_eq!(peer.line(), "OK");
    peer.send(b"GET\tk\xe2\x9c");
    peer.finish();
    assert_eq!(peer.rest(), b"");
}

#[test]
fn many_connections_at_once_get_their_own_replies() {
    let server = server();
    thread::scope(|scope| {
        for t in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let mut peers: Vec<Peer> = (0..20).map(|_| Peer::connect(server.addr())).collect();
                for round in 0..20 {
                    for (p, peer) in peers.iter_mut().enumerate() {
                        peer.send(format!(
                            "PUT\t{t}.{p}\t-\t-\t{t}.{p}.{round}\nGET\t{t}.{p}\n"
                        ));
                    }
                    for (p, peer) in peers.iter_mut().enumerate() {
                        assert_eq!(peer.line(), "OK");
                        assert_eq!(peer.line(), format!("VALUE\t{t}.{p}.{round}"));
                    }
                }
            });
        }
    });
    support::eventually("all are gone", || server.connections() == 0);
}

#[test]
fn stopping_closes_every_connection_and_frees_the_address() {
    let first = server();
    let addr = first.addr();
    let mut peer = Peer::connect(addr);
    assert_eq!(peer.ask("PUT\tk\t-\t-\tv"), "OK");
    first.stop();
    assert_eq!(peer.rest(), b"");
    let second = Server::start(Config {
        listen: Some(addr),
        ..Config::default()
    })
    .unwrap();
    assert_eq!(Peer::connect(second.addr()).ask("GET\tk"), "NF");
}

#[test]
fn a_unix_socket_serves_the_same_and_goes_with_the_server() {
    let path = std::env::temp_dir().join(format!("tagcached-wire-{}.sock", std::process::id()));
    let config = Config {
        unix: Some(path.clone()),
        ..Config::default()
    };
    let server = Server::start(config.clone()).unwrap();
    let busy = Server::start(config.clone()).unwrap_err();
    assert!(
        busy.to_string().contains("another server listens there"),
        "{busy}"
    );
    assert_eq!(Peer::connect(server.addr()).ask("PUT\tk\t-\t-\tv"), "OK");
    let mut unix = UnixStream::connect(&path).unwrap();
    unix.write_all(b"GET\tk\n").unwrap();
    let mut reply = [0; 8];
    unix.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"VALUE\tv\n");
    drop(server);
    assert!(!path.exists());
    std::fs::write(&path, "not a socket").unwrap();
    let other = Server::start(config).unwrap_err();
    assert!(other.to_string().contains("not a socket"), "{other}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a socket");
    std::fs::remove_file(&path).unwrap();
}
