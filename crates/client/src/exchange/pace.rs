//! How many commands may be out: those that return stored text bring replies of a length that only the server knows,
//! and what has been asked for has to be taken.
//!
//! Up to [`FIRST`] of them are sent at once, fewer if replies were long lately; more when it is known how long replies
//! are, as many as should fit. Most exchanges have fewer and are sent as one.

use memchr::{memchr, memchr_iter};

use crate::proto::{Commands, Replies, Verb};

/// How many commands that return text are out, at most, before the first reply.
const FIRST: usize = 1 << 10;
/// How many are out later, at most, for each that was answered: what comes next may be longer.
const GROWTH: usize = 8;

/// Which of the commands may be sent: some from the first on.
#[derive(Debug)]
pub(super) struct Pace {
    /// How many bytes they have.
    bytes: usize,
    /// How many lines they are.
    lines: usize,
    /// How many of those return text.
    texts: usize,
    /// How many lines were answered when that was last looked at, and how many of them return text.
    answered: (usize, usize),
    /// Whether no more will be sent, whatever comes.
    over: bool,
}

impl Pace {
    /// Lets the first commands be sent, of which `room` bytes of replies may come.
    pub(super) fn new(commands: &Commands, replies: &Replies, room: usize) -> Self {
        let mut this = Self {
            bytes: 0,
            lines: 0,
            texts: 0,
            answered: (0, 0),
            over: false,
        };
        let fit = room.checked_div(replies.usual()).unwrap_or(FIRST);
        this.allow(commands, fit.clamp(1, FIRST));
        this
    }

    /// Returns how many bytes of the commands may be sent.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns how many lines that is.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Returns whether no command will be allowed beyond these.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Lets more be sent if what has come allows it.
    pub(super) fn go_on(&mut self, commands: &Commands, replies: &Replies, room: usize) {
        if self.over {
            return;
        }
        let (lines, answered) = self.answered;
        let new = &commands.verbs()[lines..replies.lines()];
        let answered = answered + new.iter().filter(|verb| verb.returns_text()).count();
        self.answered = (replies.lines(), answered);
        if answered == 0 {
            return;
        }
        let held = replies.byte_len();
        let fit = room.saturating_sub(held) / (held / answered).max(1);
        let fit = fit.min(FIRST.max(GROWTH * answered));
        // If nothing should fit, one command at a time finds out.
        let least = usize::from(answered == self.texts);
        self.allow(commands, answered + fit.max(least));
    }

    /// Ends it behind the line of which a byte was sent last, when `sent` bytes have been.
    pub(super) fn stop(&mut self, commands: &Commands, sent: usize) {
        self.over = true;
        let bytes = commands.bytes();
        if sent >= bytes.len() {
            return;
        }
        self.lines = memchr_iter(b'\n', &bytes[..sent]).count();
        self.bytes = sent;
        if sent > 0 && bytes[sent - 1] != b'\n' {
            self.lines += 1;
            self.bytes += line_end(&bytes[sent..]);
        }
    }

    /// Lets commands be sent of which up to `texts` return text.
    fn allow(&mut self, commands: &Commands, texts: usize) {
        if commands.texts() <= texts {
            self.texts = commands.texts();
            self.lines = commands.lines();
            self.bytes = commands.byte_len();
            self.over = true;
            return;
        }
        let is_text = |verb: &Verb| usize::from(verb.returns_text());
        while let Some(verb) = commands.verbs().get(self.lines)
            && self.texts + is_text(verb) <= texts
        {
            self.texts += is_text(verb);
            self.lines += 1;
            self.bytes += line_end(&commands.bytes()[self.bytes..]);
        }
    }
}

/// Returns the length of the first line, its LF included.
fn line_end(bytes: &[u8]) -> usize {
    memchr(b'\n', bytes).expect("BUG: a command ends in LF") + 1
}
