//! `TagCache::doctor()`: what the figures of this process mean, what is configured badly, and what to do. It judges the
//! last minute: what was over before is told by the figures, and is no finding.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, Zval};
use tagcache_client::{Endpoint, Error, LastMinute, Pool, PoolStats, ask_all};

use crate::error::Failure;
use crate::ffi::{self, Owned};
use crate::options::Options;
use crate::report::{self, number, real, text};
use crate::slowlog;
use crate::trouble;
use crate::{VERSION, handle, metrics, options, registry};

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
    /// Since when it is so, since 1970, where that is known.
    since: Option<Duration>,
}

/// What was found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, level: Level, what: String, advice: &'static str) {
        self.add_since(level, None, what, advice);
    }

    /// Adds one that began `ago`.
    fn add_since(
        &mut self,
        level: Level,
        ago: Option<Duration>,
        what: String,
        advice: &'static str,
    ) {
        self.0.push(Finding {
            level,
            what,
            advice,
            since: ago.map(|ago| trouble::now().saturating_sub(ago)),
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
    let mut pools = Owned::new(pools());
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
    servers.judge(&pools, &mut findings);
    let mut rows = Vec::new();
    for pool in pools.iter() {
        of_pool(pool, &pool.last_minute(), &mut findings);
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

/// Returns the pools of the process, first those that the handles of this thread lead to, whether they have sent
/// anything or not.
fn pools() -> Vec<Arc<Pool>> {
    let ours = handle::destinations();
    for config in &ours {
        // Made as by the first call of the handle.
        drop(registry::pool(config));
    }
    let mut pools = registry::sorted();
    pools.sort_by_key(|pool| !ours.contains(pool.config()));
    pools
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

    /// Judges which of the servers can be reached, now and by the calls of this process.
    fn judge(&self, pools: &[Arc<Pool>], findings: &mut Findings) {
        for (endpoint, answer) in self.endpoints.iter().zip(&self.answers) {
            let outage = pools
                .iter()
                .filter(|pool| pool.config().endpoint == *endpoint)
                .find_map(|pool| pool.breaker().outage());
            let ago = outage.as_ref().map(|outage| outage.failing);
            match (answer, outage) {
                (Err(error), _) => {
                    let (what, advice) = parted(error);
                    findings.add_since(Level::Error, ago, what, advice);
                }
                (Ok(_), Some(outage)) => findings.add_since(
                    Level::Warning,
                    ago,
                    format!("{endpoint} answers, but the calls of this process don't know yet: {}", outage.reason),
                    "the next call that tries finds it, connect_backoff_ms after the last at the latest",
                ),
                (Ok(_), None) => {}
            }
        }
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

/// Judges one pool by the figures of its last minute.
fn of_pool(pool: &Pool, minute: &LastMinute, findings: &mut Findings) {
    let server = pool.config().endpoint.to_string();
    let check_outs = minute.count(|stats| stats.check_outs);
    let latencies = minute.latencies();
    let mut check = |bad: &dyn Fn(u64) -> bool,
                     level: Level,
                     read: &dyn Fn(&PoolStats) -> u64,
                     what: &dyn Fn(u64) -> String,
                     advice: &'static str| {
        let count = minute.count(read);
        if count > 0 && bad(count) {
            let what = format!("{server}: {} within the last minute", what(count));
            findings.add_since(level, minute.began(read), what, advice);
        }
    };
    check(
        &|_| true,
        Level::Error,
        &|stats| stats.acquire_timeouts,
        &|count| {
            let size = pool.config().size;
            format!("{count} calls gave up waiting for one of {size} connections")
        },
        "raise pool_size, or find the calls that hold connections for long (tagcache.slow_log_ms)",
    );
    check(
        &|waits| check_outs >= MANY && waits * 10 > check_outs,
        Level::Warning,
        &|stats| stats.waits,
        &|waits| {
            let p95 = latencies.acquire.quantile(0.95).as_secs_f64() * 1e3;
            format!(
                "{waits} of {check_outs} calls had to wait for a connection (95 % at most {p95:.1} ms)"
            )
        },
        "raise pool_size if the waiting hurts; some is normal under load, and connections are few so \
         that the server has it easy",
    );
    check(
        &|_| true,
        Level::Warning,
        &|stats| stats.connect_failures,
        &|count| format!("connecting failed {}", times(count)),
        "see the last errors; a refused connection is a server that was not running",
    );
    check(
        &|_| true,
        Level::Warning,
        &|stats| stats.connects_skipped,
        &|count| format!("{count} calls did not try to connect, as others just had in vain"),
        "see the last errors; connect_backoff_ms is how long they leave it alone at most",
    );
    check(
        &|broken| broken >= 10 && broken * 100 > check_outs,
        Level::Warning,
        &|stats| stats.closed_broken,
        &|broken| format!("{broken} connections broke in {check_outs} calls"),
        "timeouts and replies beyond max_reply_bytes end connections; see the last errors",
    );
    check(
        &|stale| check_outs >= MANY && stale * 10 > check_outs,
        Level::Warning,
        &|stats| stats.closed_stale,
        &|stale| {
            format!("{stale} connections were closed by the server between {check_outs} calls")
        },
        "the server or something between closes idle connections: set idle_timeout_ms below its limit",
    );
    let slow = latencies.round_trip;
    findings.check(
        slow.count() >= MANY && slow.quantile(0.99) > Duration::from_millis(100),
        Level::Warning,
        || {
            let p99 = slow.quantile(0.99).as_secs_f64() * 1e3;
            format!(
                "{server}: one call of a hundred took {p99:.0} ms or more within the last minute"
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

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        times => format!("{times} times"),
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
    if let Some((count, since)) = trouble::lately() {
        findings.add_since(
            Level::Warning,
            Some(trouble::now().saturating_sub(since)),
            format!("calls of this process that failed within the last minute: {count}"),
            "see the last errors",
        );
    }
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
        ("since", moment(finding.since)),
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
            ("at", moment(Some(trouble.at))),
            ("since", moment(Some(trouble.since))),
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

/// Makes a float of a time since 1970.
fn moment(at: Option<Duration>) -> Zval {
    at.map_or_else(Zval::null, |at| real(at.as_secs_f64()))
}

fn flag(flag: bool) -> Zval {
    let mut value = Zval::new();
    value.set_bool(flag);
    value
}
