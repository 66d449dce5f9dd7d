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

/// Others wait for a small part of the time that the burst takes. On a busy machine anybody waits now
/// and then, so it is tried some times; who is held up by the burst is so every time.
fn assert_shared(server: &Server, prepare: impl Fn(), burst: &str) {
    let mut tried = String::new();
    for _ in 0..6 {
        prepare();
        let (took, waits) = waits_beside(server, burst);
        let worst = waits.iter().max().copied().unwrap_or(took);
        if worst < took / 4 {
            return;
        }
        tried += &format!("in {took:?} {} waits, one of {worst:?}; ", waits.len());
    }
    panic!("others were held up each time: {tried}");
}

#[test]
fn a_burst_of_long_replies_leaves_turns_to_others() {
    let server = one_worker();
    fill(&mut Peer::connect(server.addr()));
    assert_shared(&server, || (), &"KEYS\tt\n".repeat(4000));
}

#[test]
fn a_burst_of_long_lists_leaves_turns_to_others() {
    let server = one_worker();
    let list: String = (0..3000).map(|n| format!("tag-{n},")).collect();
    assert_shared(
        &server,
        || (),
        &format!("INV_TAGS_ANY\t{list}\n").repeat(60),
    );
}

/// Stores `count` entries under the tags `all` and `too`.
fn fill_many(server: &Server, count: usize) {
    let mut peer = Peer::connect(server.addr());
    for start in (0..count).step_by(1000) {
        let puts: String = (start..start + 1000)
            .map(|n| format!("PUT\tkey{n}\t-\tall,too\tv\n"))
            .collect();
        peer.send(puts);
        assert_eq!(peer.bytes(3000), "OK\n".repeat(1000).as_bytes());
    }
}

#[test]
fn an_invalidation_of_very_many_entries_leaves_turns_to_others() {
    let server = one_worker();
    for line in [
        "INV_TAG\tall\n",
        "INV_TAGS_ALL\tall,too\n",
        "INV_TAGS_ANY\tno,too\n",
    ] {
        assert_shared(&server, || fill_many(&server, 200_000), line);
        assert!(server.store().is_empty());
        server.store().check().unwrap();
    }
}

#[test]
fn a_list_of_very_many_keys_leaves_turns_to_others() {
    let server = one_worker();
    fill_many(&server, 200_000);
    assert_shared(&server, || (), "KEYS\tall\n");
    let keys: String = (0..200_000).map(|n| format!("key{n},")).collect();
    let line = format!("INV_KEYS\t{keys}\n");
    assert_shared(&server, || fill_many(&server, 200_000), &line);
    assert!(server.store().is_empty());
}

/// Each of the tags was looked for among all of those of the entry, under the lock.
#[test]
fn one_key_with_very_many_tags_takes_no_longer_than_many_keys() {
    let server = one_worker();
    let list: String = (0..50_000).map(|n| format!("tag-{n},")).collect();
    let mut peer = Peer::connect(server.addr());
    let start = Instant::now();
    assert_eq!(peer.ask(&format!("PUT\tk\t-\t{list}\tv")), "OK");
    assert_eq!(peer.ask("KEYS\ttag-49999"), "KEYS\tk");
    assert_eq!(
        peer.ask(&format!("INV_TAGS_ALL\t{list}absent")),
        "INV_TAGS_ALL\t0"
    );
    assert_eq!(
        peer.ask(&format!("INV_TAGS_ALL\t{list}{list}")),
        "INV_TAGS_ALL\t1"
    );
    assert_eq!(peer.ask("KEYS\ttag-49999"), "KEYS\t");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// To make room for it, very many have to go.
#[test]
fn a_value_that_needs_much_room_leaves_turns_to_others() {
    let server = Server::start(Config {
        threads: 1,
        max_memory_bytes: 40 << 20,
        ..Config::default()
    })
    .unwrap();
    let huge = "v".repeat(32 << 20);
    let line = format!("PUT\thuge\t-\t-\t{huge}\n");
    assert_shared(&server, || fill_many(&server, 500_000), &line);
    assert!(server.store().stats().evictions > 0);
    let value = server
        .store()
        .get(b"huge", server.store().now(), |item| item.value.len());
    assert_eq!(value, Some(32 << 20));
    assert!(server.store().used_bytes() <= 40 << 20);
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
