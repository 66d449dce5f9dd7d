//! Nobody is held up by somebody else's requests, nor by those in front of one's own.

mod support;

use std::thread;
use std::time::{Duration, Instant};

use support::Peer;
use tagcached::{Config, Server};

/// A server with one worker, which everybody has to share, and no pause for want of reading.
fn one_worker() -> Server {
    Server::start(Config {
        threads: 1,
        max_output_bytes: 1 << 30,
        ..Config::default()
    })
    .unwrap()
}

/// Stores 2000 keys under the tag `t`: their list is 32 KB.
fn fill(peer: &mut Peer) {
    let puts: String = (0..2000)
        .map(|n| format!("PUT\tlong-name-{n:05}\t-\tt\tv\n"))
        .collect();
    peer.send(puts);
    for _ in 0..2000 {
        assert_eq!(peer.line(), "OK");
    }
}

/// Has `burst` answered on a connection of its own while another one asks; returns how long that
/// took, and the waits of the other.
fn waits_beside(server: &Server, burst: &str) -> (Duration, Vec<Duration>) {
    let lines = burst.lines().count();
    thread::scope(|scope| {
        let mut greedy = Peer::connect(server.addr());
        let mut other = Peer::connect(server.addr());
        assert_eq!(greedy.ask("GET\tabsent"), "NF");
        assert_eq!(other.ask("GET\tabsent"), "NF");
        let start = Instant::now();
        greedy.send(burst);
        let reader = scope.spawn(move || {
            for _ in 0..lines {
                greedy.line();
            }
            start.elapsed()
        });
        let mut waits = Vec::new();
        while !reader.is_finished() {
            let asked = Instant::now();
            assert_eq!(other.ask("GET\tabsent"), "NF");
            waits.push(asked.elapsed());
        }
        (reader.join().unwrap(), waits)
    })
}

fn assert_shared(server: &Server, burst: &str) {
    let (took, mut waits) = waits_beside(server, burst);
    waits.sort_unstable();
    let worst = waits[waits.len() - 1];
    assert!(
        worst < took / 4,
        "the burst took {took:?}, the others got {} replies, one after {worst:?}",
        waits.len()
    );
}

#[test]
fn a_burst_of_long_replies_leaves_turns_to_others() {
    let server = one_worker();
    fill(&mut Peer::connect(server.addr()));
    assert_shared(&server, &"KEYS\tt\n".repeat(4000));
}

#[test]
fn a_burst_of_long_lists_leaves_turns_to_others() {
    let server = one_worker();
    let list: String = (0..3000).map(|n| format!("tag-{n},")).collect();
    assert_shared(&server, &format!("INV_TAGS_ANY\t{list}\n").repeat(60));
}

#[test]
fn a_time_to_live_begins_when_its_line_is_executed() {
    const TTL: Duration = Duration::from_millis(120);
    let server = one_worker();
    let mut peer = Peer::connect(server.addr());
    fill(&mut peer);
    let ms = TTL.as_millis();
    let mut repeat = 1000;
    loop {
        let slow = "KEYS\tt\n".repeat(repeat);
        let writes = format!("PUT\tp\t{ms}\t-\tv\nADD\ta\t{ms}\t-\tv\nINCR\tn\t1\t{ms}\n");
        let start = Instant::now();
        peer.send(slow + &writes);
        for _ in 0..repeat {
            peer.line();
        }
        let replies = [peer.line(), peer.line(), peer.line()];
        let took = start.elapsed();
        let values = ["p", "a", "n"].map(|key| peer.ask(&format!("GET\t{key}")));
        let asked = start.elapsed() - took;
        // As long as it takes to tell the two apart, and not too busy a machine to do so.
        if took > TTL + TTL / 2 && asked < TTL / 2 {
            assert_eq!(replies, ["OK", "ADDED", "VALUE\t1"]);
            assert_eq!(values, ["VALUE\tv", "VALUE\tv", "VALUE\t1"]);
            return;
        }
        assert!(repeat < 1 << 20, "took {took:?}, asked {asked:?}");
        repeat += repeat / 2;
        thread::sleep(TTL);
    }
}
