//! What must hold when threads meet: entries and tag index never disagree, nothing freezes.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use support::Peer;
use tagcached::store::{OnFull, Store, TagList};
use tagcached::{Config, Server};

/// The keys with `tag`, in order.
fn listed(store: &Store, tag: &str) -> Vec<String> {
    let mut keys = Vec::new();
    store.keys_by_tag(tag, store.now(), |key| keys.push(key.to_owned()));
    keys.sort_unstable();
    keys
}

#[test]
fn a_put_beside_an_invalidation_leaves_the_entry_under_its_tag_or_gone() {
    const ROUNDS: usize = 1_500;
    let mut keys: Vec<String> = (0..64).map(|n| format!("k{n}")).collect();
    keys.sort_unstable();
    let store = Store::new(1 << 30, OnFull::Evict);
    let (barrier, putting) = (Barrier::new(3), AtomicBool::new(true));
    let (mut alive, mut gone) = (0, 0);
    let put = |value, tags| {
        for key in &keys {
            store
                .put(key, value, TagList::new(tags), None, store.now())
                .unwrap();
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                barrier.wait();
                put("new", "a,t");
                // Relaxed: a flag only, read in the loop below.
                putting.store(false, Ordering::Relaxed);
                barrier.wait();
            }
        });
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                barrier.wait();
                // Relaxed: pairs with the store above; one round more does no harm.
                while putting.load(Ordering::Relaxed) {
                    store.invalidate_tag("t", store.now());
                }
                barrier.wait();
            }
        });
        for round in 0..ROUNDS {
            // Either old entries under other tags are in the way of the puts, or none are.
            if round % 2 == 0 {
                put("old", "t,b");
            }
            // Relaxed: ordered by the barrier.
            putting.store(true, Ordering::Relaxed);
            barrier.wait();
            barrier.wait();
            let value = |key: &String| store.get(key, store.now(), <[u8]>::to_vec);
            let there: Vec<String> = keys
                .iter()
                .filter(|key| value(key).is_some())
                .cloned()
                .collect();
            // Not an assertion here: it would leave the others at the barrier.
            if listed(&store, "t") != there || listed(&store, "a") != there {
                eprintln!("round {round}: alive and unreachable");
                std::process::abort();
            }
            alive += there.len();
            gone += keys.len() - there.len();
            store.invalidate_tag("t", store.now());
        }
    });
    assert!(
        alive > 0 && gone > 0,
        "both orders were met: {alive} alive, {gone} gone"
    );
    assert!(store.is_empty());
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
