//! The figures of all pools of the process, in the text format of Prometheus.

use std::fmt::Write;
use std::time::Duration;

use tagcache_client::{Latency, Pool, PoolStats};

use crate::VERSION;
use crate::registry;

/// The upper bounds of the buckets, in microseconds.
pub(crate) const BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

type Read = fn(&PoolStats) -> f64;

/// What is one figure a pool: name, type, help, how to read it.
const FIGURES: [(&str, &str, &str, Read); 15] = [
    (
        "pool_size",
        "gauge",
        "Connections that may exist at most.",
        |s| s.size.into(),
    ),
    (
        "pool_idle",
        "gauge",
        "Connections that wait in the pool.",
        |s| s.idle.into(),
    ),
    (
        "pool_in_use",
        "gauge",
        "Connections that are checked out.",
        |s| s.in_use.into(),
    ),
    (
        "pool_waiters",
        "gauge",
        "Threads that wait for a connection.",
        |s| s.waiters.into(),
    ),
    (
        "pool_oldest_connection_seconds",
        "gauge",
        "Age of the oldest connection, 0 if there is none.",
        |s| s.oldest.unwrap_or_default().as_secs_f64(),
    ),
    (
        "connections_opened_total",
        "counter",
        "Connections opened.",
        |s| s.opened as f64,
    ),
    (
        "connect_failures_total",
        "counter",
        "Attempts to connect that failed.",
        |s| s.connect_failures as f64,
    ),
    (
        "connects_skipped_total",
        "counter",
        "Calls that failed without an attempt to connect, as one had just failed.",
        |s| s.connects_skipped as f64,
    ),
    (
        "check_outs_total",
        "counter",
        "Connections checked out.",
        |s| s.check_outs as f64,
    ),
    (
        "waits_total",
        "counter",
        "Check-outs that had to wait.",
        |s| s.waits as f64,
    ),
    (
        "acquire_timeouts_total",
        "counter",
        "Check-outs that gave up waiting.",
        |s| s.acquire_timeouts as f64,
    ),
    (
        "retries_total",
        "counter",
        "Calls sent a second time.",
        |s| s.retries as f64,
    ),
    ("sent_bytes_total", "counter", "Bytes sent.", |s| {
        s.bytes_sent as f64
    }),
    ("received_bytes_total", "counter", "Bytes received.", |s| {
        s.bytes_received as f64
    }),
    (
        "drains_total",
        "counter",
        "How often the pool was drained.",
        |s| s.epoch as f64,
    ),
];

/// Returns the text.
pub(crate) fn text() -> String {
    let registered = registry::sorted();
    let pools: Vec<_> = registered
        .iter()
        .map(|pool| (labels(pool), pool.stats(), pool.latencies()))
        .collect();
    let mut out = String::new();
    head(
        &mut out,
        "build_info",
        "gauge",
        "The extension in this process.",
    );
    let thread_safe = cfg!(php_zts);
    line(
        &mut out,
        "build_info",
        &format!("version=\"{VERSION}\",thread_safe=\"{thread_safe}\""),
        1.0,
    );
    head(&mut out, "pools", "gauge", "Pools of this process.");
    line(&mut out, "pools", "", pools.len() as f64);
    for (name, kind, help, read) in FIGURES {
        head(&mut out, name, kind, help);
        for (labels, stats, _) in &pools {
            line(&mut out, name, labels, read(stats));
        }
    }
    let name = "server_unreachable";
    head(
        &mut out,
        name,
        "gauge",
        "1 from an attempt to connect that failed to the next that succeeds.",
    );
    for (pool, (labels, ..)) in registered.iter().zip(&pools) {
        let away = pool.breaker().outage().is_some();
        line(&mut out, name, labels, u8::from(away).into());
    }
    let name = "connections_closed_total";
    head(&mut out, name, "counter", "Connections closed, by reason.");
    for (labels, stats, _) in &pools {
        for (reason, count) in [
            ("broken", stats.closed_broken),
            ("stale", stats.closed_stale),
            ("retired", stats.closed_retired),
        ] {
            line(
                &mut out,
                name,
                &format!("{labels},reason=\"{reason}\""),
                count as f64,
            );
        }
    }
    let name = "acquire_seconds";
    head(
        &mut out,
        name,
        "histogram",
        "Waiting for a connection of the pool.",
    );
    for (labels, _, latencies) in &pools {
        histogram(&mut out, name, labels, &latencies.acquire);
    }
    let name = "round_trip_seconds";
    head(
        &mut out,
        name,
        "histogram",
        "From the connection to the last reply.",
    );
    for (labels, _, latencies) in &pools {
        histogram(&mut out, name, labels, &latencies.round_trip);
    }
    out
}

/// Returns a short name of the pool that tells it from others to the same server, the same in every
/// process with the same options.
pub(crate) fn id_of(pool: &Pool) -> String {
    // FNV-1a over the description of its options.
    let hash = format!("{:?}", pool.config())
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{:08x}", hash >> 32)
}

fn labels(pool: &Pool) -> String {
    let server = pool.config().endpoint.to_string();
    format!("server=\"{}\",pool=\"{}\"", escaped(&server), id_of(pool))
}

/// Escapes a value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(
        out,
        "# HELP tagcache_{name} {help}\n# TYPE tagcache_{name} {kind}"
    )
    .expect("BUG: a string takes everything");
}

fn line(out: &mut String, name: &str, labels: &str, value: f64) {
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    };
    writeln!(out, "tagcache_{name}{labels} {value}").expect("BUG: a string takes everything");
}

fn histogram(out: &mut String, name: &str, labels: &str, latency: &Latency) {
    let bucket = format!("{name}_bucket");
    for us in BOUNDS_US {
        let bound = us as f64 / 1e6;
        let within = latency.within(Duration::from_micros(us));
        line(
            out,
            &bucket,
            &format!("{labels},le=\"{bound}\""),
            within as f64,
        );
    }
    let count = latency.count() as f64;
    line(out, &bucket, &format!("{labels},le=\"+Inf\""), count);
    line(
        out,
        &format!("{name}_sum"),
        labels,
        latency.sum().as_secs_f64(),
    );
    line(out, &format!("{name}_count"), labels, count);
}
