//! What others wait for while a command that touches very many entries runs: the table of
//! `docs/server.md`.
//!
//! `cargo run --release -p tagcached --example hold_bench -- --entries 1000000 --runs 5`
//!
//! For each command, a server in this process is filled; then one thread asks for keys on four
//! connections in turn, for a while alone and for a while beside the command. Printed are, as
//! medians of the runs, how long the command took, the longest hold of a lock as the server counts
//! it, and the longest wait for a GET without and with the command.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lexopt::prelude::*;
use tagcached::{Config, Server};

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Bytes of the value that needs much room.
const HUGE: usize = 62 << 20;

/// Tags of the key that has very many.
const TAGS: usize = 100_000;

/// How long the load runs alone.
const ALONE: Duration = Duration::from_millis(500);

struct Case {
    name: &'static str,
    /// TTL of the entries in milliseconds, or `-`.
    ttl: &'static str,
    /// Memory of the server: enough, or full after the filling.
    full: bool,
    /// A line that is sent before the measuring.
    before: fn() -> String,
    /// The line that is measured; with an empty one, half a second passes.
    line: fn() -> String,
}

fn nothing() -> String {
    String::new()
}

fn huge() -> String {
    format!("PUT\thuge\t-\t-\t{}\n", "x".repeat(HUGE))
}

fn many_tags() -> String {
    (0..TAGS).map(|n| format!("tag{n:05},")).collect()
}

fn wide() -> String {
    format!("PUT\twide\t-\t{}\tv\n", many_tags())
}

const CASES: [Case; 11] = [
    case("INV_TAG of all", || "INV_TAG\tall\n".into()),
    case("INV_TAGS_ALL of two tags of all", || {
        "INV_TAGS_ALL\tall,too\n".into()
    }),
    case("INV_TAGS_ANY of 1000 tags, all", || {
        let tags: String = (0..1000).map(|n| format!("group{n},")).collect();
        format!("INV_TAGS_ANY\t{tags}\n")
    }),
    case("KEYS_BY_TAG of all", || "KEYS_BY_TAG\tall\n".into()),
    case("INV_KEYS of 100,000", || {
        let keys: String = (0..100_000).map(|n| format!("{},", key(n))).collect();
        format!("INV_KEYS\t{keys}\n")
    }),
    case("FLUSH", || "FLUSH\n".into()),
    Case {
        ttl: "1",
        ..case("a sweep of all, expired", nothing)
    },
    Case {
        full: true,
        ..case("PUT of 62 MiB, memory full", huge)
    },
    Case {
        before: huge,
        ..case("GET of 62 MiB", || "GET\thuge\n".into())
    },
    case("PUT with 100,000 tags", wide),
    Case {
        before: wide,
        ..case("INV_TAGS_ALL of those 100,000", || {
            format!("INV_TAGS_ALL\t{}\n", many_tags())
        })
    },
];

const fn case(name: &'static str, line: fn() -> String) -> Case {
    Case {
        name,
        ttl: "-",
        full: false,
        before: nothing,
        line,
    }
}

fn key(n: usize) -> String {
    format!("entry:{n:07}")
}

struct Run {
    took: Duration,
    hold: Duration,
    alone: Duration,
    beside: Duration,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut entries, mut runs, mut only) = (1_000_000, 5, String::new());
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("entries") => entries = args.value()?.parse()?,
            Long("runs") => runs = args.value()?.parse()?,
            Long("only") => only = args.value()?.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    println!("| command, {entries} entries | it took | longest hold | GET alone | GET beside it |");
    println!("|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| case.name.contains(&only)) {
        let all = (0..runs)
            .map(|_| measure(case, entries))
            .collect::<Result<Vec<_>, _>>()?;
        let median = |of: fn(&Run) -> Duration| {
            let mut figures: Vec<Duration> = all.iter().map(of).collect();
            figures.sort_unstable();
            format!("{:.2} ms", figures[figures.len() / 2].as_secs_f64() * 1e3)
        };
        println!(
            "| {} | {} | {} | {} | {} |",
            case.name,
            median(|run| run.took),
            median(|run| run.hold),
            median(|run| run.alone),
            median(|run| run.beside),
        );
    }
    Ok(())
}

fn measure(case: &Case, entries: usize) -> std::io::Result<Run> {
    let mut config = Config {
        max_memory_bytes: 4 << 30,
        ..Config::default()
    };
    if case.full {
        // What the entries take is known from a first filling.
        let server = Server::start(config.clone())?;
        fill(server.addr(), entries, case.ttl)?;
        config.max_memory_bytes = server.store().used_bytes() + (1 << 20);
    }
    if case.ttl != "-" {
        config.sweep_interval = Duration::from_secs(3600);
    }
    let server = Server::start(config)?;
    fill(server.addr(), entries, case.ttl)?;
    let mut peer = TcpStream::connect(server.addr())?;
    let before = (case.before)();
    if !before.is_empty() {
        ask(&mut peer, &before)?;
    }
    let line = (case.line)();
    let mut load = Load::new(server.addr())?;
    let end = Instant::now() + ALONE;
    let alone = load.run(|| Instant::now() < end)?;
    server.store().take_longest_hold();
    let done = AtomicBool::new(false);
    let (took, beside) = std::thread::scope(|scope| {
        let command = scope.spawn(|| {
            let start = Instant::now();
            let result = if line.is_empty() {
                let mut sweeper = tagcached::store::Sweeper::default();
                while sweeper.run(server.store(), Duration::from_millis(2)) {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Ok(())
            } else {
                ask(&mut peer, &line)
            };
            let took = start.elapsed();
            // What comes after the reply is part of it.
            std::thread::sleep(Duration::from_millis(200));
            // Relaxed: a flag; the load may run once more.
            done.store(true, Ordering::Relaxed);
            result.map(|()| took)
        });
        // Relaxed: see above.
        let beside = load.run(|| !done.load(Ordering::Relaxed));
        (
            command.join().expect("BUG: a bench thread panicked"),
            beside,
        )
    });
    Ok(Run {
        took: took?,
        hold: server.store().take_longest_hold(),
        alone,
        beside: beside?,
    })
}

/// Sends one line and reads its reply to the end.
fn ask(peer: &mut TcpStream, line: &str) -> std::io::Result<()> {
    let mut writer = peer.try_clone()?;
    std::thread::scope(|scope| {
        let sent = scope.spawn(move || writer.write_all(line.as_bytes()));
        let mut chunk = vec![0; 256 << 10];
        read_line(peer, &mut chunk)?;
        sent.join().expect("BUG: a bench thread panicked")
    })
}

fn read_line(peer: &mut TcpStream, chunk: &mut [u8]) -> std::io::Result<()> {
    loop {
        match peer.read(chunk)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n if chunk[..n].ends_with(b"\n") => return Ok(()),
            _ => {}
        }
    }
}

fn fill(addr: SocketAddr, entries: usize, ttl: &str) -> std::io::Result<()> {
    let mut peer = TcpStream::connect(addr)?;
    let value = "x".repeat(100);
    for start in (0..entries).step_by(1000) {
        let end = entries.min(start + 1000);
        let burst: String = (start..end)
            .map(|n| {
                format!(
                    "PUT\t{}\t{ttl}\tall,too,group{}\t{value}\n",
                    key(n),
                    n % 1000
                )
            })
            .collect();
        peer.write_all(burst.as_bytes())?;
        peer.read_exact(&mut vec![0; 3 * (end - start)])?;
    }
    Ok(())
}

/// Four connections, asked in turn.
struct Load {
    peers: Vec<TcpStream>,
}

impl Load {
    fn new(addr: SocketAddr) -> std::io::Result<Self> {
        let peers = (0..4).map(|_| {
            let peer = TcpStream::connect(addr)?;
            peer.set_nodelay(true)?;
            Ok(peer)
        });
        Ok(Self {
            peers: peers.collect::<std::io::Result<_>>()?,
        })
    }

    /// Asks while `goes_on`; returns the longest wait.
    fn run(&mut self, goes_on: impl Fn() -> bool) -> std::io::Result<Duration> {
        let mut worst = Duration::ZERO;
        let mut chunk = [0; 4096];
        for n in 0.. {
            if !goes_on() {
                break;
            }
            let count = self.peers.len();
            let peer = &mut self.peers[n % count];
            let asked = Instant::now();
            peer.write_all(format!("GET\t{}\n", key(n * 7919 % 1_000_000)).as_bytes())?;
            read_line(peer, &mut chunk)?;
            worst = worst.max(asked.elapsed());
        }
        Ok(worst)
    }
}
