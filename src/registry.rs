//! The pools of this process, by what makes two handles share one, and a breaker for each server that they lead to.
//!
//! A forked child must not touch what it inherited: the lock may be held by a thread that does
//! not exist there. The registry is therefore tagged with the generation of the process, and a
//! child leaks its parent's and publishes its own.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tagcache_client::{Breaker, Endpoint, Pool, PoolConfig, fork};

use crate::ffi::Leaked;

/// The default of `tagcache.max_pools`.
pub(crate) const MAX_POOLS: usize = 64;

/// How long a pool without an idle timeout may go unused before it is forgotten, and how often
/// the pools are looked at.
const FORGET_AFTER: Duration = Duration::from_secs(3600);
const SWEEP_EVERY: Duration = Duration::from_secs(1);

static CURRENT: Leaked<Registry> = Leaked::empty();
static LIMIT: AtomicUsize = AtomicUsize::new(MAX_POOLS);

struct Registry {
    generation: u64,
    born: Instant,
    next_sweep_ms: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    pools: HashMap<PoolConfig, Arc<Pool>>,
    /// Of the servers of all pools that are alive, known or forgotten.
    breakers: HashMap<Endpoint, Breaker>,
}

impl Known {
    fn breaker(&mut self, endpoint: &Endpoint) -> Breaker {
        if let Some(breaker) = self.breakers.get(endpoint) {
            return breaker.clone();
        }
        self.breakers.retain(|_, breaker| breaker.is_shared());
        let breaker = Breaker::new();
        self.breakers.insert(endpoint.clone(), breaker.clone());
        breaker
    }
}

impl Registry {
    fn current() -> &'static Self {
        let generation = fork::generation();
        match CURRENT.get() {
            Some(registry) if registry.generation == generation => registry,
            // Of a parent: never touched again, neither its lock nor its pools.
            old => CURRENT.replace(
                old,
                Self {
                    generation,
                    born: Instant::now(),
                    next_sweep_ms: AtomicU64::new(0),
                    known: Mutex::default(),
                },
            ),
        }
    }
}

/// Sets how many pools may live; from then on, for all threads.
pub(crate) fn set_limit(pools: usize) {
    // Relaxed: a number on its own.
    LIMIT.store(pools.max(1), Ordering::Relaxed);
}

/// Returns the pool for `config`, a new one if there is none. Beyond the limit the one unused
/// for longest, if possible one without a handle, is drained and forgotten; its handles go on
/// with it.
pub(crate) fn pool(config: &PoolConfig) -> SharedPool {
    let registry = Registry::current();
    let mut evicted = None;
    let pool = {
        let mut known = registry.known.lock();
        if let Some(pool) = known.pools.get(config) {
            Arc::clone(pool)
        } else {
            let breaker = known.breaker(&config.endpoint);
            let pools = &mut known.pools;
            // Relaxed: as in `set_limit`.
            if pools.len() >= LIMIT.load(Ordering::Relaxed) {
                let oldest = pools
                    .iter()
                    .max_by_key(|(_, pool)| (Arc::strong_count(pool) == 1, pool.unused_for()))
                    .map(|(config, _)| config.clone());
                evicted = oldest.and_then(|config| pools.remove(&config));
            }
            let pool = Arc::new(Pool::with_breaker(config.clone(), breaker));
            pools.insert(config.clone(), Arc::clone(&pool));
            pool
        }
    };
    // Closing sockets is for outside the lock.
    if let Some(pool) = evicted {
        pool.drain();
    }
    SharedPool(Some(pool))
}

/// Returns every pool of this process, in no particular order.
pub(crate) fn all() -> Vec<Arc<Pool>> {
    match CURRENT.get() {
        Some(registry) if registry.generation == fork::generation() => {
            registry.known.lock().pools.values().cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// Returns all pools, in the same order each time, for people who look twice.
pub(crate) fn sorted() -> Vec<Arc<Pool>> {
    let mut pools = all();
    pools.sort_by_cached_key(|pool| {
        let config = pool.config();
        (
            config.endpoint.to_string(),
            config.size,
            format!("{config:?}"),
        )
    });
    pools
}

/// Closes what no longer needs to be open, at most once in a while. For the end of a request.
pub(crate) fn housekeep() {
    let Some(registry) = CURRENT.get() else {
        return;
    };
    if registry.generation != fork::generation() {
        return;
    }
    let now = u64::try_from(registry.born.elapsed().as_millis()).unwrap_or(u64::MAX);
    // Relaxed, all: only chooses one thread, which takes the lock for the pools.
    let due = registry.next_sweep_ms.load(Ordering::Relaxed);
    let next = now.saturating_add(SWEEP_EVERY.as_millis() as u64);
    if now < due
        || registry
            .next_sweep_ms
            .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
    {
        return;
    }
    let mut unused = Vec::new();
    registry.known.lock().pools.retain(|config, pool| {
        let wanted =
            config.min_idle > 0 || pool.unused_for() < config.idle_timeout.unwrap_or(FORGET_AFTER);
        if wanted {
            return true;
        }
        unused.push(Arc::clone(pool));
        // One count is the registry's, one that of `unused`; more are handles.
        Arc::strong_count(pool) > 2
    });
    for pool in unused {
        if pool.stats().idle > 0 {
            pool.drain();
        }
    }
    for pool in all() {
        pool.housekeep();
    }
}

/// A pool that a handle refers to. In a forked child that inherited it, it is leaked instead of
/// dropped.
#[derive(Debug)]
pub(crate) struct SharedPool(Option<Arc<Pool>>);

impl SharedPool {
    /// Returns the pool, which may be inherited.
    pub(crate) fn get(&self) -> &Pool {
        self.0
            .as_deref()
            .expect("BUG: the pool is taken out only by drop")
    }
}

impl Clone for SharedPool {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl SharedPool {
    /// Returns the pool for those who look at all of them; not for one that is inherited.
    pub(crate) fn share(&self) -> Arc<Pool> {
        Arc::clone(
            self.0
                .as_ref()
                .expect("BUG: the pool is taken out only by drop"),
        )
    }
}

impl Drop for SharedPool {
    fn drop(&mut self) {
        if let Some(pool) = self.0.take()
            && pool.is_inherited()
        {
            mem::forget(pool);
        }
    }
}
