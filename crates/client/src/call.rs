//! One call, from check-out to check-in. The guard lives in this frame and nowhere else (rule L2), and no code of
//! the caller runs while it does (rule L1).

use std::time::Duration;

use crate::config::CallLimits;
use crate::conn::Connection;
use crate::deadline::Deadline;
use crate::error::{Error, Phase};
use crate::exchange::{self, Cause, Failure, excerpt};
use crate::held::check_out;
use crate::pool::Pool;
use crate::proto::{Commands, Replies, Timing};

/// Sends `commands` to the server of `pool` and waits for their replies, all by a `deadline` of `limits.timeout`, of
/// which exchanges before may have spent a part.
///
/// A thread that holds connections in fan-outs never waits for another while it does (rule L3): if none is free, this
/// drives those fan-outs until one is, or until none of them holds any.
///
/// On success `replies` holds exactly one reply for each command, each of the kind that its command can have. A
/// refusal by the server is a reply ([`Reply::Error`](crate::Reply::Error)), not an error, and so is stored text
/// for which `limits` left no room ([`Reply::LeftOut`](crate::Reply::LeftOut)).
///
/// A call that failed on a connection that had been idle is sent once more, on a fresh connection and within the
/// same deadline, if that can't do it twice: when the kernel had not taken a byte of it, or when it is a single
/// command that only reads and no byte of the reply had come. A timeout is never retried.
///
/// # Errors
///
/// [`Error`]; `replies` then holds the replies that had arrived before, in order, or none if the server's bytes
/// could not be trusted. What was behind them may or may not have been carried out; after an
/// [`Error::CallTooLarge`] it was not sent.
pub fn call(
    pool: &Pool,
    limits: &CallLimits,
    deadline: &Deadline,
    commands: &Commands,
    replies: &mut Replies,
) -> Result<(), Error> {
    replies.void();
    if commands.is_empty() {
        return Ok(());
    }
    let begun = deadline.seen();
    if deadline.remaining_lately().is_none() {
        // Nothing is sent that nobody could wait for.
        replies.took(Timing::default());
        return Err(Error::Timeout {
            phase: Phase::Acquire,
            endpoint: pool.config().endpoint.to_string(),
            limit: limits.timeout,
            elapsed: begun,
        });
    }
    let mut waited = None;
    let done = converse(pool, limits, deadline, commands, replies, &mut waited);
    let took = deadline.elapsed().saturating_sub(begun);
    let wait = waited.unwrap_or(took);
    let wire = took.saturating_sub(wait);
    replies.took(Timing { wait, wire });
    if waited.is_some() {
        pool.count_round_trip(wire);
    }
    done?;
    pool.warm_up(limits, deadline, 0);
    Ok(())
}

/// Checks out, exchanges, repeats once where that is safe, checks in. `waited` is set as soon as there is a
/// connection.
fn converse(
    pool: &Pool,
    limits: &CallLimits,
    deadline: &Deadline,
    commands: &Commands,
    replies: &mut Replies,
    waited: &mut Option<Duration>,
) -> Result<(), Error> {
    let mut guard = check_out(pool, pool.core(), limits, deadline)
        .inspect_err(|error| *waited = error.had_permit().then_some(Duration::ZERO))?;
    *waited = Some(guard.waited);
    let mut exchange = |guard: &mut Connection| {
        replies.void();
        exchange::run(guard, commands, limits, deadline, replies)
    };
    let mut done = exchange(&mut guard);
    if let Err(failure) = &done
        && guard.reused()
        && may_retry(failure, commands)
    {
        pool.count_retry();
        guard.replace(|| pool.connect(limits, deadline))?;
        deadline.look();
        done = exchange(&mut guard);
    }
    drop(guard);
    let due = (replies.len(), commands.len());
    done.map_err(|failure| explain(failure.cause, pool, limits, deadline, due))?;
    check_sent(pool, limits, commands, replies)
}

/// Fails if an exchange that succeeded has not sent all of its commands.
pub(crate) fn check_sent(
    pool: &Pool,
    limits: &CallLimits,
    commands: &Commands,
    replies: &Replies,
) -> Result<(), Error> {
    if replies.len() == commands.len() {
        return Ok(());
    }
    let (verb, name) = commands.line_named(replies.lines()).unwrap_or_default();
    Err(Error::CallTooLarge {
        endpoint: pool.config().endpoint.to_string(),
        limit: limits.max_call_bytes,
        sent: replies.len(),
        of: commands.len(),
        next: format!("{verb} \"{}\"", excerpt(name)),
    })
}

/// Says whether sending once more can't do anything twice.
pub(crate) fn may_retry(failure: &Failure, commands: &Commands) -> bool {
    match failure.cause {
        Cause::Io(..) | Cause::PeerClosed => {
            !failure.sent
                || (!failure.received && matches!(commands.verbs(), [only] if only.replays()))
        }
        Cause::TimedOut(_) | Cause::Protocol(_) | Cause::TooLarge => false,
    }
}

/// Makes the error that the caller sees; `done` of `expected` replies had arrived.
#[cold]
pub(crate) fn explain(
    cause: Cause,
    pool: &Pool,
    limits: &CallLimits,
    deadline: &Deadline,
    (done, expected): (usize, usize),
) -> Error {
    let endpoint = pool.config().endpoint.to_string();
    match cause {
        Cause::TimedOut(phase) => Error::Timeout {
            phase,
            endpoint,
            limit: limits.timeout,
            elapsed: deadline.elapsed(),
        },
        Cause::Io(phase, source) => Error::Io {
            phase,
            endpoint,
            source,
        },
        Cause::PeerClosed => Error::PeerClosed {
            endpoint,
            done,
            expected,
        },
        Cause::Protocol(fault) => Error::Protocol { endpoint, fault },
        Cause::TooLarge => Error::ReplyTooLarge {
            endpoint,
            limit: limits.max_reply_bytes,
        },
    }
}
