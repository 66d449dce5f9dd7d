//! `TagCache::doctor()`: what the figures of this process mean, what is configured badly, and what to do.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::{Endpoint, Error, Pool, PoolStats, ask_all};

use crate::error::Failure;
use crate::ffi::{self, Owned};
use crate::options::Options;
use crate::report::{self, number, real, text};
use crate::slowlog;
use crate::trouble;
use crate::{VERSION, metrics, options, registry};

/// How long a server may take to answer, and how many servers are asked.
const PATIENCE: Duration = Duration::from_secs(1);
const ASKED_AT_MOST: usize = 8;
/// From how many calls on shares mean something.
const MANY: u64 = 100;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Advice,
}

/// One finding.
struct Finding {
    level: Level,
    what: String,
    advice: &'static str,
}

/// What was found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, what: String, advice: &'static str) {
        self.0.push(Finding {
            level,
            what,
            advice,
        });
    }

    fn check(
        &mut self,
        bad: bool,
        level: Level,
        what: impl FnOnce() -> String,
        advice: &'static str,
    ) {
        if bad {
            self.add(level, what(), advice);
        }
    }
}

/// Makes what `doctor()` returns. Asks the servers of the pools for a sign of life. *May bail out.*
pub(crate) fn examine() -> ZBox<ZendHashTable> {
    let mut findings = Findings::default();
    let mut pools = Owned::new(registry::sorted());
    let options = Options::from_ini();
    match &options {
        Err(Failure::Invalid(why)) => findings.add(
            Level::Error,
            why.clone(),
            "every handle made without this option throws; correct the INI setting",
        ),
        Err(_) => {}
        // Looked at, and thrown away again.
        Ok(options) if pools.is_empty() => pools.push(Arc::new(Pool::new(options.pool.clone()))),
        Ok(_) => {}
    }
    let servers = Owned::new(Servers::asked(&pools));
    for error in servers
        .answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
    {
        let (what, advice) = parted(error);
        findings.add(Level::Error, what, advice);
    }
    let mut rows = Vec::new();
    for pool in pools.iter() {
        of_pool(pool, &mut findings);
        rows.push(row(pool, servers.answer_of(pool)));
    }
    of_many(&pools, &mut findings);
    of_process(options.ok().as_ref(), &mut findings);
    findings.0.sort_by_key(|finding| finding.level);
    let worst = findings.0.first().map(|finding| finding.level);
    report::table(&[
        ("ok", flag(worst.is_none_or(|level| level == Level::Advice))),
        ("version", text(VERSION)),
        ("thread_safe", flag(cfg!(php_zts))),
        ("pid", number(i64::from(std::process::id()))),
        (
            "findings",
            report::rows(findings.0.iter().map(told).collect()),
        ),
        ("pools", report::rows(rows)),
        ("errors", report::rows(errors())),
        ("slow_log", slow_log()),
    ])
}

/// The servers of the pools, and what came of asking them.
#[derive(Debug)]
struct Servers {
    endpoints: Vec<Endpoint>,
    answers: Vec<Result<Duration, Error>>,
}

impl Servers {
    /// Asks each server once, all at the same time. The pools are not used for it: it shall not change
    /// the figures that it is about, nor wait in their lines.
    fn asked(pools: &[Arc<Pool>]) -> Self {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for pool in pools {
            let endpoint = &pool.config().endpoint;
            if !endpoints.contains(endpoint) && endpoints.len() < ASKED_AT_MOST {
                endpoints.push(endpoint.clone());
            }
        }
        let answers = ask_all(&endpoints, PATIENCE);
        Self { endpoints, answers }
    }

    /// Returns how long the server of `pool` took, if it was asked and answered.
    fn answer_of(&self, pool: &Pool) -> Option<Duration> {
        let endpoint = &pool.config().endpoint;
        let nth = self.endpoints.iter().position(|one| one == endpoint)?;
        self.answers.get(nth)?.as_ref().ok().copied()
    }
}

/// Returns what is wrong with a server that gave no answer, and what to do.
fn parted(error: &Error) -> (String, &'static str) {
    let advice = error
        .advice()
        .unwrap_or("is it a TagCache server, and is it being restarted just now?");
    let mut what = error.to_string();
    if let Some(alone) = what.strip_suffix(advice) {
        what.truncate(alone.trim_end_matches("; ").len());
    }
    (what, advice)
}

/// Judges one pool by its figures.
fn of_pool(pool: &Pool, findings: &mut Findings) {
    let stats = pool.stats();
    let server = pool.config().endpoint.to_string();
    let PoolStats {
        check_outs, waits, ..
    } = stats;
    findings.check(
        stats.acquire_timeouts > 0,
        Level::Error,
        || {
            format!(
                "{server}: {} calls gave up waiting for one of {} connections",
                stats.acquire_timeouts, stats.size
            )
        },
        "raise pool_size, or find the calls that hold connections for long (tagcache.slow_log_ms)",
    );
    findings.check(
        check_outs >= MANY && waits * 10 > check_outs,
        Level::Warning,
        || {
            let p95 = pool.latencies().acquire.quantile(0.95);
            format!(
                "{server}: {waits} of {check_outs} calls had to wait for a connection (95 % at most \
                 {:.1} ms)",
                p95.as_secs_f64() * 1e3
            )
        },
        "raise pool_size if the waiting hurts; some is normal under load, and connections are few so \
         that the server has it easy",
    );
    findings.check(
        stats.connect_failures > 0,
        Level::Warning,
        || {
            let times = match stats.connect_failures {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            format!("{server}: connecting failed {times}")
        },
        "see the last errors; a refused connection is a server that was not running",
    );
    findings.check(
        stats.closed_broken >= 10 && stats.closed_broken * 100 > check_outs,
        Level::Warning,
        || {
            format!(
                "{server}: {} connections broke in {check_outs} calls",
                stats.closed_broken
            )
        },
        "timeouts and replies beyond max_reply_bytes end connections; see the last errors",
    );
    findings.check(
        check_outs >= MANY && stats.closed_stale * 10 > check_outs,
        Level::Warning,
        || {
            format!(
                "{server}: {} connections were closed by the server between {check_outs} calls",
                stats.closed_stale
            )
        },
        "the server or something between closes idle connections: set idle_timeout_ms below its limit",
    );
    let slow = pool.latencies().round_trip;
    findings.check(
        slow.count() >= MANY && slow.quantile(0.99) > Duration::from_millis(100),
        Level::Warning,
        || {
            format!(
                "{server}: one call of a hundred takes {:.0} ms or more",
                slow.quantile(0.99).as_secs_f64() * 1e3
            )
        },
        "set tagcache.slow_log_ms to see which; large values and KEYS_BY_TAG of many keys are slow",
    );
    if let Endpoint::Tcp { host, .. } = &pool.config().endpoint {
        findings.check(
            host.parse().is_ok_and(is_public),
            Level::Error,
            || format!("{server} is a public address"),
            "the protocol has neither password nor encryption: keep it on a private network",
        );
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xC0 == 64;
            let apart = v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared;
            !(apart || v4.is_documentation() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => v6.segments()[0] & 0xE000 == 0x2000 && v6.segments()[1] != 0x0DB8,
    }
}

/// Judges the pools together.
fn of_many(pools: &[Arc<Pool>], findings: &mut Findings) {
    for (nth, pool) in pools.iter().enumerate() {
        let same = |other: &&Arc<Pool>| other.config().endpoint == pool.config().endpoint;
        let all = pools.iter().filter(same).count();
        let first = !pools[..nth].iter().any(|other| same(&other));
        findings.check(
            first && all > 1,
            Level::Advice,
            || format!("{}: {all} pools lead to this server", pool.config().endpoint),
            "handles share a pool when pool_size, min_idle, idle_timeout_ms, max_lifetime_ms and the \
             keep-alive options are equal",
        );
    }
    let most = options::max_pools();
    findings.check(
        pools.len() * 4 > most * 3,
        Level::Warning,
        || format!("{} of {most} pools are in use", pools.len()),
        "beyond tagcache.max_pools pools are thrown away: share options, or raise it",
    );
}

/// Judges settings of the process.
fn of_process(options: Option<&Options>, findings: &mut Findings) {
    let seconds = ffi::ini_text(c"max_execution_time", |text| {
        std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok()
    });
    if let (Some(options), Some(seconds @ 1..)) = (options, seconds.flatten()) {
        findings.check(
            options.limits.timeout >= Duration::from_secs(seconds),
            Level::Warning,
            || {
                format!(
                    "tagcache.timeout_ms ({}) is not below max_execution_time ({seconds} s)",
                    options.limits.timeout.as_millis()
                )
            },
            "a server that hangs then ends scripts by a fatal error instead of an exception",
        );
        findings.check(
            options.limits.max_reply_bytes as u64 > memory_limit().unwrap_or(u64::MAX),
            Level::Warning,
            || "tagcache.max_reply_bytes is above memory_limit".to_owned(),
            "a large value then ends scripts by a fatal error instead of an exception",
        );
    }
    if let Some(path) = slowlog::file() {
        if let Err(error) = slowlog::open(&path) {
            let path = slowlog::escaped(path.as_os_str().as_encoded_bytes());
            findings.add(
                Level::Error,
                format!("tagcache.slow_log \"{path}\" can't be written: {error}"),
                on_writing(&error),
            );
        }
        findings.check(
            slowlog::threshold().is_none(),
            Level::Advice,
            || "tagcache.slow_log names a file, but tagcache.slow_log_ms is 0".to_owned(),
            "set tagcache.slow_log_ms to the milliseconds from which on a call is slow",
        );
    }
    let recent = trouble::now().saturating_sub(Duration::from_secs(60));
    let times: u64 = trouble::last()
        .iter()
        .filter(|trouble| trouble.at >= recent)
        .map(|trouble| trouble.times)
        .sum();
    findings.check(
        times > 0,
        Level::Warning,
        || format!("calls of this process that failed within the last minute: {times}"),
        "see the last errors",
    );
}

/// Returns what to do about a file that can't be opened for writing.
fn on_writing(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "make the directory that it is to lie in",
        io::ErrorKind::PermissionDenied => {
            "give the user that PHP runs as the right to write there"
        }
        _ => "name a file in a directory that exists, on a disk that can be written",
    }
}

fn memory_limit() -> Option<u64> {
    ffi::ini_text(c"memory_limit", options::quantity).flatten()
}

fn told(finding: &Finding) -> Zval {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Advice => "advice",
    };
    report::nested(report::table(&[
        ("level", text(level)),
        ("what", text(&finding.what)),
        ("advice", text(finding.advice)),
    ]))
}

fn row(pool: &Pool, answer: Option<Duration>) -> Zval {
    let mut rows = report::pool_rows(pool);
    rows.push(("id", text(&metrics::id_of(pool))));
    let answer_ms = answer.map_or_else(Zval::null, |span| real(span.as_secs_f64() * 1e3));
    rows.push(("answer_ms", answer_ms));
    let latencies = pool.latencies();
    rows.push(("acquire_buckets", report::buckets(&latencies.acquire)));
    rows.push(("round_trip_buckets", report::buckets(&latencies.round_trip)));
    report::nested(report::table(&rows))
}

fn errors() -> Vec<Zval> {
    let last = trouble::last();
    let rows = last.iter().map(|trouble| {
        report::nested(report::table(&[
            ("at", real(trouble.at.as_secs_f64())),
            ("message", text(&trouble.message)),
            ("times", report::counter(trouble.times)),
        ]))
    });
    rows.collect()
}

fn slow_log() -> Zval {
    let ms = slowlog::threshold().map_or(0, |threshold| threshold.as_millis());
    let file = slowlog::file().map_or_else(Zval::null, |path| text(&path.to_string_lossy()));
    report::nested(report::table(&[
        ("ms", number(i64::try_from(ms).unwrap_or(i64::MAX))),
        ("file", file),
    ]))
}

fn flag(flag: bool) -> Zval {
    let mut value = Zval::new();
    value.set_bool(flag);
    value
}
