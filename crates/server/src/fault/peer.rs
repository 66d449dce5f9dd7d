//! One connection of a fault server: a thread that reads lines, executes them, and sends each
//! reply as the rules have it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use socket2::Socket;

use super::script::{Count, Cut, Plan};
use super::{Inner, LogEntry};
use crate::proto::{LINE_TOO_LONG, Verb, execute};

/// Longest request line.
const MAX_LINE: usize = 64 << 20;

/// Replies gathered before they are sent although more requests are at hand.
const SEND_AT: usize = 64 << 10;

/// How long the rest of the requests is read after closing in order.
const LINGER: Duration = Duration::from_millis(200);

/// The side of a connection that other threads see.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) socket: Socket,
    gone: Mutex<bool>,
    wake: Condvar,
}

impl Peer {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            gone: Mutex::new(false),
            wake: Condvar::new(),
        }
    }

    /// Ends the connection and whatever its thread waits for.
    pub(super) fn kick(&self) {
        *self.gone.lock() = true;
        self.wake.notify_all();
        // Fails only if the peer is gone already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Waits; fails as soon as the connection is kicked.
    fn sleep(&self, pause: Duration) -> io::Result<()> {
        let end = Instant::now() + pause;
        let mut gone = self.gone.lock();
        while !*gone && !self.wake.wait_until(&mut gone, end).timed_out() {}
        if *gone {
            Err(io::ErrorKind::ConnectionAborted.into())
        } else {
            Ok(())
        }
    }

    /// Waits until the connection is kicked.
    fn wait_gone(&self) {
        let mut gone = self.gone.lock();
        while !*gone {
            self.wake.wait(&mut gone);
        }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Close in order.
    Close,
    /// Reset it.
    Reset,
}

#[derive(Debug)]
pub(super) struct Talk {
    inner: Arc<Inner>,
    conn: u64,
    peer: Arc<Peer>,
    count: Count,
    output: Vec<u8>,
    /// Stalled: replies are dropped.
    mute: bool,
}

impl Talk {
    pub(super) fn new(inner: Arc<Inner>, conn: u64, peer: Arc<Peer>) -> Self {
        Self {
            inner,
            conn,
            peer,
            count: Count::default(),
            output: Vec::new(),
            mute: false,
        }
    }

    /// Talks until the peer or a rule ends it.
    pub(super) fn run(mut self) {
        // An error of the socket ends it as well; there is nobody to tell.
        let end = self.serve().unwrap_or(End::Close);
        match end {
            // Without LINGER 0 it would be an orderly end.
            End::Reset => drop(self.peer.socket.set_linger(Some(Duration::ZERO))),
            End::Close => {
                let _ = self.peer.socket.shutdown(Shutdown::Write);
            }
        }
        self.inner.peers.lock().live.remove(&self.conn);
        if end == End::Close {
            // What is unread at close would turn the end into a reset.
            let _ = self.drain();
        }
    }

    fn serve(&mut self) -> io::Result<End> {
        let mut input = Vec::new();
        let mut scratch = vec![0; 64 << 10];
        loop {
            if self.inner.script.lock().stops_reading(self.conn) {
                self.peer.wait_gone();
                return Ok(End::Close);
            }
            let n = match (&self.peer.socket).read(&mut scratch) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let searched = input.len();
            input.extend_from_slice(&scratch[..n]);
            let end = match memchr::memrchr(b'\n', &input[searched..]) {
                _ if n == 0 => input.len(),
                Some(lf) => searched + lf + 1,
                None if input.len() > MAX_LINE => {
                    self.output.extend_from_slice(LINE_TOO_LONG);
                    self.send()?;
                    return Ok(End::Close);
                }
                None => continue,
            };
            for line in input[..end].split_inclusive(|&byte| byte == b'\n') {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                if let Some(end) = self.answer(line)? {
                    return Ok(end);
                }
            }
            self.send()?;
            input.drain(..end);
            if n == 0 {
                return Ok(End::Close);
            }
        }
    }

    /// Executes one line and sends or gathers its reply.
    fn answer(&mut self, line: &[u8]) -> io::Result<Option<End>> {
        self.inner.note(LogEntry {
            conn: self.conn,
            line: String::from_utf8_lossy(line).into_owned(),
        });
        let Ok(line) = str::from_utf8(line) else {
            self.send()?;
            return Ok(Some(End::Close));
        };
        let mut reply = Vec::new();
        let store = &self.inner.store;
        let Some(verb) = execute(store, line.as_bytes(), store.now(), &mut reply) else {
            return Ok(None);
        };
        if self.inner.echo_keys && verb == Verb::Get && reply == b"NF\n" {
            let key = line
                .trim_end_matches('\r')
                .split('\t')
                .nth(1)
                .unwrap_or_default();
            reply = format!("VALUE\t{key}\n").into_bytes();
        }
        let plan = self
            .inner
            .script
            .lock()
            .plan(self.conn, verb, &mut self.count);
        if self.mute {
            return Ok(None);
        }
        self.inner.count_reply();
        let Some(plan) = plan else {
            self.output.extend_from_slice(&reply);
            if self.output.len() >= SEND_AT {
                self.send()?;
            }
            return Ok(None);
        };
        self.send()?;
        self.perform(plan, reply)
    }

    fn perform(&mut self, plan: Plan, reply: Vec<u8>) -> io::Result<Option<End>> {
        if !plan.delay.is_zero() {
            self.peer.sleep(plan.delay)?;
        }
        let mut bytes = plan.text.unwrap_or(reply);
        bytes.extend_from_slice(&plan.append);
        if let Some((most, _)) = plan.cut {
            bytes.truncate(most);
        }
        match plan.dribble {
            None => (&self.peer.socket).write_all(&bytes)?,
            Some(pause) => {
                for byte in bytes {
                    self.peer.sleep(pause)?;
                    (&self.peer.socket).write_all(&[byte])?;
                }
            }
        }
        match plan.cut {
            Some((_, Cut::Close)) => return Ok(Some(End::Close)),
            Some((_, Cut::Reset)) => return Ok(Some(End::Reset)),
            Some((_, Cut::Stall)) => self.mute = true,
            None => {
                for (after, text) in plan.late {
                    self.peer.sleep(after)?;
                    (&self.peer.socket).write_all(&text)?;
                }
            }
        }
        Ok(plan.close.then_some(End::Close))
    }

    fn send(&mut self) -> io::Result<()> {
        let sent = (&self.peer.socket).write_all(&self.output);
        self.output.clear();
        sent
    }

    /// Reads what the peer still sends, for a while.
    fn drain(&self) -> io::Result<()> {
        let end = Instant::now() + LINGER;
        let mut scratch = [0; 4096];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.peer.socket.set_read_timeout(Some(left))?;
            if (&self.peer.socket).read(&mut scratch)? == 0 {
                return Ok(());
            }
        }
    }
}
