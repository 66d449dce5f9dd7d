//! Replays the recording of the real server and compares every reply byte for byte.
//!
//! Free is only the order of the keys in a `KEYS` reply. The deliberate differences are listed in
//! [`DIFFERENCES`] and, with their reasons, in `docs/server.md`.

mod support;

use std::collections::HashMap;
use std::thread::sleep;
use std::time::Duration;

use support::Peer;
use tagcached::{Config, Server};

const TRANSCRIPT: &str = include_str!("data/transcript.txt");

/// Exchanges in which `tagcached` answers otherwise: section, request, our reply. All are one
/// matter: there, an entry that was removed by one tag stays listed under its other tags.
const DIFFERENCES: &[(&str, &[u8], &[u8])] = &[
    (
        "stale tag index after INV_TAG then re-PUT without tag",
        b"KEYS\tB\n",
        b"KEYS\t\n",
    ),
    (
        "stale tag index after INV_TAG then re-PUT without tag",
        b"INV_TAG\tB\n",
        b"INV_TAG\t0\n",
    ),
    (
        "stale tag index after INV_TAG then re-PUT without tag",
        b"GET\ts1\n",
        b"VALUE\tnew\n",
    ),
];

/// The recording waited before these: request, which occurrence of it, milliseconds.
const PAUSES: &[(&[u8], usize, u64)] = &[
    (b"GET\tttl\n", 12, 15),
    (b"GET\tttl50\n", 2, 70),
    (b"ADD\tad2\t-\t-\tw\n", 1, 10),
    (b"INCR\tit\n", 1, 40),
    (b"INCR\tit2\n", 1, 45),
    (b"GET\tit2\n", 1, 45),
];

/// What a request is about to be in time for: a reply to these that does not match may be the
/// machine's delay, so the replay starts over.
const IN_TIME: &[&[u8]] = &[
    b"GET\tttl50\n",
    b"KEYS\ttA\n",
    b"INCR\tit2\n",
    b"GET\tit2\n",
    b"KEYS\tr\n",
];

#[derive(Debug)]
enum Step {
    Section(String),
    Refill,
    Exchange {
        request: Vec<u8>,
        fin: bool,
        reply: Vec<u8>,
        closed: bool,
        comment: String,
    },
}

#[test]
fn every_reply_is_the_recorded_one() {
    let steps = parse(TRANSCRIPT);
    let exchanges = steps
        .iter()
        .filter(|s| matches!(s, Step::Exchange { .. }))
        .count();
    assert_eq!(
        exchanges,
        TRANSCRIPT
            .lines()
            .filter(|line| line.starts_with("C: "))
            .count()
    );
    assert!(
        exchanges > 190,
        "only {exchanges} exchanges were understood"
    );
    for attempt in 1.. {
        match replay(&steps) {
            Ok(()) => return,
            Err(late) if attempt < 10 => eprintln!("again, perhaps late: {late}"),
            Err(late) => panic!("{late}"),
        }
    }
}

/// Runs all steps against a fresh server. An error is a mismatch that a delay can explain.
fn replay(steps: &[Step]) -> Result<(), String> {
    // No sweep: the recorded FLUSH counts entries that have expired.
    let config = Config {
        sweep_interval: Duration::from_secs(3600),
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    let mut peer = Peer::connect(server.addr());
    prime(&mut peer);
    let mut section = "";
    let mut occurrences: HashMap<&[u8], usize> = HashMap::new();
    let mut different = 0;
    for step in steps {
        match step {
            Step::Section(name) => {
                if section.starts_with("stale tag index after INV_TAG") {
                    // There, the stale index has removed it.
                    assert_eq!(peer.ask("DEL\ts1"), "DEL ok");
                }
                section = name;
                if section.starts_with("stale tag index after INV_TAG") {
                    peer.ask("FLUSH");
                }
            }
            Step::Refill => {
                peer.ask("FLUSH");
                for (key, tags) in [("x1", "a,b"), ("x2", "a"), ("x3", "b"), ("x4", "c")] {
                    assert_eq!(peer.ask(&format!("PUT\t{key}\t-\t{tags}\tv")), "OK");
                }
            }
            Step::Exchange {
                request,
                fin,
                reply,
                closed,
                comment,
            } => {
                let nth = occurrences.entry(request).or_default();
                *nth += 1;
                if let Some((.., ms)) = PAUSES.iter().find(|p| p.0 == request && p.1 == *nth) {
                    sleep(Duration::from_millis(*ms));
                }
                if comment.contains("three segments") {
                    peer.send("GET\tno");
                    sleep(Duration::from_millis(10));
                    peer.send("pe");
                    sleep(Duration::from_millis(10));
                }
                let difference = DIFFERENCES.iter().find(|(place, asked, ours)| {
                    *place == section && asked == request && ours != reply
                });
                let reply = match difference {
                    Some((.., ours)) => {
                        different += 1;
                        *ours
                    }
                    _ => reply,
                };
                peer.send(request);
                if *fin {
                    peer.finish();
                }
                let got = if *closed {
                    peer.rest()
                } else {
                    read(&mut peer, reply)
                };
                if *closed {
                    peer = Peer::connect(server.addr());
                }
                if comparable(&got) != comparable(reply) {
                    let text = format!(
                        "{section}: {} gave {}, recorded {}",
                        request.escape_ascii(),
                        got.escape_ascii(),
                        reply.escape_ascii()
                    );
                    assert!(IN_TIME.contains(&&request[..]), "{text}");
                    return Err(text);
                }
            }
        }
    }
    assert_eq!(
        different,
        DIFFERENCES.len(),
        "each listed difference is there once"
    );
    Ok(())
}

/// Brings the counters to where the recording begins: one entry, and the numbers of its STATS.
fn prime(peer: &mut Peer) {
    let mut requests = "PUT\tk\nDEL\tk\n".repeat(64);
    requests += &"PUT\tk\n".repeat(33);
    requests += &"GET\tk\n".repeat(2034);
    requests += &"GET\tabsent\n".repeat(12);
    peer.send(requests);
    for _ in 0..128 + 33 + 2034 + 12 {
        peer.line();
    }
}

/// As many bytes as expected, or what comes when nothing is expected.
fn read(peer: &mut Peer, reply: &[u8]) -> Vec<u8> {
    if reply.is_empty() {
        return peer.arrives_within(Duration::from_millis(30)).unwrap();
    }
    let lines = reply.iter().filter(|&&byte| byte == b'\n').count();
    (0..lines)
        .flat_map(|_| (peer.line() + "\n").into_bytes())
        .collect()
}

/// With the keys of a KEYS reply in order.
fn comparable(reply: &[u8]) -> Vec<u8> {
    match reply.strip_prefix(b"KEYS\t") {
        None => reply.to_vec(),
        Some(keys) => {
            let mut keys: Vec<&[u8]> = keys.trim_ascii_end().split(|&b| b == b',').collect();
            keys.sort_unstable();
            [b"KEYS\t", &*keys.join(&b","[..]), b"\n"].concat()
        }
    }
}

fn parse(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("## ") {
            steps.push(Step::Section(name.into()));
        } else if line.starts_with("   (refilled: x1:a,b x2:a x3:b x4:c)") {
            steps.push(Step::Refill);
        } else if let Some(rest) = line.strip_prefix("C: ") {
            let (request, rest) = literal(rest);
            let answer = lines
                .next()
                .and_then(|line| line.strip_prefix("S: "))
                .unwrap();
            let (reply, after) = literal(answer);
            steps.push(Step::Exchange {
                request,
                fin: rest.trim() == "+ FIN",
                reply,
                closed: after.contains("(EOF: server closed)"),
                comment: after.into(),
            });
        } else {
            // The one line about segments has its own test, in wire.rs.
            assert!(
                line.is_empty() || line.starts_with("first recv() of 2000"),
                "{line}"
            );
        }
    }
    steps
}

/// Reads a Python bytes literal; returns its bytes and what follows it.
fn literal(text: &str) -> (Vec<u8>, &str) {
    let mut bytes = Vec::new();
    let mut rest = text.strip_prefix("b'").unwrap();
    loop {
        let (first, tail) = rest.split_at(1);
        rest = tail;
        match first {
            "'" => return (bytes, rest),
            "\\" => {
                let (escape, tail) = rest.split_at(1);
                rest = tail;
                bytes.push(match escape {
                    "n" => b'\n',
                    "r" => b'\r',
                    "t" => b'\t',
                    "x" => {
                        let (digits, tail) = rest.split_at(2);
                        rest = tail;
                        u8::from_str_radix(digits, 16).unwrap()
                    }
                    other => panic!("escape {other}"),
                });
            }
            plain => bytes.extend_from_slice(plain.as_bytes()),
        }
    }
}

/// Listed in `docs/server.md`: there, what has expired and was not swept counts as removed.
#[test]
fn what_has_expired_does_not_count_as_removed() {
    let config = Config {
        sweep_interval: Duration::from_secs(3600),
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    let mut peer = Peer::connect(server.addr());
    for (request, reply) in [
        ("PUT\tk\t0\tt\tv", "OK"),
        ("DEL\tk", "DEL nf"),
        ("PUT\tk\t0\tt\tv", "OK"),
        ("INV_KEYS\tk", "INV_KEYS\t0"),
        ("PUT\tk\t0\tt\tv", "OK"),
        ("PUT\tlives\t-\tt\tv", "OK"),
        ("KEYS\tt", "KEYS\tlives"),
        ("INV_TAG\tt", "INV_TAG\t1"),
        ("PUT\tk\t0\tt\tv", "OK"),
        ("FLUSH", "FLUSH\t1"),
        ("STATS", "STATS\t0\t0\t5\t2\t0.000000"),
    ] {
        assert_eq!(peer.ask(request), reply, "{request}");
    }
}
