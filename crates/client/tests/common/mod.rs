//! What the tests share: a server on a free port, a pool to it, and calls in one line.
#![allow(dead_code, unreachable_pub)]

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tagcache_client::{
    CallLimits, Commands, Deadline, Endpoint, Error, Fanout, Pool, PoolConfig, Replies, Reply,
    TagList, Value,
};
use tagcached::{Config, Server};

pub fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

pub fn config(addr: SocketAddr, size: u32) -> PoolConfig {
    let endpoint = Endpoint::tcp(addr.ip().to_string(), addr.port());
    PoolConfig {
        size,
        ..PoolConfig::new(endpoint)
    }
}

pub fn pool(addr: SocketAddr, size: u32) -> Pool {
    Pool::new(config(addr, size))
}

/// Limits with `ms` for everything, where each call that needs a connection connects.
pub fn limits(ms: u64) -> CallLimits {
    let span = Duration::from_millis(ms);
    CallLimits {
        timeout: span,
        acquire_timeout: span,
        connect_timeout: span,
        connect_backoff: Duration::ZERO,
        ..CallLimits::default()
    }
}

pub fn tags(list: &[&str]) -> TagList {
    let mut tags = TagList::new();
    for tag in list {
        tags.push(tag.as_bytes()).unwrap();
    }
    tags
}

pub fn ttl(ms: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(ms)
}

/// A call by a deadline of its own.
pub fn call(
    pool: &Pool,
    limits: &CallLimits,
    commands: &Commands,
    replies: &mut Replies,
) -> Result<(), Error> {
    let deadline = Deadline::after(limits.timeout);
    tagcache_client::call(pool, limits, &deadline, commands, replies)
}

/// What became of command `n`: `Pending`, one reply, or why there is none.
pub fn outcome(fanout: &Fanout, n: usize) -> Poll<Result<Replies, Rc<Error>>> {
    let mut replies = Replies::new();
    let done = fanout.copy_replies(n..n + 1, &mut replies);
    done.map_ok(|()| replies)
}

/// Whether command `n` has this reply.
pub fn replied(fanout: &Fanout, n: usize, reply: Reply<'_>) -> bool {
    matches!(outcome(fanout, n), Poll::Ready(Ok(replies)) if replies.get(0) == reply)
}

/// Why command `n` will never have a reply.
pub fn failed(fanout: &Fanout, n: usize) -> Option<Rc<Error>> {
    match outcome(fanout, n) {
        Poll::Ready(Err(error)) => Some(error),
        _ => None,
    }
}

/// Runs what `fill` encodes, returns the replies.
pub fn run(
    pool: &Pool,
    limits: &CallLimits,
    fill: impl FnOnce(&mut Commands),
) -> Result<Replies, Error> {
    let mut commands = Commands::new();
    fill(&mut commands);
    let mut replies = Replies::new();
    call(pool, limits, &commands, &mut replies)?;
    assert_eq!(replies.len(), commands.len());
    Ok(replies)
}

pub fn put(pool: &Pool, key: &str, value: &str) {
    let limits = CallLimits::default();
    let replies = run(pool, &limits, |c| {
        c.put(
            key.as_bytes(),
            None,
            &TagList::new(),
            Value::Str(value.as_bytes()),
        )
        .unwrap()
    })
    .unwrap();
    assert_eq!(replies.get(0), Reply::Ok);
}

/// Reads a value that went as it is.
pub fn get(pool: &Pool, limits: &CallLimits, key: &str) -> Result<Option<String>, Error> {
    let replies = run(pool, limits, |c| c.get(key.as_bytes()).unwrap())?;
    Ok(match replies.get(0) {
        Reply::Value(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
        Reply::NotFound => None,
        other => panic!("{other:?} in reply to GET"),
    })
}

/// Asserts that no permit is out and that `size` calls at once still succeed.
pub fn assert_full_capacity(pool: &Pool) {
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.waiters), (0, 0), "{stats:?}");
    let deadline = Deadline::after(Duration::from_secs(5));
    let guards: Vec<_> = (0..stats.size)
        .map(|_| {
            pool.try_check_out(&CallLimits::default(), &deadline)
                .unwrap()
                .expect("a permit is lost")
        })
        .collect();
    assert_eq!(pool.stats().in_use, stats.size);
    drop(guards);
    assert_eq!(tagcache_client::guards_on_this_thread(), 0);
}
