//! What a fault server is told to do wrong: one rule, and how it is made.

use std::time::Duration;

use crate::proto::Verb;

/// Which replies of a connection a rule is about, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nth {
    /// Every one.
    Every,
    /// This one.
    At(u64),
}

impl From<u64> for Nth {
    fn from(n: u64) -> Self {
        Self::At(n)
    }
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Stall {
        byte: usize,
    },
    Dribble {
        pause: Duration,
    },
    Delay {
        pause: Duration,
    },
    Close {
        byte: usize,
    },
    Reset {
        byte: usize,
    },
    Replace {
        text: Vec<u8>,
    },
    Inject {
        text: Vec<u8>,
        after: Option<Duration>,
    },
    Oversize {
        bytes: usize,
    },
    CloseIdle,
    Refuse,
    Silent,
    Blackhole,
    NoRead,
}

/// One disturbance, with the replies, connections and number of times it is limited to.
///
/// Rules are made by a constructor and narrowed by [`conn`](Self::conn), [`times`](Self::times),
/// [`verb`](Self::verb) and [`byte`](Self::byte), or parsed from the text that `tagcached-fault`
/// takes: `close:reply=0,byte=3,conn=1`.
///
/// # Examples
///
/// ```
/// use tagcached::fault::{Nth, Rule};
///
/// let made = Rule::close(0).byte(3).conn(1);
/// assert_eq!(made, "close:reply=0,byte=3,conn=1".parse()?);
/// let made = Rule::inject(Nth::Every, "NF\n").verb("GET").times(2);
/// assert_eq!(made, r"inject:reply=*,text=NF\n,verb=GET,times=2".parse()?);
/// # Ok::<(), tagcached::fault::RuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(super) action: Action,
    pub(super) reply: Nth,
    pub(super) conn: Option<u64>,
    pub(super) times: Option<u64>,
    pub(super) verb: Option<Verb>,
}

impl Rule {
    pub(super) fn new(action: Action, reply: Nth) -> Self {
        Self {
            action,
            reply,
            conn: None,
            times: None,
            verb: None,
        }
    }

    /// Sends [`byte`](Self::byte) bytes of a reply, 0 unless given, then nothing more on that
    /// connection, which stays open and is read.
    #[must_use]
    pub fn stall(reply: impl Into<Nth>) -> Self {
        Self::new(Action::Stall { byte: 0 }, reply.into())
    }

    /// Sends replies one byte each `pause`, from `from` on.
    #[must_use]
    pub fn dribble(pause: Duration, from: u64) -> Self {
        Self::new(Action::Dribble { pause }, Nth::At(from))
    }

    /// Answers after `pause`.
    #[must_use]
    pub fn delay(pause: Duration, reply: impl Into<Nth>) -> Self {
        Self::new(Action::Delay { pause }, reply.into())
    }

    /// Closes in order (FIN) after [`byte`](Self::byte) bytes of a reply, 0 unless given.
    #[must_use]
    pub fn close(reply: impl Into<Nth>) -> Self {
        Self::new(Action::Close { byte: 0 }, reply.into())
    }

    /// Resets (RST) after [`byte`](Self::byte) bytes of a reply, 0 unless given.
    #[must_use]
    pub fn reset(reply: impl Into<Nth>) -> Self {
        Self::new(Action::Reset { byte: 0 }, reply.into())
    }

    /// Sends `text` in place of a reply. The LF, if there is to be one, belongs to `text`.
    #[must_use]
    pub fn replace(reply: impl Into<Nth>, text: impl Into<Vec<u8>>) -> Self {
        Self::new(Action::Replace { text: text.into() }, reply.into())
    }

    /// Sends `text` right behind a reply, in the same segment.
    #[must_use]
    pub fn inject(reply: impl Into<Nth>, text: impl Into<Vec<u8>>) -> Self {
        Self::new(
            Action::Inject {
                text: text.into(),
                after: None,
            },
            reply.into(),
        )
    }

    /// Sends `text` when `after` has passed since a reply, before any later reply.
    #[must_use]
    pub fn inject_after(reply: impl Into<Nth>, text: impl Into<Vec<u8>>, after: Duration) -> Self {
        Self::new(
            Action::Inject {
                text: text.into(),
                after: Some(after),
            },
            reply.into(),
        )
    }

    /// Sends `VALUE`, a TAB, `bytes` times `x` and LF in place of a reply.
    #[must_use]
    pub fn oversize(reply: impl Into<Nth>, bytes: usize) -> Self {
        Self::new(Action::Oversize { bytes }, reply.into())
    }

    /// Closes in order (FIN) after a reply was sent whole.
    #[must_use]
    pub fn close_idle(after: impl Into<Nth>) -> Self {
        Self::new(Action::CloseIdle, after.into())
    }

    /// Closes the listener: connecting is refused. With [`conn`](Self::conn) K: from the K-th
    /// connection on.
    #[must_use]
    pub fn refuse() -> Self {
        Self::new(Action::Refuse, Nth::Every)
    }

    /// Accepts, reads, and from the first reply it matches never answers on that connection.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(Action::Silent, Nth::Every)
    }

    /// Lets connecting never complete. With [`conn`](Self::conn) K: from the K-th connection on.
    #[must_use]
    pub fn blackhole() -> Self {
        Self::new(Action::Blackhole, Nth::Every)
    }

    /// Accepts and never reads.
    #[must_use]
    pub fn noread() -> Self {
        Self::new(Action::NoRead, Nth::Every)
    }

    /// Sets how many bytes of the reply are sent before a stall, close or reset. No effect on
    /// other rules.
    #[must_use]
    pub fn byte(mut self, at: usize) -> Self {
        if let Action::Stall { byte } | Action::Close { byte } | Action::Reset { byte } =
            &mut self.action
        {
            *byte = at;
        }
        self
    }

    /// Limits the rule to the `k`-th accepted connection, from 0.
    #[must_use]
    pub fn conn(mut self, k: u64) -> Self {
        self.conn = Some(k);
        self
    }

    /// Limits the rule to `t` times in all. A rule that silences a connection counts each
    /// connection once.
    #[must_use]
    pub fn times(mut self, t: u64) -> Self {
        self.times = Some(t);
        self
    }

    /// Limits the rule to replies to `verb`, written as on the wire in any case; replies are then
    /// counted per verb. Anything that is no verb stands for the requests that have none.
    #[must_use]
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(Verb::parse(verb));
        self
    }
}
