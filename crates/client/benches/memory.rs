//! What an idle connection occupies in this process: `cargo bench -p tagcache-client --bench memory`.
//!
//! Opens a thousand, lets a value of 64 KB travel over each in both directions, and looks how much the process
//! has grown. What the kernel keeps for a socket is its own and not counted.

use std::time::Duration;

use tagcache_client::{
    CallLimits, Commands, Deadline, Endpoint, Pool, PoolConfig, Replies, TagList, Value, call,
};
use tagcached::{Config, Server};

const CONNECTIONS: u32 = 1000;
const VALUE: usize = 64 << 10;

fn main() {
    let server = Server::start(Config::default()).expect("a free port");
    let mut config = PoolConfig::new(Endpoint::tcp(
        server.addr().ip().to_string(),
        server.addr().port(),
    ));
    config.size = 1;
    // The server lives in this process too: what it needs for a first connection is not counted.
    exercise(&Pool::new(config.clone()), 10);

    let before = resident_bytes();
    config.size = CONNECTIONS;
    config.min_idle = CONNECTIONS;
    let pool = Pool::new(config);
    // Idle connections are used in turn, so this many calls use each several times.
    exercise(&pool, 3 * CONNECTIONS);
    let grown = resident_bytes().saturating_sub(before);
    assert_eq!(pool.stats().idle, CONNECTIONS, "all are open and idle");
    let each = grown as f64 / f64::from(CONNECTIONS);
    println!(
        "an idle connection: {each:.0} bytes with the server's end of it, mean of {CONNECTIONS}"
    );
    if let Some(path) = std::env::var_os("TAGCACHE_BENCH_OUT") {
        let json = format!("{{\"idle_connection_bytes\": {each:.0}}}\n");
        std::fs::write(path, json).expect("a file that can be written");
    }
}

fn exercise(pool: &Pool, calls: u32) {
    let limits = CallLimits {
        timeout: Duration::from_secs(60),
        connect_timeout: Duration::from_secs(60),
        ..CallLimits::default()
    };
    let value = vec![b'v'; VALUE];
    let (mut put, mut get) = (Commands::new(), Commands::new());
    put.put(b"key", None, &TagList::new(), Value::Str(&value))
        .expect("a valid key");
    get.get(b"key").expect("a valid key");
    let mut replies = Replies::new();
    for _ in 0..calls {
        let deadline = Deadline::after(limits.timeout);
        call(pool, &limits, &deadline, &put, &mut replies).expect("a running server");
        let deadline = Deadline::after(limits.timeout);
        call(pool, &limits, &deadline, &get, &mut replies).expect("a running server");
    }
}

/// What the process has in memory.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.expect("a number of kilobytes") << 10
}
