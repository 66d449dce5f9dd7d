//! Measures GETs over raw blocking sockets: bursts of `depth` requests, one burst out before the
//! next, on some connections at once. Prints keys per second and the time of a burst.
//!
//! `cargo run --release -p tagcached --example wire_bench -- 127.0.0.1:1984 --depth 100`
//!
//! With `--resp` it asks a Redis server for the same; with `--put` it writes instead, with `--tags` under two tags.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lexopt::prelude::*;

/// Distinct keys, so that the lookups are not always of the same entry.
const KEYS: usize = 10_000;

struct Options {
    addr: SocketAddr,
    depth: usize,
    connections: usize,
    value: usize,
    time: Duration,
    resp: bool,
    put: bool,
    tags: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = parse()?;
    fill(&options)?;
    let end = Instant::now() + options.time;
    let start = Instant::now();
    let options = &options;
    let bursts = std::thread::scope(|scope| -> std::io::Result<Vec<Duration>> {
        let threads: Vec<_> = (0..options.connections)
            .map(|n| scope.spawn(move || run(options, n, end)))
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().expect("BUG: a bench thread panicked")?);
        }
        Ok(all)
    });
    let mut bursts = bursts?;
    let rate = bursts.len() as f64 * options.depth as f64 / start.elapsed().as_secs_f64();
    bursts.sort_unstable();
    let at = |part: f64| bursts[((bursts.len() - 1) as f64 * part) as usize];
    println!(
        "depth {:5} connections {:3} value {:6}: {:10.0} keys/s, burst p50 {:?} p99 {:?} p99.9 {:?}",
        options.depth,
        options.connections,
        options.value,
        rate,
        at(0.5),
        at(0.99),
        at(0.999)
    );
    Ok(())
}

fn parse() -> Result<Options, lexopt::Error> {
    let mut options = Options {
        addr: SocketAddr::from(([127, 0, 0, 1], 1984)),
        depth: 1,
        connections: 1,
        value: 100,
        time: Duration::from_secs(2),
        resp: false,
        put: false,
        tags: false,
    };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Value(addr) => options.addr = addr.parse()?,
            Long("depth") => options.depth = args.value()?.parse()?,
            Long("connections") => options.connections = args.value()?.parse()?,
            Long("value") => options.value = args.value()?.parse()?,
            Long("ms") => options.time = Duration::from_millis(args.value()?.parse()?),
            Long("resp") => options.resp = true,
            Long("put") => options.put = true,
            Long("tags") => options.tags = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn key(n: usize) -> String {
    format!("bench:{:06}", n % KEYS)
}

fn fill(options: &Options) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(options.addr)?;
    for n in 0..KEYS {
        stream.write_all(put(options, &key(n)).as_bytes())?;
        let mut reply = vec![0; if options.resp { 5 } else { 3 }];
        stream.read_exact(&mut reply)?;
    }
    Ok(())
}

/// A request that stores a value.
fn put(options: &Options, key: &str) -> String {
    let value = "x".repeat(options.value);
    let (k, v) = (key.len(), value.len());
    if options.resp {
        return format!("*3\r\n$3\r\nSET\r\n${k}\r\n{key}\r\n${v}\r\n{value}\r\n");
    }
    let tags = if options.tags { "group:1,kind:2" } else { "-" };
    format!("PUT\t{key}\t-\t{tags}\t{value}\n")
}

/// Sends bursts until `end`; returns the time of each.
fn run(options: &Options, start: usize, end: Instant) -> std::io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(options.addr)?;
    stream.set_nodelay(true)?;
    let requests: Vec<Vec<u8>> = (0..16)
        .map(|burst| {
            let keys = (0..options.depth).map(|n| key(start * 997 + burst * 613 + n * 31));
            keys.map(|key| {
                if options.put {
                    put(options, &key)
                } else if options.resp {
                    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())
                } else {
                    format!("GET\t{key}\n")
                }
            })
            .collect::<String>()
            .into_bytes()
        })
        .collect();
    let overhead = if options.resp {
        options.value.to_string().len() + 1 + 4
    } else {
        "VALUE\t\n".len()
    };
    let expected = match (options.put, options.resp) {
        (true, true) => options.depth * "+OK\r\n".len(),
        (true, false) => options.depth * "OK\n".len(),
        _ => options.depth * (options.value + overhead),
    };
    let mut chunk = vec![0; 256 << 10];
    let mut times = Vec::new();
    while Instant::now() < end {
        let burst = Instant::now();
        stream.write_all(&requests[times.len() % requests.len()])?;
        let mut got = 0;
        while got < expected {
            match stream.read(&mut chunk)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                n => got += n,
            }
        }
        times.push(burst.elapsed());
    }
    Ok(times)
}
