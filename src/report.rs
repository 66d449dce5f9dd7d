//! Figures as PHP arrays.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use tagcache_client::{PoolStats, ServerStats};

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

fn counter(count: u64) -> Zval {
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

/// Makes what `poolStats()` returns.
pub(crate) fn pool(endpoint: &str, stats: &PoolStats) -> ZBox<ZendHashTable> {
    table(&[
        ("endpoint", text(endpoint)),
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
        ("retries", counter(stats.retries)),
    ])
}
