//! What must hold when threads meet: entries and tag index never disagree, nothing freezes.

mod support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use support::Peer;
use tagcached::store::{Invalidation, Listing, OnFull, Store, TagList, Write};
use tagcached::{Config, Server};

/// The keys with `tag`, in order.
fn listed(store: &Store, tag: &str) -> Vec<String> {
    let mut keys = Vec::new();
    store.keys_by_tag(tag.as_bytes(), |key| {
        keys.push(String::from_utf8(key.to_vec()).unwrap());
    });
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
    let put = |value: &str, tags: &str| {
        let with = Write {
            tags: TagList::new(tags.as_bytes()),
            ..Write::default()
        };
        for key in &keys {
            store
                .put(key.as_bytes(), value.as_bytes(), &with, store.now())
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
                    store.invalidate_tag(b"t");
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
            let value = |key: &String| store.get(key.as_bytes(), store.now(), |_| ());
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
            store.invalidate_tag(b"t");
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
    let store = Store::new(20 << 10, OnFull::Evict);
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
                    let tags = TagList::new(TAGS[(random >> 20) as usize % TAGS.len()].as_bytes());
                    let ttl_ms = [None, None, Some(0), Some(1)][(random >> 30) as usize % 4];
                    let with = Write {
                        tags,
                        ttl_ms,
                        flags: 1,
                        ..Write::default()
                    };
                    let (key, now) = (key.as_bytes(), store.now());
                    let value = &b"some longer value"[..(random >> 50) as usize % 17];
                    match (random >> 40) % 16 {
                        0..=5 => drop(store.put(key, value, &with, now).unwrap()),
                        6 => drop(store.add(key, b"other", &with, now).unwrap()),
                        7 | 8 => drop(store.increment(key, 3, &with, now)),
                        9 => drop(store.delete(key, now)),
                        10 => drop(store.invalidate_tag(b"green")),
                        11 => drop(store.invalidate_all_of(&[b"red", b"blue"])),
                        12 => store.keys_by_tag(b"red", |key| assert!(key.starts_with(b"k"))),
                        13 if random >> 44 & 255 == 0 => drop(store.flush()),
                        _ => drop(store.get(key, now, |item| item.value.len())),
                    }
                }
            });
        }
    });
    store.check().unwrap();
    assert!(store.stats().evictions > 0, "nothing was evicted");
    assert!(store.used_bytes() <= 20 << 10);
    store.flush();
    assert_eq!(store.used_bytes(), 0);
    store.check().unwrap();
}

fn tagged(tags: &str) -> Write<'_> {
    Write {
        tags: TagList::new(tags.as_bytes()),
        ..Write::default()
    }
}

/// Between the steps of an invalidation, entries are written in every way.
#[test]
fn a_stepwise_invalidation_takes_all_that_were_there_and_only_what_has_the_tag() {
    const KEYS: usize = 30_000;
    let store = Store::new(1 << 30, OnFull::Evict);
    let key = |n: usize| format!("n{n}").into_bytes();
    for n in 0..KEYS {
        let tags = ["t", "t,u", "u,t,x,y"][n % 3];
        store
            .put(&key(n), b"1000", &tagged(tags), store.now())
            .unwrap();
    }
    let mut walk = Invalidation::default();
    walk.add(b"t", &store);
    let mut steps = 0;
    while !walk.step(&store, store.now()) {
        let now = store.now();
        for n in (steps % 97..KEYS).step_by(97) {
            match n % 6 {
                // Goes on carrying the tag: must go.
                0 => drop(store.increment(&key(n), 1, &tagged(""), now)),
                1 => drop(store.increment(&key(n), 1, &tagged("z,t"), now)),
                // Loses it: must stay.
                2 => drop(store.put(&key(n), b"stays", &tagged("u"), now)),
                // May have been made meanwhile, and may go.
                3 => {
                    store.delete(&key(n), now);
                    store.put(&key(n), b"new", &tagged("t"), now).unwrap();
                }
                _ => {}
            }
        }
        steps += 1;
    }
    assert!(steps > 20, "{steps} steps");
    store
        .put(b"after", b"v", &tagged("t"), store.now())
        .unwrap();
    for n in 0..KEYS {
        let value = store.get(&key(n), store.now(), |item| item.value.to_vec());
        let fits = match (n % 6, value.as_deref()) {
            // Where the number was gone, the increment has made another, from 0 on.
            (0 | 1, value) => value.is_none_or(|value| value.len() < 4),
            (2, value) => value.is_none_or(|value| value == b"stays"),
            (3, value) => value.is_none_or(|value| value == b"new"),
            (_, value) => value.is_none(),
        };
        assert!(fits, "{n}: {value:?}");
    }
    let mut stayed = 0;
    for n in (2..KEYS).step_by(6) {
        stayed += usize::from(store.get(&key(n), store.now(), |_| ()).is_some());
    }
    assert!(stayed > 100, "{stayed}");
    assert!(store.get(b"after", store.now(), |_| ()).is_some());
    store.check().unwrap();
}

#[test]
fn a_stepwise_list_has_every_key_that_stays_and_none_twice() {
    const KEYS: usize = 30_000;
    let store = Store::new(1 << 30, OnFull::Evict);
    let key = |n: usize| format!("n{n}").into_bytes();
    for n in 0..KEYS {
        store.put(&key(n), b"1", &tagged("t"), store.now()).unwrap();
    }
    let (mut walk, mut keys, mut steps) = (Listing::new(b"t", &store), Vec::new(), 0);
    while !walk.step(&store, store.now(), |key| keys.push(key.to_vec())) {
        for n in (steps % 31..KEYS).step_by(31) {
            let (key, now) = (key(n), store.now());
            match n % 3 {
                0 => drop(store.put(&key, b"longer", &tagged("a,t"), now)),
                1 => {
                    store.delete(&key, now);
                    store.put(&key, b"again", &tagged("t"), now).unwrap();
                }
                _ => {}
            }
        }
        steps += 1;
    }
    assert!(steps > 10, "{steps} steps");
    let listed = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), listed, "no key twice");
    for n in (0..KEYS).filter(|n| n % 3 != 1) {
        assert!(keys.binary_search(&key(n)).is_ok(), "{n} is missing");
    }
}

/// What is kept outside of the blocks, among what is in them.
#[test]
fn large_values_and_very_many_tags_leave_the_store_consistent() {
    let store = Store::new(3 << 20, OnFull::Evict);
    let many: Vec<String> = (0..3)
        .map(|list| (0..600).map(|n| format!("w{},", n * (list + 1))).collect())
        .collect();
    let huge = vec![b'7'; 700 << 10];
    thread::scope(|scope| {
        for seed in 1..=2_u64 {
            let (store, many, huge) = (&store, &many, &huge);
            scope.spawn(move || {
                let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                for _ in 0..4_000 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let key = format!("k{}", random % 60).into_bytes();
                    let list = (random >> 8) as usize % 6;
                    let with = tagged(many.get(list).map_or("w0,w600", |list| list));
                    let sizes = [1, 1, 1, 100, 5000, 300 << 10, 262_143, 262_144];
                    let value = &huge[..sizes[(random >> 16) as usize % sizes.len()]];
                    match (random >> 24) % 12 {
                        0..=4 => drop(store.put(&key, value, &with, store.now()).unwrap()),
                        5 => drop(store.increment(&key, 1, &tagged(""), store.now())),
                        6 => drop(store.increment(&key, 1, &with, store.now())),
                        7 => drop(store.delete(&key, store.now())),
                        8 => drop(store.invalidate_tag(b"w1794")),
                        9 => drop(store.invalidate_all_of(&[b"w0", b"w600"])),
                        10 => store.keys_by_tag(b"w600", |key| assert_eq!(key[0], b'k')),
                        _ => drop(store.get(&key, store.now(), |item| {
                            assert!(item.value.iter().all(u8::is_ascii_digit));
                        })),
                    }
                }
            });
        }
    });
    store.check().unwrap();
    assert!(store.stats().evictions > 0 && store.stats().invalidations > 0);
    assert!(store.used_bytes() <= 3 << 20);
    let with = tagged(&many[2]);
    store.put(b"last", &huge, &with, store.now()).unwrap();
    assert_eq!(store.invalidate_all_of(&[b"w0", b"w600", b"w1797"]), 1);
    assert!(store.get(b"last", store.now(), |_| ()).is_none());
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
