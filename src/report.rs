//! Figures as PHP arrays.

use std::time::Duration;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use tagcache_client::{Latency, Pool, ServerStats};

use crate::metrics::BOUNDS_US;

/// Makes an array of names and values. *May bail out.*
pub(crate) fn table(rows: &[(&str, Zval)]) -> ZBox<ZendHashTable> {
    let mut table = ZendHashTable::new();
    for (name, value) in rows {
        table
            .insert(*name, value.shallow_clone())
            .expect("BUG: a name with a NUL");
    }
    table
}

/// Makes a list of strings. *May bail out.*
pub(crate) fn list(texts: &[&[u8]]) -> ZBox<ZendHashTable> {
    let mut list = ZendHashTable::new();
    for text in texts {
        let mut value = Zval::new();
        value.set_zend_string(ZendStr::new(text, false));
        list.push(value).expect("BUG: a zval is a zval");
    }
    list
}

/// Makes a string.
pub(crate) fn text(text: &str) -> Zval {
    let mut value = Zval::new();
    value.set_zend_string(ZendStr::new(text, false));
    value
}

/// Makes an integer.
pub(crate) fn number(number: i64) -> Zval {
    let mut value = Zval::new();
    value.set_long(number);
    value
}

/// Makes an integer of a time, in milliseconds.
fn ms(span: Duration) -> Zval {
    number(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

/// Makes an integer of a count.
pub(crate) fn counter(count: u64) -> Zval {
    number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Makes what `stats()` returns.
pub(crate) fn server(stats: &ServerStats) -> ZBox<ZendHashTable> {
    let mut hit_ratio = Zval::new();
    hit_ratio.set_double(stats.hit_ratio);
    table(&[
        ("hits", counter(stats.hits)),
        ("misses", counter(stats.misses)),
        ("puts", counter(stats.puts)),
        ("invalidations", counter(stats.invalidations)),
        ("hit_ratio", hit_ratio),
    ])
}

/// Makes a float.
pub(crate) fn real(number: f64) -> Zval {
    let mut value = Zval::new();
    value.set_double(number);
    value
}

/// Makes an array within an array.
pub(crate) fn nested(table: ZBox<ZendHashTable>) -> Zval {
    let mut value = Zval::new();
    value.set_hashtable(table);
    value
}

/// Makes a list. *May bail out.*
pub(crate) fn rows(rows: Vec<Zval>) -> Zval {
    let mut list = ZendHashTable::new();
    for row in rows {
        list.push(row).expect("BUG: a zval is a zval");
    }
    nested(list)
}

/// Makes what `poolStats()` returns. *May bail out.*
pub(crate) fn pool(pool: &Pool) -> ZBox<ZendHashTable> {
    table(&pool_rows(pool))
}

/// Returns the rows of [`pool()`]. *May bail out.*
pub(crate) fn pool_rows(pool: &Pool) -> Vec<(&'static str, Zval)> {
    let stats = pool.stats();
    let latencies = pool.latencies();
    let oldest = stats.oldest.map_or_else(Zval::null, ms);
    let outage = pool.breaker().outage();
    vec![
        ("endpoint", text(&pool.config().endpoint.to_string())),
        ("size", counter(stats.size.into())),
        ("idle", counter(stats.idle.into())),
        ("in_use", counter(stats.in_use.into())),
        ("waiters", counter(stats.waiters.into())),
        ("opened", counter(stats.opened)),
        ("closed_broken", counter(stats.closed_broken)),
        ("closed_stale", counter(stats.closed_stale)),
        ("closed_retired", counter(stats.closed_retired)),
        ("check_outs", counter(stats.check_outs)),
        ("waits", counter(stats.waits)),
        ("acquire_timeouts", counter(stats.acquire_timeouts)),
        ("connect_failures", counter(stats.connect_failures)),
        ("connects_skipped", counter(stats.connects_skipped)),
        ("retries", counter(stats.retries)),
        ("bytes_sent", counter(stats.bytes_sent)),
        ("bytes_received", counter(stats.bytes_received)),
        ("oldest_ms", oldest),
        (
            "unreachable_ms",
            outage
                .as_ref()
                .map_or_else(Zval::null, |outage| ms(outage.failing)),
        ),
        (
            "next_try_ms",
            outage
                .as_ref()
                .and_then(|outage| outage.next_try)
                .map_or_else(Zval::null, ms),
        ),
        ("acquire_us", quantiles(&latencies.acquire)),
        ("round_trip_us", quantiles(&latencies.round_trip)),
    ]
}

fn quantiles(latency: &Latency) -> Zval {
    let us = |q: f64| real(latency.quantile(q).as_nanos() as f64 / 1e3);
    nested(table(&[
        ("count", counter(latency.count())),
        ("p50", us(0.5)),
        ("p95", us(0.95)),
        ("p99", us(0.99)),
        ("max", us(1.0)),
    ]))
}

/// Makes a list of how many lasted up to which time, and not up to the one before. *May bail out.*
pub(crate) fn buckets(latency: &Latency) -> Zval {
    let mut before = 0;
    let mut list = Vec::new();
    for us in BOUNDS_US {
        let within = latency.within(Duration::from_micros(us));
        list.push(nested(table(&[
            ("le_us", number(i64::try_from(us).unwrap_or(i64::MAX))),
            ("count", counter(within - before)),
        ])));
        before = within;
    }
    list.push(nested(table(&[
        ("le_us", Zval::null()),
        ("count", counter(latency.count().saturating_sub(before))),
    ])));
    rows(list)
}
