//! What must hold when threads meet: entries and tag index never disagree, nothing freezes.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use support::Peer;
use tagcached::store::{OnFull, Store, TagList};
use tagcached::{Config, Server};

fn listed(store: &Store, tag: &str, key: &str) -> bool {
    let mut found = false;
    store.keys_by_tag(tag, store.now(), |other| found |= other == key);
    found
}

#[test]
fn a_put_beside_an_invalidation_leaves_the_entry_under_its_tag_or_gone() {
    const ROUNDS: usize = 20_000;
    let store = Store::new(1 << 30, OnFull::Evict);
    let barrier = Barrier::new(3);
    let (mut alive, mut gone) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                barrier.wait();
                store
                    .put("k", "v", TagList::new("a,t"), None, store.now())
                    .unwrap();
                barrier.wait();
            }
        });
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                barrier.wait();
                store.invalidate_tag("t", store.now());
                barrier.wait();
            }
        });
        for round in 0..ROUNDS {
            // Either an old entry under other tags is in the way of the put, or none is.
            if round % 2 == 0 {
                store
                    .put("k", "old", TagList::new("t,b"), None, store.now())
                    .unwrap();
            }
            barrier.wait();
            barrier.wait();
            let there = store.get("k", store.now(), <[u8]>::to_vec);
            assert_ne!(there.as_deref(), Some(&b"old"[..]));
            assert_eq!(listed(&store, "t", "k"), there.is_some());
            assert_eq!(listed(&store, "a", "k"), there.is_some());
            assert!(!listed(&store, "b", "k"));
            let count = if there.is_some() {
                &mut alive
            } else {
                &mut gone
            };
            *count += 1;
            assert_eq!(
                store.invalidate_tag("t", store.now()),
                usize::from(there.is_some())
            );
            assert!(store.get("k", store.now(), |_| ()).is_none());
        }
    });
    assert!(
        alive > 0 && gone > 0,
        "both orders were met: {alive} alive, {gone} gone"
    );
    store.check().unwrap();
}

#[test]
fn everything_at_once_leaves_the_store_consistent() {
    const TAGS: [&str; 6] = ["-", "red", "red,blue", "blue,green,red", "green", "red,red"];
    // Small enough that entries are evicted all the time.
    let store = Store::new(40 << 10, OnFull::Evict);
    thread::scope(|scope| {
        for seed in 1..=4_u64 {
            let store = &store;
            scope.spawn(move || {
                let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                for _ in 0..60_000 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let key = format!("k{}", random % 400);
                    let tags = TagList::new(TAGS[(random >> 20) as usize % TAGS.len()]);
                    let ttl = [None, None, Some(0), Some(1)][(random >> 30) as usize % 4];
                    let now = store.now();
                    match (random >> 40) % 16 {
                        0..=5 => store.put(&key, "some value", tags, ttl, now).unwrap(),
                        6 => drop(store.add(&key, "other", tags, ttl, now).unwrap()),
                        7 | 8 => drop(store.increment(&key, 3, tags, ttl, now)),
                        9 => drop(store.delete(&key, now)),
                        10 => drop(store.invalidate_tag("green", now)),
                        11 => drop(store.invalidate_all_of(&["red", "blue"], now)),
                        12 => store.keys_by_tag("red", now, |key| assert!(key.starts_with('k'))),
                        13 if random >> 44 & 255 == 0 => drop(store.flush()),
                        _ => drop(store.get(&key, now, <[u8]>::len)),
                    }
                }
            });
        }
    });
    store.check().unwrap();
    assert!(store.stats().evictions > 0, "nothing was evicted");
    assert!(store.used_bytes() <= 40 << 10);
    store.flush();
    assert_eq!(store.used_bytes(), 0);
    store.check().unwrap();
}

/// The load under which the real server freezes for good.
#[test]
fn incr_with_tags_beside_keys_by_tag_goes_on() {
    const EACH: usize = 3_000;
    let server = Server::start(Config {
        threads: 4,
        ..Config::default()
    })
    .unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut peer = Peer::connect(server.addr());
                    let mut rounds = 0;
                    // Relaxed: a flag only; the loop may run once more.
                    while !done.load(Ordering::Relaxed) {
                        assert!(peer.ask("KEYS_BY_TAG\tt").starts_with("KEYS\t"));
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut peer = Peer::connect(server.addr());
                    for n in 0..EACH {
                        let reply = peer.ask(&format!("INCR\tn{}\t1\t-\tt,u{}", n % 8, n % 3));
                        assert!(reply.starts_with("VALUE\t"), "{reply}");
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        // Relaxed: see above.
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    let mut peer = Peer::connect(server.addr());
    for n in 0..8 {
        assert_eq!(
            peer.ask(&format!("GET\tn{n}")),
            format!("VALUE\t{}", 4 * EACH / 8)
        );
    }
    server.store().check().unwrap();
}
