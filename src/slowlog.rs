//! The slow log: one line for each call that took `tagcache.slow_log_ms` or longer, with what it spent
//! the time on, to the file `tagcache.slow_log` or to PHP's error log.
//!
//! Both settings are the administrator's (PHP_INI_SYSTEM), read when PHP starts. A call that is fast
//! enough costs one comparison.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_millis;
use parking_lot::RwLock;
use tagcache_client::{Commands, Error, Pool, Timing};

use crate::ffi;

/// The longest key in a line, in bytes.
const LONGEST_KEY: usize = 200;

/// The time from which on a call is slow, in nanoseconds; `u64::MAX` if there is no slow log.
static THRESHOLD: AtomicU64 = AtomicU64::new(u64::MAX);
/// The file, if there is one.
static FILE: RwLock<Option<PathBuf>> = RwLock::new(None);

thread_local! {
    /// Lines for PHP's error log, until nothing is borrowed.
    static WAITING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What a line tells of a call.
#[derive(Debug)]
pub(crate) struct Told {
    command: &'static str,
    key: Vec<u8>,
    commands: usize,
    refused: Option<String>,
}

impl Told {
    /// Of a call whose first command this is; `refused` is how many of its commands the server refused, and what it said.
    pub(crate) fn new(
        first: Option<(&'static str, Vec<u8>)>,
        commands: usize,
        refused: Option<(usize, &[u8])>,
    ) -> Self {
        let (command, key) = first.unwrap_or(("?", Vec::new()));
        Self {
            command,
            key,
            commands,
            refused: refused.map(|(count, text)| {
                let text = String::from_utf8_lossy(text);
                format!("the server refused {count} of {commands} command(s): {text}")
            }),
        }
    }

    /// Of a call of `commands`.
    pub(crate) fn of(commands: &Commands, refused: Option<(usize, &[u8])>) -> Self {
        let first = commands.first().map(|(verb, key)| (verb, key.to_vec()));
        Self::new(first, commands.len(), refused)
    }
}

/// Reads the settings. For MINIT.
pub(crate) fn configure() {
    let ms = ffi::ini_text(c"tagcache.slow_log_ms", |text| {
        std::str::from_utf8(text).ok()?.trim().parse::<u64>().ok()
    });
    let nanos = match ms.flatten() {
        None | Some(0) => u64::MAX,
        Some(ms) => ms.saturating_mul(1_000_000),
    };
    // Relaxed: a number on its own, set before there are threads.
    THRESHOLD.store(nanos, Ordering::Relaxed);
    *FILE.write() = ffi::ini_path(c"tagcache.slow_log");
}

/// Returns from when on a call is slow, if there is a slow log.
pub(crate) fn threshold() -> Option<Duration> {
    // Relaxed: as in `configure`.
    let nanos = THRESHOLD.load(Ordering::Relaxed);
    (nanos != u64::MAX).then(|| Duration::from_nanos(nanos))
}

/// Returns the file, if it is one and not PHP's error log.
pub(crate) fn file() -> Option<PathBuf> {
    FILE.read().clone()
}

/// Looks at a call that took `took`. If it was slow, writes its line to the file, or without one leaves it to
/// [`write`]. Calls nothing of PHP.
pub(crate) fn note(pool: &Pool, took: Timing, error: Option<&Error>, tell: impl FnOnce() -> Told) {
    if threshold().is_none_or(|threshold| took.total() < threshold) {
        return;
    }
    let line = describe(pool, took, error, &tell());
    let Some(path) = file() else {
        return wait(line);
    };
    let whole = format!(
        "{} pid={} {line}\n",
        format_rfc3339_millis(SystemTime::now()),
        std::process::id(),
    );
    // One write to a file opened for appending: lines of several processes stay whole, and a
    // file that was moved away is made anew.
    let written = open(&path).and_then(|mut file| file.write_all(whole.as_bytes()));
    if let Err(error) = written {
        wait(format!(
            "can't write to tagcache.slow_log \"{}\": {error}; {line}",
            escaped(path.as_os_str().as_encoded_bytes()),
        ));
    }
}

/// Leaves a line for PHP's error log to the next [`write`] of the thread; at its end there is none.
fn wait(line: String) {
    let _ = WAITING.try_with(|waiting| waiting.borrow_mut().push(line));
}

/// Writes what waits for PHP's error log: to be called where nothing is borrowed, since what leaves by a bailout must
/// not take buffers or the handle with it. *May bail out.*
pub(crate) fn write() {
    if threshold().is_none() {
        return;
    }
    // One after the other, so that a bailout loses none.
    while let Some(line) =
        WAITING.with_borrow_mut(|waiting| (!waiting.is_empty()).then(|| waiting.remove(0)))
    {
        ffi::log(&format!("tagcache: {line}"));
    }
}

#[cold]
fn describe(pool: &Pool, took: Timing, error: Option<&Error>, told: &Told) -> String {
    let ms = |span: Duration| format!("{:.3}", span.as_secs_f64() * 1e3);
    let stats = pool.stats();
    let mut line = format!(
        "slow call: command={} key=\"{}\" commands={} total_ms={} wait_ms={} wire_ms={} \
         server=\"{}\" pool_size={} in_use={} idle={} waiters={}",
        told.command,
        escaped(&told.key),
        told.commands,
        ms(took.total()),
        ms(took.wait),
        ms(took.wire),
        escaped(pool.config().endpoint.to_string().as_bytes()),
        stats.size,
        stats.in_use,
        stats.idle,
        stats.waiters,
    );
    let error = error.map(ToString::to_string);
    if let Some(error) = error.as_ref().or(told.refused.as_ref()) {
        line += &format!(" error=\"{}\"", escaped(error.as_bytes()));
    }
    line
}

/// Opens the file of the slow log for appending.
pub(crate) fn open(path: &std::path::Path) -> std::io::Result<std::fs::File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

/// Returns text of somebody else, cut, in printable characters only, so that it can neither begin a new
/// line nor end its quotes.
pub(crate) fn escaped(text: &[u8]) -> String {
    let cut = &text[..text.len().min(LONGEST_KEY)];
    let mut shown: String = String::from_utf8_lossy(cut)
        .chars()
        .flat_map(|c| {
            let quote = c == '\'';
            (!quote)
                .then(|| c.escape_debug())
                .into_iter()
                .flatten()
                .chain(quote.then_some(c))
        })
        .collect();
    if cut.len() < text.len() {
        shown.push_str("...");
    }
    shown
}
