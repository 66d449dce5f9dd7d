//! The pool beside three others: `cargo bench -p tagcache-client --bench pool`.
//!
//! In memory a connection is a number and nothing is done with it: what is measured is the pool alone. Over the
//! wire each loan is one GET to `tagcached`, 64 threads on 8 connections. Every pool lends connections of the same
//! kind; ours is the only one that looks at a connection before it lends it. The queue alone is no pool: it is there to
//! show what the rest of ours costs.
//!
//! Environment: `TAGCACHE_BENCH_OUT` a file for the figures as JSON; `TAGCACHE_BENCH_PAIRS` how many pairs (15);
//! `TAGCACHE_BENCH_SPAN_MS` the length of a load over the wire (1000). With the argument `patience`, when
//! the gate hands over is varied instead: how long the head of the line has waited, how many loans a thread may have in
//! turn. With the argument `gate`, strict order is set against turns of four (`docs/benchmarks.md`, What was tried).

mod contenders;
mod load;
mod report;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use contenders::{Channel, Locked, Queue, R2d2, Shared};
use load::Outcome;
use report::{Cell, Pair, Report};
use socket2::SockRef;
use tagcache_client::bench::{BarePool, Maker};
use tagcached::{Config, Server};

const THREADS: [usize; 4] = [1, 2, 8, 64];
const SIZES: [u32; 3] = [1, 8, 64];
const MEMORY_SPAN: Duration = Duration::from_millis(60);
const ROUNDS: usize = 3;
const WIRE: (usize, u32) = (64, 8);

/// A connection that is nothing but a number, always fit.
struct Numbers;

impl Maker for Numbers {
    type Link = u64;

    fn open(&self) -> u64 {
        0
    }

    fn is_quiet(_: &u64) -> bool {
        true
    }
}

/// A socket to a server.
struct Sockets(SocketAddr);

impl Maker for Sockets {
    type Link = TcpStream;

    fn open(&self) -> TcpStream {
        let stream = TcpStream::connect(self.0).expect("a running server");
        stream.set_nodelay(true).expect("a TCP socket");
        stream
    }

    fn is_quiet(link: &TcpStream) -> bool {
        let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
        let byte = &mut [std::mem::MaybeUninit::uninit()];
        SockRef::from(link)
            .recv_with_flags(byte, flags)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}

/// One GET of a value of 100 bytes.
fn round_trip(stream: &mut TcpStream) {
    let mut reply = [0; 256];
    stream.write_all(b"GET\tkey\n").expect("a running server");
    let mut end = 0;
    while end == 0 || reply[end - 1] != b'\n' {
        let came = stream.read(&mut reply[end..]).expect("a running server");
        assert_ne!(came, 0, "the server hung up");
        end += came;
    }
}

fn number_from_env(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |value| {
        let number = value.parse();
        number.unwrap_or_else(|_| panic!("{name} must be a number, not '{value}'"))
    })
}

fn main() {
    let server = Server::start(Config::default()).expect("a free port");
    let sockets = Shared(Arc::new(Sockets(server.addr())));
    let mut one = sockets.open();
    let value = "v".repeat(100);
    one.write_all(format!("PUT\tkey\t-\t-\t{value}\n").as_bytes())
        .expect("a running server");
    one.read_exact(&mut [0; 3]).expect("OK and a line feed");
    let span = Duration::from_millis(number_from_env("TAGCACHE_BENCH_SPAN_MS", 1000) as u64);
    let pairs = number_from_env("TAGCACHE_BENCH_PAIRS", 15);
    if std::env::args().any(|argument| argument == "patience") {
        return vary_patience(&sockets, span, pairs);
    }
    if std::env::args().any(|argument| argument == "gate") {
        return strict_or_turns(&sockets, span, pairs);
    }
    let mut report = Report::default();
    in_memory(&mut report, pairs);
    over_the_wire(&mut report, &sockets, span, pairs);
    report.write();
}

/// Runs `load` on a fresh pool of each kind; `links` makes connections for those that don't make them by themselves.
fn with_pool<M: Maker + 'static>(
    kind: usize,
    size: u32,
    maker: &Shared<M>,
    load: &Load<'_, M::Link>,
) -> Outcome {
    let links = || (0..size).map(|_| maker.open()).collect();
    match kind {
        0 => load.on(&BarePool::new(size, None, maker.clone())),
        1 => load.on(&R2d2::new(size, maker.clone())),
        2 => load.on(&Locked::new(links())),
        3 => load.on(&Channel::new(links())),
        _ => load.on(&Queue::new(links())),
    }
}

const KINDS: [&str; 5] = [
    "tagcache",
    "r2d2",
    "Mutex and Condvar",
    "crossbeam channel",
    "ArrayQueue alone",
];

/// What a pool is put under.
struct Load<'a, L> {
    threads: usize,
    span: Duration,
    with_waits: bool,
    work: &'a (dyn Fn(&mut L) + Sync),
}

impl<L: Send> Load<'_, L> {
    fn on(&self, pool: &impl contenders::Lender<L>) -> Outcome {
        // What is opened or allocated at the first loans is not measured.
        load::run(pool, self.threads, self.span / 10, false, self.work);
        load::run(pool, self.threads, self.span, self.with_waits, self.work)
    }
}

fn in_memory(report: &mut Report, pairs: usize) {
    let maker = Shared(Arc::new(Numbers));
    let load = |threads, with_waits| Load {
        threads,
        with_waits,
        span: MEMORY_SPAN,
        work: &|link: &mut u64| *link += 1,
    };
    for threads in THREADS {
        for size in SIZES {
            let mut rounds: [Vec<(Outcome, Outcome)>; KINDS.len()] = Default::default();
            for _ in 0..ROUNDS {
                for (kind, outcomes) in rounds.iter_mut().enumerate() {
                    let plain = with_pool(kind, size, &maker, &load(threads, false));
                    let timed = with_pool(kind, size, &maker, &load(threads, true));
                    outcomes.push((plain, timed));
                }
            }
            for (name, outcomes) in KINDS.iter().zip(&rounds) {
                report.cell("memory", Cell::of(name, threads, size, outcomes));
            }
        }
    }
    let pair = |_| {
        let run = |kind| with_pool(kind, 8, &maker, &load(8, false));
        Pair::of([run(0), run(1), run(1), run(0)])
    };
    report.pairs("memory, 8 threads on 8, against r2d2", (0..pairs).map(pair));
}

fn over_the_wire(report: &mut Report, sockets: &Shared<Sockets>, span: Duration, pairs: usize) {
    let (threads, size) = WIRE;
    let load = Load {
        threads,
        span,
        with_waits: true,
        work: &round_trip,
    };
    let run = |kind| with_pool(kind, size, sockets, &load);
    let mut rounds: [Vec<(Outcome, Outcome)>; KINDS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (kind, outcomes) in rounds.iter_mut().enumerate() {
            outcomes.push((run(kind), run(kind)));
        }
    }
    for (name, outcomes) in KINDS.iter().zip(&rounds) {
        report.cell("wire", Cell::of(name, threads, size, outcomes));
    }
    let pair = |_| Pair::of([run(0), run(1), run(1), run(0)]);
    report.pairs("wire, 64 threads on 8, against r2d2", (0..pairs).map(pair));
}

/// When the gate hands over, from always to never and by turns, one after the other.
fn vary_patience(sockets: &Shared<Sockets>, span: Duration, rounds: usize) {
    let (threads, size) = WIRE;
    let load = Load {
        threads,
        span,
        with_waits: true,
        work: &round_trip,
    };
    const NEVER: u64 = 1_000_000_000;
    let patiences = [0, 250, 1000, 2000, 4000, 8000, NEVER].map(|micros| (micros, 0));
    let turns = [2, 3, 4, 6, 8, 12, 16].map(|turn| (1000, turn));
    let kinds: Vec<(u64, u32)> = patiences.into_iter().chain(turns).collect();
    let mut outcomes: Vec<Vec<(Outcome, Outcome)>> = kinds.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((micros, turn), outcomes) in kinds.iter().zip(&mut outcomes) {
            let hand_off = Some((Duration::from_micros(*micros), *turn));
            let pool = || BarePool::new(size, hand_off, sockets.clone());
            outcomes.push((load.on(&pool()), load.on(&pool())));
        }
    }
    for ((micros, turn), outcomes) in kinds.iter().zip(&outcomes) {
        let name = format!("{micros} us, {turn} loans");
        println!("{}", Cell::of(&name, threads, size, outcomes));
    }
}

/// Strict order against turns of four, over the wire.
fn strict_or_turns(sockets: &Shared<Sockets>, span: Duration, pairs: usize) {
    let mut report = Report::default();
    for (threads, size) in [(64, 8), (8, 8), (64, 64)] {
        let load = Load {
            threads,
            span,
            with_waits: true,
            work: &round_trip,
        };
        let run = |hand_off| load.on(&BarePool::new(size, hand_off, sockets.clone()));
        let strict = Some((Duration::ZERO, 0));
        let pair = |_| Pair::of([run(strict), run(None), run(None), run(strict)]);
        let name = format!("{threads} threads on {size}, strict against turns");
        report.pairs(&name, (0..pairs).map(pair));
    }
    report.write();
}
