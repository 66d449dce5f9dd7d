//! What a client can reach at most: one blocking socket, requests made beforehand, replies read and thrown away.
//! A worker of `scripts/bench.sh`, which tells it on stdin what to do:
//!
//! ```text
//! prepare get 100 text      ->  ready
//! run 5000                  ->  nanoseconds
//! ```
//!
//! With `guarded` behind the address it does what makes the extension safe, too: it looks before each request whether
//! anything lies in the socket, has a time limit on each receive, and ends a batch of reads with a command whose reply
//! nobody else can know. What that costs is the least that is lost against the raw socket.
//!
//! Other words behind the address try an idea, beside a raw socket without it: `copying` puts each request together
//! in a buffer before it is sent, which `writev` would save; `waiting` has the kernel wake it only when the shortest
//! replies that are due could be there (`SO_RCVLOWAT`); `two` sends the second half of a batch over a second
//! connection.
//!
//! It sends the very bytes that the extension sent: the values are read from the server, where the extension's
//! worker has put them under the same keys.

use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use memchr::memchr_iter;

/// What one timed step sends and how many lines answer it; what has to be sent before, untimed.
struct Step {
    before: Vec<u8>,
    before_lines: usize,
    request: Vec<u8>,
    lines: usize,
}

struct Wire {
    stream: TcpStream,
    manner: Manner,
    second: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// What it does besides.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Raw,
    Guarded,
    Copying,
    Waiting,
    Two,
}

/// What is still to come of a reply at least: its line feed, which some servers send by itself.
const SHORTEST: usize = 1;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let usage = "usage: raw_bound HOST:PORT [raw|guarded|copying|waiting|two]";
    let addr = std::env::args().nth(1).ok_or(usage)?;
    let manner = match std::env::args().nth(2).as_deref() {
        None | Some("raw") => Manner::Raw,
        Some("guarded") => Manner::Guarded,
        Some("copying") => Manner::Copying,
        Some("waiting") => Manner::Waiting,
        Some("two") => Manner::Two,
        Some(_) => return Err(usage.into()),
    };
    let connect = || {
        let stream = TcpStream::connect(&addr)?;
        stream.set_nodelay(true)?;
        io::Result::Ok(stream)
    };
    let stream = connect()?;
    if manner == Manner::Guarded {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    }
    let mut wire = Wire {
        stream,
        manner,
        second: (manner == Manner::Two).then(connect).transpose()?,
        buffer: vec![0; 256 << 10],
    };
    let mut steps = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["prepare", what, number, payload] => {
                steps = wire.prepare(what, number.parse()?, payload)?;
                println!("ready");
            }
            ["run", count] => println!("{}", wire.run(&steps, count.parse()?)?.as_nanos()),
            _ => return Err(format!("cannot understand '{line}'").into()),
        }
    }
    Ok(())
}

impl Wire {
    /// Makes the steps of a measurement; they are run in turn.
    fn prepare(&mut self, what: &str, number: usize, payload: &str) -> Result<Vec<Step>, Failure> {
        let per_step = match what {
            "mget" => number,
            _ => 1,
        };
        let size = if what == "mget" { 100 } else { number };
        match what {
            "get" | "mget" => {
                let keys: Vec<String> = (0..key_count(size))
                    .map(|n| key(size, payload, n))
                    .collect();
                let sealed = what == "mget" && self.manner == Manner::Guarded;
                Ok(keys
                    .chunks(per_step)
                    .map(|keys| {
                        let mut lines: String =
                            keys.iter().map(|key| format!("GET\t{key}\n")).collect();
                        if sealed {
                            lines.push_str("INCR\tbench:raw-seal\t0\t-\t-\n");
                        }
                        Step::timed(lines.into_bytes(), keys.len() + usize::from(sealed))
                    })
                    .collect())
            }
            "set" => (0..key_count(size))
                .map(|n| {
                    let key = key(size, payload, n);
                    let mut request = format!("PUT\t{key}\t-\t-\t").into_bytes();
                    request.extend(self.stored(&key)?);
                    request.push(b'\n');
                    Ok(Step::timed(request, 1))
                })
                .collect(),
            "keysbytag" => Ok(vec![Step::timed(b"KEYS_BY_TAG\tbench-tag\n".to_vec(), 1)]),
            "invtag" => {
                let before: String = (0..number)
                    .map(|n| format!("PUT\tbench:inv:{n}\t-\tbench-inv\tx\n"))
                    .collect();
                Ok(vec![Step {
                    before: before.into_bytes(),
                    before_lines: number,
                    request: b"INV_TAG\tbench-inv\n".to_vec(),
                    lines: 1,
                }])
            }
            other => Err(format!("no measurement '{other}'").into()),
        }
    }

    /// Returns the wire form of the value that the extension stored under `key`.
    fn stored(&mut self, key: &str) -> Result<Vec<u8>, Failure> {
        self.stream.write_all(format!("GET\t{key}\n").as_bytes())?;
        let mut reply = Vec::new();
        while reply.last() != Some(&b'\n') {
            let n = self.read()?;
            reply.extend_from_slice(&self.buffer[..n]);
        }
        reply.pop();
        let value = reply.strip_prefix(b"VALUE\t").ok_or_else(|| {
            format!("nothing stored under {key}; run the extension's worker first")
        })?;
        Ok(value.to_vec())
    }

    fn run(&mut self, steps: &[Step], count: usize) -> io::Result<Duration> {
        let mut timed = Duration::ZERO;
        if steps.iter().all(|step| step.before.is_empty()) {
            let start = Instant::now();
            for step in steps.iter().cycle().take(count) {
                self.exchange(&step.request, step.lines)?;
            }
            return Ok(start.elapsed());
        }
        for step in steps.iter().cycle().take(count) {
            self.exchange(&step.before, step.before_lines)?;
            let start = Instant::now();
            self.exchange(&step.request, step.lines)?;
            timed += start.elapsed();
        }
        Ok(timed)
    }

    /// Sends a request and reads `lines` lines.
    fn exchange(&mut self, request: &[u8], lines: usize) -> io::Result<()> {
        match self.manner {
            Manner::Guarded => self.must_be_quiet()?,
            Manner::Two if lines > 1 => return self.exchange_over_two(request, lines),
            Manner::Copying => {
                let room = &mut self.buffer[..request.len()];
                room.copy_from_slice(request);
                self.stream.write_all(room)?;
                return self.read_lines(lines);
            }
            _ => {}
        }
        self.stream.write_all(request)?;
        self.read_lines(lines)
    }

    fn exchange_over_two(&mut self, request: &[u8], lines: usize) -> io::Result<()> {
        // The first half and the second: the order of the replies is no matter here.
        let cut = memchr_iter(b'\n', request).nth(lines / 2 - 1);
        let (first, second) = request.split_at(cut.map_or(0, |at| at + 1));
        let mut other = self.second.take().ok_or(io::ErrorKind::NotConnected)?;
        self.stream.write_all(first)?;
        other.write_all(second)?;
        self.read_lines(lines / 2)?;
        std::mem::swap(&mut self.stream, &mut other);
        self.read_lines(lines - lines / 2)?;
        std::mem::swap(&mut self.stream, &mut other);
        self.second = Some(other);
        Ok(())
    }

    fn read_lines(&mut self, lines: usize) -> io::Result<()> {
        let mut due = lines;
        while due > 0 {
            if self.manner == Manner::Waiting && lines > 1 {
                self.wake_at(due * SHORTEST)?;
            }
            let n = self.read()?;
            let bytes = &self.buffer[..n];
            // One reply ends where the bytes end; only of many the ends have to be counted.
            due -= match lines {
                1 => usize::from(bytes[n - 1] == b'\n'),
                _ => memchr_iter(b'\n', bytes).count(),
            };
        }
        Ok(())
    }

    /// Has the kernel wake a receive only when so many bytes are there.
    fn wake_at(&self, bytes: usize) -> io::Result<()> {
        let bytes = bytes.min(32 << 10) as libc::c_int;
        let size = size_of_val(&bytes) as libc::socklen_t;
        let (socket, level, option) =
            (self.stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVLOWAT);
        // SAFETY: `bytes` is an int, of the size that is given with it.
        match unsafe { libc::setsockopt(socket, level, option, (&raw const bytes).cast(), size) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Fails if anything lies in the socket.
    fn must_be_quiet(&self) -> io::Result<()> {
        let mut entry = libc::pollfd {
            fd: self.stream.as_raw_fd(),
            events: libc::POLLIN | libc::POLLRDHUP,
            revents: 0,
        };
        // SAFETY: `entry` is one valid pollfd, and the count says 1.
        match unsafe { libc::poll(&mut entry, 1, 0) } {
            0 => Ok(()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        match self.stream.read(&mut self.buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => Ok(n),
        }
    }
}

impl Step {
    fn timed(request: Vec<u8>, lines: usize) -> Self {
        Self {
            before: Vec::new(),
            before_lines: 0,
            request,
            lines,
        }
    }
}

/// The same keys as in `bench/worker.php`.
fn key(size: usize, payload: &str, n: usize) -> String {
    format!("bench:{payload}:{size}:{n:04}")
}

fn key_count(size: usize) -> usize {
    if size > 8192 { 64 } else { 1000 }
}
