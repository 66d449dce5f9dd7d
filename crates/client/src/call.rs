//! One call, from check-out to check-in. The guard lives in this frame and nowhere else (rule L2), and no code of
//! the caller runs while it does (rule L1).

use std::time::Duration;

use crate::config::CallLimits;
use crate::conn::Connection;
use crate::deadline::Deadline;
use crate::error::{Error, Phase};
use crate::exchange::{self, Cause, Failure, excerpt};
use crate::pool::{Home, Loan, Pool};
use crate::proto::{Commands, Replies, Timing};

/// How long a thread that holds connections drives them before it looks again whether one has become free.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Sends `commands` to the server of `pool` and waits for their replies, all within `limits.timeout`.
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
    commands: &Commands,
    replies: &mut Replies,
) -> Result<(), Error> {
    let deadline = Deadline::after(limits.timeout);
    call_after(pool, limits, &deadline, commands, replies, None)
}

/// One of several exchanges under the same `deadline`, which was set by `limits.timeout`; otherwise as [`call`].
///
/// `make_room` is for a thread that has connections out in a [`Fanout`](crate::Fanout) of its own. It must not wait
/// for another connection then (rule L3), since the one that it waits for may be its own. So while none is free,
/// `make_room` is called in a loop: it drives the thread's fan-outs for at most the time given, returns as soon as
/// one of their connections is back in the pool, and returns false when the thread holds none any more. From then on
/// the thread waits as others do.
///
/// # Errors
///
/// As [`call`].
pub fn call_after(
    pool: &Pool,
    limits: &CallLimits,
    deadline: &Deadline,
    commands: &Commands,
    replies: &mut Replies,
    make_room: Option<MakeRoom<'_>>,
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
    let done = converse(
        pool,
        limits,
        commands,
        replies,
        make_room,
        deadline,
        &mut waited,
    );
    let took = deadline.elapsed().saturating_sub(begun);
    let wait = waited.unwrap_or(took);
    let wire = took.saturating_sub(wait);
    replies.took(Timing { wait, wire });
    if waited.is_some() {
        pool.count_round_trip(wire);
    }
    done?;
    pool.warm_up(limits, deadline);
    Ok(())
}

/// Checks out, exchanges, repeats once where that is safe, checks in. `waited` is set as soon as there is a
/// connection.
fn converse(
    pool: &Pool,
    limits: &CallLimits,
    commands: &Commands,
    replies: &mut Replies,
    make_room: Option<MakeRoom<'_>>,
    deadline: &Deadline,
    waited: &mut Option<Duration>,
) -> Result<(), Error> {
    let mut guard =
        check_out(pool, pool.core(), limits, deadline, make_room).inspect_err(|error| {
            // What failed to connect had its permit by then; what did not even try is no round trip.
            let skipped = matches!(error, Error::Unreachable { .. });
            if error.phase() != Some(Phase::Acquire) && !skipped {
                *waited = Some(Duration::ZERO);
            }
        })?;
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

/// Drives the fan-outs of the calling thread, so that their connections come home: the last argument of [`call_after`].
pub type MakeRoom<'a> = &'a mut dyn FnMut(Duration) -> bool;

/// Checks a connection out as rule L3 wants it; it goes back to `home`, which is `pool`.
pub(crate) fn check_out<H: Home<Link = Connection> + Clone>(
    pool: &Pool,
    home: H,
    limits: &CallLimits,
    deadline: &Deadline,
    make_room: Option<MakeRoom<'_>>,
) -> Result<Loan<H>, Error> {
    let Some(make_room) = make_room else {
        return pool.check_out_to(home, limits, deadline);
    };
    let patience = deadline.at_most(limits.acquire_timeout);
    loop {
        if let Some(guard) = pool.try_check_out_to(home.clone(), limits, deadline)? {
            return Ok(guard);
        }
        let left = patience.remaining();
        if left.is_some_and(|left| make_room(left.min(LOOK_AGAIN))) {
            deadline.look();
            continue;
        }
        // Nothing is held, so waiting in line is allowed; or the time is over, and the line says so at once.
        let rest = CallLimits {
            acquire_timeout: left.unwrap_or_default(),
            ..*limits
        };
        return pool
            .check_out_to(home, &rest, deadline)
            .map_err(|error| match error {
                Error::PoolExhausted {
                    endpoint,
                    elapsed,
                    size,
                    waiters,
                    ..
                } => Error::PoolExhausted {
                    endpoint,
                    limit: limits.acquire_timeout.min(limits.timeout),
                    elapsed,
                    size,
                    waiters,
                },
                other => other,
            });
    }
}

/// Says whether sending once more can't do anything twice.
fn may_retry(failure: &Failure, commands: &Commands) -> bool {
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
