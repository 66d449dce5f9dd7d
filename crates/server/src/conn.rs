//! One connection: from received bytes to sent replies, without ever blocking.
//!
//! * S1: each line is executed once, and replies leave in the order of their requests.
//! * S2: no line is executed while more than `max_output` reply bytes are unsent. So a connection
//!   holds at most that much output and one reply, and one line and one read of input.
//! * S3: a turn ends once [`TURN`] or [`ROUNDS`] are used up, between two lines; the rest waits.
//! * S4: when [`Connection::drive`] returns [`Next::Wait`], the socket refused in every direction
//!   in which there is work, or gave less than asked for: the next edge will wake it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use memchr::{memchr, memchr_iter, memrchr};

use crate::proto::{Begun, Job, LINE_TOO_LONG, begin};
use crate::store::{Store, Tick};
use crate::stream::Stream;

/// Bytes of one read.
pub(crate) const READ: usize = 128 << 10;

/// Reply bytes that are sent although more requests are at hand: the peer reads them meanwhile.
const SEND_AT: usize = 64 << 10;

/// Time of one turn, after which other connections come first.
const TURN: Duration = Duration::from_millis(1);

/// A line from this size on gets a buffer of its own, which the store may keep: to copy it would take
/// longer than a few turns. Buffers of all sizes leave more memory unused than copies that fit, so not
/// sooner.
const LONG: usize = 8 << 20;

/// Reads of one turn.
const ROUNDS: usize = 16;

/// Bytes in and out after which the clock is read again; and what a line counts beside its bytes.
const LOOK: usize = 4 << 10;
const LINE: usize = 64;

/// Bytes of a line without end that say that the peer is at work.
const CRUMB: usize = 1 << 10;

/// A connection's own buffer above this is freed when it is empty.
const KEEP: usize = 4 << 10;

/// The lent output buffer above this is freed.
const KEEP_SPARE: usize = 4 << 20;

/// What the connections of a worker share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) store: &'a Store,
    pub(crate) max_line: usize,
    pub(crate) max_output: usize,
    /// The present, as of the last look at the clock.
    pub(crate) now: Tick,
    /// When the turn ends.
    pub(crate) until: Tick,
    /// Where reads go.
    pub(crate) scratch: Box<[u8]>,
    /// An empty buffer with room, lent to the connection that has its turn.
    pub(crate) spare: Vec<u8>,
}

/// What becomes of a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Drive it at the next event.
    Wait,
    /// Drive it again after the others.
    Again,
    /// Drop it.
    Close,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    /// Received, not executed from `at` on.
    input: Vec<u8>,
    at: usize,
    /// No LF in `input` between `at` and here.
    searched: usize,
    /// `input` is UTF-8 between `at` and here.
    checked: usize,
    /// The command under way; the lines behind it wait.
    job: Option<Box<Job>>,
    /// Whole lines wait in `input` (S2, S3).
    held: bool,
    /// The rest of an over-long line is to be skipped.
    skipping: bool,
    /// Replies, sent up to `sent`.
    output: Vec<u8>,
    sent: usize,
    /// The socket took no more in this turn.
    blocked: bool,
    /// The peer sends no more: there will be no edge after its last byte, so read to the end.
    hung_up: bool,
    /// Since it was last asked: a line was executed, much of a long one came, or replies went.
    moved: bool,
    /// Nothing more will be received.
    ended: bool,
    /// Nothing more is executed; close when the output is sent.
    closing: bool,
}

impl Connection {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: Vec::new(),
            at: 0,
            searched: 0,
            checked: 0,
            job: None,
            held: false,
            skipping: false,
            output: Vec::new(),
            sent: 0,
            blocked: false,
            hung_up: false,
            moved: false,
            ended: false,
            closing: false,
        }
    }

    /// Sends, executes and reads as far as it goes. `hung_up`: an event said that the peer
    /// sends no more.
    pub(crate) fn drive(&mut self, shared: &mut Shared<'_>, hung_up: bool) -> Next {
        self.hung_up |= hung_up;
        shared.now = shared.store.now();
        shared.until = shared.now + TURN;
        if self.output.is_empty() {
            self.output = std::mem::take(&mut shared.spare);
        }
        // An error of the socket leaves nobody to talk to.
        let next = self.turn(shared).unwrap_or(Next::Close);
        if self.output.is_empty() {
            let spare = std::mem::take(&mut self.output);
            if spare.capacity() > shared.spare.capacity() && spare.capacity() <= KEEP_SPARE {
                shared.spare = spare;
            }
        }
        if next == Next::Close {
            self.end();
        }
        next
    }

    /// Ends the stream in order, where unread requests would reset it.
    pub(crate) fn end(&self) {
        // Fails only if the peer is gone already.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Whether the peer has done anything since this was last asked. A line that comes in crumbs
    /// does not count, nor does a reply that is not read.
    pub(crate) fn has_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    fn turn(&mut self, shared: &mut Shared<'_>) -> io::Result<Next> {
        self.blocked = false;
        let mut drained = false;
        for _ in 0..ROUNDS {
            self.work(shared)?;
            if self.held && self.job.is_none() {
                self.run_input(shared)?;
            }
            self.send()?;
            let busy = self.held || self.job.is_some();
            self.closing |= self.ended && !busy;
            if self.closing {
                return Ok(if self.output.is_empty() {
                    Next::Close
                } else {
                    Next::Wait
                });
            }
            if busy && self.blocked && self.unsent() > shared.max_output {
                return Ok(Next::Wait);
            }
            if drained && !busy {
                return Ok(Next::Wait);
            }
            if shared.now >= shared.until {
                return Ok(Next::Again);
            }
            if busy {
                continue;
            }
            match self.stream.read(&mut shared.scratch) {
                Ok(0) => self.finish(shared)?,
                Ok(n) => {
                    // A stream socket that gives less than asked for has been emptied.
                    drained = n < shared.scratch.len() && !self.hung_up;
                    self.receive(shared, n)?;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => drained = true,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.send()?;
        Ok(Next::Again)
    }

    /// Takes in the first `n` bytes of the scratch buffer.
    fn receive(&mut self, shared: &mut Shared<'_>, n: usize) -> io::Result<()> {
        self.moved |= n >= CRUMB;
        if !self.input.is_empty() {
            self.make_room(shared.max_line);
            self.input.extend_from_slice(&shared.scratch[..n]);
            return self.run_input(shared);
        }
        let scratch = std::mem::take(&mut shared.scratch);
        let run = self.run(shared, &scratch[..n], Known::default());
        if let Ok(run) = run {
            self.input.extend_from_slice(&scratch[run.used..n]);
            self.checked = run.checked - run.used;
            self.searched = run.searched - run.used;
            self.settle(shared);
        }
        shared.scratch = scratch;
        run.map(drop)
    }

    /// Makes room for a read behind a long line. To double would copy half of it at the end of a turn.
    fn make_room(&mut self, max_line: usize) {
        let len = self.input.len();
        if len >= LONG && self.input.capacity() - len < READ {
            let most = (max_line + READ).saturating_sub(len).max(READ);
            // Without it the buffer doubles.
            let _ = self.input.try_reserve_exact((7 * len).min(most));
        }
    }

    /// Executes the lines of `input`.
    fn run_input(&mut self, shared: &mut Shared<'_>) -> io::Result<()> {
        let input = std::mem::take(&mut self.input);
        let at = self.at;
        let known = Known {
            searched: self.searched - at,
            checked: self.checked - at,
        };
        let run = self.run(shared, &input[at..], known);
        self.input = input;
        let run = run?;
        self.at = at + run.used;
        self.checked = at + run.checked;
        self.searched = at + run.searched;
        if let Some(end) = run.long {
            self.take_line(at + end);
            return self.work(shared);
        }
        self.settle(shared);
        Ok(())
    }

    /// Takes the line that ends at `end` out of `input`, as a job.
    fn take_line(&mut self, end: usize) {
        let rest = self.input.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.input, rest);
        line.truncate(end);
        // Lines in front of it are rare: it came in many reads.
        line.drain(..self.at);
        line.shrink_to_fit();
        self.job = Some(Box::new(Job::Line(Arc::new(line))));
        self.checked -= end + 1;
        (self.at, self.searched) = (0, 0);
    }

    /// Puts `input` in order after a run: no executed bytes in front, unless lines are held.
    fn settle(&mut self, shared: &Shared<'_>) {
        if self.held {
            return;
        }
        if self.input.len() - self.at > shared.max_line {
            self.skipping = true;
            self.at = self.input.len();
        }
        self.checked = self.checked.saturating_sub(self.at);
        if self.at < self.input.len() {
            self.input.drain(..self.at);
        } else if self.input.capacity() > KEEP {
            self.input = Vec::new();
        } else {
            self.input.clear();
        }
        self.at = 0;
        self.searched = self.input.len();
        self.checked = self.checked.min(self.input.len());
        // A long line is checked as it comes: all at once would take a while.
        let new = &self.input[self.checked..];
        if new.len() >= READ / 2 {
            self.checked += match str::from_utf8(new) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
        }
    }

    /// Executes the whole lines of `bytes`. Sets `held` when it stopped early (S2, S3), `closing`
    /// when a line is not UTF-8.
    fn run(&mut self, shared: &mut Shared<'_>, bytes: &[u8], known: Known) -> io::Result<Run> {
        self.held = false;
        let mut start = 0;
        let run = |used, checked: usize| {
            Ok(Run {
                used,
                searched: used,
                checked: checked.max(used),
                long: None,
            })
        };
        if self.skipping {
            let Some(end) = memchr(b'\n', bytes) else {
                return run(bytes.len(), 0);
            };
            self.skipping = false;
            self.output.extend_from_slice(LINE_TOO_LONG);
            start = end + 1;
        }
        let from = known.searched.max(start);
        let Some(last) = memrchr(b'\n', &bytes[from..]) else {
            return run(start, known.checked);
        };
        let end = from + last + 1;
        let valid = valid_lines(&bytes[..end], start, known.checked.max(start));
        self.moved = true;
        let mut work = 0;
        let send_at = SEND_AT.min(shared.max_output);
        let mut line_start = start;
        for lf in memchr_iter(b'\n', &bytes[from.min(valid)..valid]) {
            let lf = from + lf;
            let line = &bytes[line_start..lf];
            let replied = self.output.len();
            if line.len() > shared.max_line {
                self.output.extend_from_slice(LINE_TOO_LONG);
            } else if line.len() >= LONG || !self.execute(shared, line)? {
                self.held = true;
                return Ok(Run {
                    used: line_start,
                    searched: lf,
                    checked: valid,
                    long: (line.len() >= LONG).then_some(lf),
                });
            }
            line_start = lf + 1;
            work += LINE + line.len() + self.output.len().saturating_sub(replied);
            if work >= LOOK {
                work = 0;
                shared.now = shared.store.now();
            }
            if self.unsent() >= send_at {
                self.send()?;
            }
            let full = self.unsent() > shared.max_output;
            if self.job.is_some() || (full || shared.now >= shared.until) && line_start < end {
                self.held = true;
                return run(line_start, valid);
            }
        }
        self.closing = valid < end;
        run(if self.closing { bytes.len() } else { end }, 0)
    }

    /// Executes a line, or begins to; false if it has to be begun again in another turn.
    fn execute(&mut self, shared: &mut Shared<'_>, line: &[u8]) -> io::Result<bool> {
        loop {
            match begin(shared.store, line, shared.now, &mut self.output) {
                Begun::Done => return Ok(true),
                Begun::Job(job) => {
                    self.job = Some(job);
                    self.work(shared)?;
                    return Ok(true);
                }
                Begun::NotYet => shared.now = shared.store.now(),
            }
            if shared.now >= shared.until {
                return Ok(false);
            }
        }
    }

    /// Goes on with the command under way.
    fn work(&mut self, shared: &mut Shared<'_>) -> io::Result<()> {
        while let Some(job) = &mut self.job {
            self.moved = true;
            if job.step(shared.store, shared.until, &mut self.output) {
                self.job = None;
            }
            shared.now = shared.store.now();
            if self.unsent() >= SEND_AT.min(shared.max_output) {
                self.send()?;
            }
            if shared.now >= shared.until || self.unsent() > shared.max_output {
                break;
            }
        }
        Ok(())
    }

    /// The peer sends no more: executes an unterminated last line, as the real server does.
    fn finish(&mut self, shared: &mut Shared<'_>) -> io::Result<()> {
        self.ended = true;
        if std::mem::take(&mut self.skipping) {
            self.output.extend_from_slice(LINE_TOO_LONG);
        }
        if self.input.is_empty() {
            return Ok(());
        }
        self.input.push(b'\n');
        self.run_input(shared)
    }

    /// Sends what it can.
    fn send(&mut self) -> io::Result<()> {
        while !self.blocked && self.sent < self.output.len() {
            match self.stream.write(&self.output[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.sent += n;
                    self.moved = true;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
        } else if self.sent > self.output.len() / 2 {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
        Ok(())
    }

    fn unsent(&self) -> usize {
        self.output.len() - self.sent
    }
}

/// What is known of bytes before a run.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// There is no LF in so many.
    searched: usize,
    /// So many are UTF-8.
    checked: usize,
}

/// What a run made of its bytes.
#[derive(Debug, Clone, Copy)]
struct Run {
    used: usize,
    /// There is no LF between those and here.
    searched: usize,
    /// So many are UTF-8; at least those that are used up.
    checked: usize,
    /// It ended before a long line, which ends here.
    long: Option<usize>,
}

/// Where the lines of `bytes` that are UTF-8 end, from `start` on; up to `checked` all are.
fn valid_lines(bytes: &[u8], start: usize, checked: usize) -> usize {
    match str::from_utf8(&bytes[checked..]) {
        Ok(_) => bytes.len(),
        Err(error) => {
            let valid = &bytes[start..checked + error.valid_up_to()];
            memrchr(b'\n', valid).map_or(start, |lf| start + lf + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::store::OnFull;

    /// The end of a stream is announced once, perhaps turns before it is reached.
    #[test]
    fn a_hang_up_is_remembered_over_turns() {
        const PART: usize = 60;
        let store = Store::new(1 << 20, OnFull::Evict);
        let mut shared = Shared {
            store: &store,
            max_line: 1000,
            max_output: 1000,
            now: store.now(),
            until: store.now(),
            scratch: vec![0; PART].into_boxed_slice(),
            spare: Vec::new(),
        };
        let (mut peer, server) = mio::net::UnixStream::pair().unwrap();
        let requests = "GET\tk\n".repeat(PART * ROUNDS / 6 + 3);
        peer.write_all(requests.as_bytes()).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let mut connection = Connection::new(Stream::Unix(server));
        assert_eq!(connection.drive(&mut shared, true), Next::Again);
        assert_eq!(connection.drive(&mut shared, false), Next::Close);
        let mut replies = vec![0; requests.len()];
        assert_eq!(peer.read(&mut replies).unwrap(), requests.len() / 2);
        assert_eq!(peer.read(&mut replies).unwrap(), 0);
    }

    #[test]
    fn an_idle_connection_waits_and_holds_no_buffer() {
        let store = Store::new(1 << 20, OnFull::Evict);
        let mut shared = Shared {
            store: &store,
            max_line: 1000,
            max_output: 1000,
            now: store.now(),
            until: store.now(),
            scratch: vec![0; READ].into_boxed_slice(),
            spare: Vec::with_capacity(READ),
        };
        let (mut peer, server) = mio::net::UnixStream::pair().unwrap();
        let mut connection = Connection::new(Stream::Unix(server));
        peer.write_all(b"GET\tk\nGET\tk\n").unwrap();
        assert_eq!(connection.drive(&mut shared, false), Next::Wait);
        assert_eq!(
            connection.input.capacity() + connection.output.capacity(),
            0
        );
        let mut reply = [0; 64];
        assert_eq!(peer.read(&mut reply).unwrap(), 6);
        assert_eq!(
            peer.read(&mut reply).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
    }
}
