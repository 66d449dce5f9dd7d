//! Asking servers for a sign of life, all at the same time and beside every pool: each gets a connection of its
//! own, which no figure counts and nobody waits for.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::call::call;
use crate::config::{CallLimits, Endpoint, PoolConfig};
use crate::conn::sys;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::pool::Pool;
use crate::proto::{Commands, Replies};

/// Asks the server at each of `endpoints` for its counters. Returns, in the same order, how long each took to
/// connect and to answer, or why it did not. All of it is over after `patience`, and a little for the last one to
/// say so.
///
/// More than one are asked by threads that end before this returns and that block all signals: those are meant for
/// the threads of the host.
#[must_use]
pub fn ask_all(endpoints: &[Endpoint], patience: Duration) -> Vec<Result<Duration, Error>> {
    ask_with(endpoints, patience, 256 << 10)
}

/// As [`ask_all`], by threads with stacks of `stack` bytes.
fn ask_with(
    endpoints: &[Endpoint],
    patience: Duration,
    stack: usize,
) -> Vec<Result<Duration, Error>> {
    let end = Deadline::after(patience);
    let Some((last, others)) = endpoints.split_last() else {
        return Vec::new();
    };
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let mut unasked = Vec::new();
        for (n, endpoint) in others.iter().enumerate() {
            let sender = sender.clone();
            let asker = thread::Builder::new()
                .name("tagcache-ask".to_owned())
                .stack_size(stack);
            let asking = sys::without_signals(|| {
                asker.spawn_scoped(scope, move || {
                    // The receiver lives until the scope is over.
                    let _ = sender.send((n, ask(endpoint, patience)));
                })
            });
            if asking.is_err() {
                unasked.push((n, endpoint));
            }
        }
        // Without a thread left, one after the other has to do, in shares of the time that is left.
        unasked.push((others.len(), last));
        for (left, (n, endpoint)) in (1..=unasked.len() as u32).rev().zip(unasked) {
            let share = end.remaining().unwrap_or_default() / left;
            let _ = sender.send((n, ask(endpoint, share.max(Duration::from_millis(1)))));
        }
    });
    drop(sender);
    let mut answers: Vec<_> = receiver.into_iter().collect();
    answers.sort_by_key(|(n, _)| *n);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Asks one server.
fn ask(endpoint: &Endpoint, patience: Duration) -> Result<Duration, Error> {
    let pool = Pool::new(PoolConfig {
        size: 1,
        ..PoolConfig::new(endpoint.clone())
    });
    let limits = CallLimits {
        timeout: patience,
        acquire_timeout: patience,
        connect_timeout: patience,
        // It is to be seen how it is now.
        connect_backoff: Duration::ZERO,
        ..CallLimits::default()
    };
    let mut commands = Commands::new();
    commands.stats();
    let mut replies = Replies::new();
    call(
        &pool,
        &limits,
        &Deadline::after(patience),
        &commands,
        &mut replies,
    )?;
    Ok(replies.timing().total())
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn without_threads_all_of_them_share_the_time() {
        let silent = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let endpoints = silent
            .each_ref()
            .map(|one| Endpoint::tcp("127.0.0.1", one.local_addr().unwrap().port()));
        let patience = Duration::from_millis(300);
        let began = std::time::Instant::now();
        // No thread can be had with such a stack.
        let answers = ask_with(&endpoints, patience, usize::MAX / 4);
        let took = began.elapsed();
        assert!(took < 2 * patience, "{took:?}");
        assert!(took >= patience, "{took:?}");
        assert_eq!(answers.len(), 4);
        for (answer, endpoint) in answers.iter().zip(&endpoints) {
            let at = endpoint.to_string();
            assert!(
                matches!(answer, Err(Error::Timeout { endpoint, .. }) if *endpoint == at),
                "{answer:?}"
            );
        }
    }
}
