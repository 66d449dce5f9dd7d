//! What PHP calls when it starts, ends a request, ends, and shows `phpinfo()`.
//!
//! MINIT may run in a parent that forks (Apache) and more than once in one process (its graceful
//! restart): it makes no socket, thread or pool, and sets every pointer into PHP anew. Nothing
//! depends on MSHUTDOWN, which not every server runs.

use std::io::Write;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ext_php_rs::builders::ModuleBuilder;
use ext_php_rs::zend::{ModuleAllocations, ModuleEntry};
use tagcache_client::guards_on_this_thread;

use crate::value::Serializer;
use crate::{VERSION, batch, client, error, ffi, functions, options, pipeline, registry, slowlog};

const SUCCESS: i32 = 0;
const FAILURE: i32 = -1;

/// Whether PHP's extension `session` is there. Relaxed: a flag on its own, set before there are threads.
static HAS_SESSIONS: AtomicBool = AtomicBool::new(false);

/// Describes the module to PHP.
pub(crate) fn module() -> (ModuleEntry, ModuleAllocations) {
    let module = ModuleBuilder::new("tagcache", VERSION)
        .startup_function(startup)
        .shutdown_function(shutdown)
        .post_deactivate_function(request_is_over)
        .info_function(info);
    match functions::declare_all(module).try_into() {
        Ok((entry, _startup, allocations)) => (entry, allocations),
        Err(error) => panic!("BUG: the functions are declared wrong: {error}"),
    }
}

extern "C" fn startup(_kind: i32, module_number: i32) -> i32 {
    guarded(FAILURE, || {
        quiet_panics();
        ffi::probe_allocator();
        ffi::watch_errors();
        ffi::watch_throws();
        ffi::watch_fibers();
        options::register_ini(module_number);
        registry::set_limit(options::max_pools());
        slowlog::configure();
        HAS_SESSIONS.store(ffi::register_session_handler(), Ordering::Relaxed);
        let classes = error::register()
            .and_then(|()| pipeline::register())
            .and_then(|()| batch::register())
            .and_then(|()| client::register());
        match classes {
            Ok(()) => {
                functions::patch_types();
                SUCCESS
            }
            Err(error) => {
                report(&format!("the module can't start: {error}"));
                FAILURE
            }
        }
    })
}

extern "C" fn shutdown(_kind: i32, module_number: i32) -> i32 {
    guarded(SUCCESS, || {
        ffi::ini_unregister(module_number);
        SUCCESS
    })
}

/// Runs when all objects of the request are gone, so no connection may be out.
extern "C" fn request_is_over() -> i32 {
    guarded(SUCCESS, || {
        ffi::request_is_over();
        let leaked = guards_on_this_thread();
        if leaked > 0 {
            report(&format!(
                "BUG: {leaked} connection(s) were not given back by a request"
            ));
        }
        registry::housekeep();
        SUCCESS
    })
}

extern "C" fn info(module: *mut ModuleEntry) {
    guarded((), || {
        ffi::table_start();
        ffi::table_row("TagCache support", "enabled");
        ffi::table_row("Version", VERSION);
        ffi::table_row("PHP API", &ffi::php_api().to_string());
        ffi::table_row(
            "Thread safety",
            if cfg!(php_zts) {
                "enabled (ZTS)"
            } else {
                "disabled (NTS)"
            },
        );
        ffi::table_row("Protocols", "tcp, unix");
        ffi::table_row("Serializers", &serializers());
        ffi::table_row("Compression", "lz4, zstd");
        let sessions = HAS_SESSIONS.load(Ordering::Relaxed);
        ffi::table_row(
            "Session handler",
            if sessions {
                "tagcache"
            } else {
                "none (ext/session is not loaded)"
            },
        );
        let pools = registry::sorted();
        ffi::table_row("Live pools", &pools.len().to_string());
        ffi::table_end();
        if !pools.is_empty() {
            ffi::table_start();
            ffi::table_header("Pool", "Connections");
            for pool in pools {
                let (stats, latencies) = (pool.stats(), pool.latencies());
                let us = |q: f64| latencies.round_trip.quantile(q).as_micros();
                ffi::table_row(
                    &pool.config().endpoint.to_string(),
                    &format!(
                        "{} at most, {} in use, {} idle, {} opened, {} waiting; {} calls, half within \
                         {} us, 99 % within {} us",
                        stats.size,
                        stats.in_use,
                        stats.idle,
                        stats.opened,
                        stats.waiters,
                        latencies.round_trip.count(),
                        us(0.5),
                        us(0.99),
                    ),
                );
            }
            ffi::table_end();
        }
        ffi::ini_display(module);
    });
}

/// Lists the serializers, and which of them are not loaded.
fn serializers() -> String {
    let list = Serializer::ALL.map(|one| {
        let missing = if one.is_there() { "" } else { " (not loaded)" };
        format!("{}{missing}", one.name())
    });
    list.join(", ")
}

/// Runs what PHP calls directly; a panic must not get into PHP.
fn guarded<R>(on_panic: R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(on_panic)
}

/// Reports a panic in one line. It reaches PHP as an `Error` besides.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            report(&format!("internal error at {place}"));
        }));
    });
}

/// Writes a line to the log of the server; if that is closed, nowhere.
fn report(message: &str) {
    let _ = writeln!(std::io::stderr(), "tagcache: {message}");
}
