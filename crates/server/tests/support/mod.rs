//! A blocking peer for the tests, in which nothing waits for ever.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longer than any right answer takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    pending: Vec<u8>,
}

impl Peer {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::new(TcpStream::connect(addr).unwrap())
    }

    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next line without its LF.
    pub(crate) fn line(&mut self) -> String {
        loop {
            if let Some(lf) = self.pending.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=lf).collect();
                return String::from_utf8(line[..lf].to_vec()).unwrap();
            }
            assert_ne!(self.fill().unwrap(), 0, "closed in front of a line");
        }
    }

    /// Sends one request line and returns the reply line.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\n"));
        self.line()
    }

    /// Exactly `n` bytes.
    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        while self.pending.len() < n {
            assert_ne!(self.fill().unwrap(), 0, "closed after {:?}", self.pending);
        }
        self.pending.drain(..n).collect()
    }

    /// Everything up to the end of the stream.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.fill().unwrap() > 0 {}
        std::mem::take(&mut self.pending)
    }

    /// What arrives within `time`; the end of the stream is an error.
    pub(crate) fn arrives_within(&mut self, time: Duration) -> io::Result<Vec<u8>> {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let read = self.fill();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(std::mem::take(&mut self.pending)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 65536];
        let n = self.stream.read(&mut chunk)?;
        self.pending.extend_from_slice(&chunk[..n]);
        Ok(n)
    }
}

/// Waits until `done`; fails with `what` when it never is.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
