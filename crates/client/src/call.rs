//! One call, from check-out to check-in. The guard lives in this frame and nowhere else (rule L2), and no code of
//! the caller runs while it does (rule L1).

use crate::config::CallLimits;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::exchange::{self, Cause, Failure};
use crate::pool::{ConnectionGuard, Pool};
use crate::proto::{Commands, Replies};

/// Sends `commands` to the server of `pool` and waits for their replies, all within `limits.timeout`.
///
/// On success `replies` holds exactly one reply for each command, each of the kind that its command can have. A
/// refusal by the server is a reply ([`Reply::Error`](crate::Reply::Error)), not an error.
///
/// A call that failed on a connection that had been idle is sent once more, on a fresh connection and within the
/// same deadline, if that can't do it twice: when the kernel had not taken a byte of it, or when it is a single
/// command that only reads and no byte of the reply had come. A timeout is never retried.
///
/// # Errors
///
/// [`Error`]; `replies` then holds the replies that had arrived before, in order, or none if the server's bytes
/// could not be trusted. What was behind them may or may not have been carried out.
pub fn call(
    pool: &Pool,
    limits: &CallLimits,
    commands: &Commands,
    replies: &mut Replies,
) -> Result<(), Error> {
    replies.void();
    if commands.is_empty() {
        return Ok(());
    }
    let deadline = Deadline::after(limits.timeout);
    let mut guard = pool.check_out(limits, &deadline)?;
    let mut exchange = |guard: &mut ConnectionGuard| {
        replies.void();
        exchange::run(guard, commands, limits.max_reply_bytes, &deadline, replies)
    };
    let mut done = exchange(&mut guard);
    if let Err(failure) = &done
        && guard.reused()
        && may_retry(failure, commands)
    {
        pool.count_retry();
        guard.replace(|| pool.connect(limits, &deadline))?;
        done = exchange(&mut guard);
    }
    drop(guard);
    let due = (replies.len(), commands.len());
    done.map_err(|failure| explain(failure.cause, pool, limits, &deadline, due))?;
    pool.warm_up(limits, &deadline);
    Ok(())
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
