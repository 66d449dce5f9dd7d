//! `tagcached`: the TagCache protocol in memory, on TCP and Unix sockets, until SIGTERM.

#![forbid(unsafe_code)]

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use tagcached::{Config, OnFull, Server};

/// Gives memory back soon, whichever thread frees it. Its settings are in `.cargo/config.toml`.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const HELP: &str = "\
tagcached: the TagCache protocol in memory

usage: tagcached [OPTIONS]

  --listen ADDR:PORT      TCP address to listen on; port 0 takes a free one
                          (default 127.0.0.1:1984; `none` for no TCP)
  --unix PATH             also listen on a Unix socket
  --threads N             worker threads, 1 to 256 (default: one a processor)
  --max-memory SIZE       what all entries may occupy (default 1G)
  --on-full evict|error   when memory is full: remove what was used least recently,
                          or answer `ERR out_of_memory` (default evict)
  --max-connections N     connections at once (default 4096); for one more, the one that
                          has been idle for longest, and for a second, is closed
  --idle-timeout SECONDS  close connections that do nothing for so long, 1 to 31536000
                          (default none)
  --max-line SIZE         longest request line (default 64M)
  --max-output SIZE       unsent replies of one connection before its requests wait
                          (default 1M)
  --sweep-ms N            pause between sweeps for expired entries (default 100)
  --port-file PATH        write the TCP port there when ready
  --help                  print this
  --version               print the version

SIZE is a number of bytes, or one with K, M or G (times 1024 each).
SIGTERM and SIGINT stop it. SIGUSR1 prints a line with the number of entries, their bytes,
connections, evictions, and the longest hold of a lock since the last such line.
";

fn main() -> ExitCode {
    let config = match parse() {
        Ok(Some(config)) => config,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tagcached: {error}; see --help");
            return ExitCode::from(2);
        }
    };
    match serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tagcached: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until a signal.
fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    // First, so that a signal during the start stops it in order too.
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR1])?;
    let unix = config.unix.clone();
    let tcp = config.listen.is_some();
    let server = Server::start(config)?;
    let tcp = tcp.then(|| server.addr().to_string());
    let unix = unix.map(|path| format!("unix:{}", path.display()));
    let places: Vec<String> = tcp.into_iter().chain(unix).collect();
    println!("tagcached listening on {}", places.join(" and "));
    for signal in signals.forever() {
        if signal != SIGUSR1 {
            break;
        }
        report(&server);
    }
    server.stop();
    Ok(())
}

/// Prints how the server stands.
fn report(server: &Server) {
    let store = server.store();
    println!(
        "tagcached entries {} bytes {} connections {} evictions {} longest_hold_us {}",
        store.len(),
        store.used_bytes(),
        server.connections(),
        store.stats().evictions,
        store.take_longest_hold().as_micros(),
    );
}

/// Reads the command line; None when it asked for a text only.
fn parse() -> Result<Option<Config>, lexopt::Error> {
    let mut config = Config {
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 1984))),
        ..Config::default()
    };
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("listen") => config.listen = args.value()?.parse_with(listen)?,
            Long("unix") => config.unix = Some(args.value()?.into()),
            Long("threads") => {
                config.threads = args.value()?.parse_with(|text| match text.parse() {
                    Ok(n @ 1..=256) => Ok(n),
                    _ => Err("give 1 to 256 threads"),
                })?
            }
            Long("max-memory") => config.max_memory_bytes = args.value()?.parse_with(size)?,
            Long("on-full") => config.on_full = args.value()?.parse_with(on_full)?,
            Long("max-connections") => config.max_connections = args.value()?.parse()?,
            Long("idle-timeout") => {
                config.idle_timeout = args.value()?.parse_with(idle_timeout)?;
            }
            Long("max-line") => config.max_line_bytes = args.value()?.parse_with(size)?,
            Long("max-output") => config.max_output_bytes = args.value()?.parse_with(size)?,
            Long("sweep-ms") => {
                config.sweep_interval = Duration::from_millis(args.value()?.parse()?);
            }
            Long("port-file") => config.port_file = Some(args.value()?.into()),
            Short('h') | Long("help") => {
                print!("{HELP}");
                return Ok(None);
            }
            Short('V') | Long("version") => {
                println!("tagcached {}", env!("CARGO_PKG_VERSION"));
                return Ok(None);
            }
            other => return Err(other.unexpected()),
        }
    }
    config
        .check()
        .map_err(|error| lexopt::Error::Custom(error.into()))?;
    Ok(Some(config))
}

fn listen(text: &str) -> Result<Option<SocketAddr>, String> {
    match text {
        "none" => Ok(None),
        _ => text
            .parse()
            .map(Some)
            .map_err(|_| "give ADDR:PORT, such as 127.0.0.1:1984".into()),
    }
}

fn idle_timeout(text: &str) -> Result<Option<Duration>, &'static str> {
    match (text, text.parse()) {
        ("none", _) => Ok(None),
        (_, Ok(seconds @ 1..=31_536_000)) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err("give 1 to 31536000 seconds, or none"),
    }
}

fn on_full(text: &str) -> Result<OnFull, &'static str> {
    match text {
        "evict" => Ok(OnFull::Evict),
        "error" => Ok(OnFull::Error),
        _ => Err("give evict or error"),
    }
}

fn size(text: &str) -> Result<usize, &'static str> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let number: Option<usize> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or("give a number of bytes, or one with K, M or G")
}
