//! What the probe at every check-out costs, beside a whole call: `cargo bench -p tagcache-client --bench probe`.
//!
//! Both ways are measured in turn (A B B A) in one run; the figure is the median of the rounds' ratios.

use std::time::{Duration, Instant};

use tagcache_client::{
    CallLimits, Commands, Deadline, Endpoint, Pool, PoolConfig, Replies, TagList, Value, call,
};
use tagcached::{Config, Server};

const ROUNDS: usize = 21;
const CALLS: u32 = 5_000;
const CHECK_OUTS: u32 = 50_000;

fn main() {
    let server = Server::start(Config {
        threads: 1,
        ..Config::default()
    })
    .expect("a free port");
    let endpoint = Endpoint::tcp(server.addr().ip().to_string(), server.addr().port());
    let pool = Pool::new(PoolConfig::new(endpoint));
    let always = CallLimits::default();
    let never = CallLimits {
        probe_after: Duration::from_secs(3600),
        ..always
    };

    let mut commands = Commands::new();
    let mut replies = Replies::new();
    let value = [b'v'; 100];
    commands
        .put(b"key", None, &TagList::new(), Value::Str(&value))
        .expect("a valid key");
    call(
        &pool,
        &always,
        &Deadline::after(always.timeout),
        &commands,
        &mut replies,
    )
    .expect("a running server");
    commands.clear(1024);
    commands.get(b"key").expect("a valid key");

    let mut get = |limits: &CallLimits| {
        per_run(CALLS, || {
            call(
                &pool,
                limits,
                &Deadline::after(limits.timeout),
                &commands,
                &mut replies,
            )
            .expect("a running server")
        })
    };
    report("get 100 B", &mut get, &always, &never);
    let deadline = Deadline::after(Duration::from_secs(3600));
    let mut turn = |limits: &CallLimits| {
        per_run(CHECK_OUTS, || {
            drop(pool.check_out(limits, &deadline).expect("a running server"))
        })
    };
    report("check-out + check-in", &mut turn, &always, &never);
}

/// Returns the nanoseconds of one of `count` runs of `what`.
fn per_run(count: u32, mut what: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        what();
    }
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn report(
    name: &str,
    measure: &mut impl FnMut(&CallLimits) -> f64,
    with: &CallLimits,
    without: &CallLimits,
) {
    let (mut a, mut b, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (a1, b1, b2, a2) = (
            measure(with),
            measure(without),
            measure(without),
            measure(with),
        );
        a.push((a1 + a2) / 2.0);
        b.push((b1 + b2) / 2.0);
        ratio.push((a1 + a2) / (b1 + b2));
    }
    println!(
        "{name}: with probe {:.0} ns, without {:.0} ns, ratio {:.3} (medians of {ROUNDS} rounds)",
        median(a),
        median(b),
        median(ratio)
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
