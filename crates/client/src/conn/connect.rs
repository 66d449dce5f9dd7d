//! Opening a connection: name look-up, every address in turn, socket options, all within one deadline.
//!
//! `connect_timeout` bounds a handshake, the deadline bounds how long one caller waits for it. A caller that came
//! late in its call cannot wait to the end, but it has begun a handshake: that is put aside for the next one who
//! needs a connection, instead of being cut off and begun anew, over and over, by callers who all come late.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};

use crate::config::{Endpoint, KeepAlive, PoolConfig};
use crate::deadline::Deadline;
use crate::error::{Error, Phase};
use crate::fork;

use super::{Connection, sys};

/// Look-ups that may be under way at once. More only pile up behind a name server that does not answer.
const MAX_LOOKUPS: u64 = 16;

/// After so long without an answer a handshake has most likely lost its packet. The kernel repeats it a second
/// after the first, then after two, four and so on; a fresh one finds a server that is back at once.
pub(crate) const ANSWER_DUE: Duration = Duration::from_millis(500);

/// How many look-ups are under way, and above [`COUNT_BITS`] in which process: those of a parent end in the parent.
static LOOKUPS: AtomicU64 = AtomicU64::new(0);
const COUNT_BITS: u32 = 8;

/// A TCP handshake under way, whose caller had to leave.
#[derive(Debug)]
pub struct Handshake {
    socket: Socket,
    begun: Instant,
}

impl Handshake {
    /// Waits for the end of the handshake, at most `limit`.
    fn wait(self, limit: Duration) -> io::Result<Attempt> {
        let deadline = Deadline::after(limit);
        loop {
            let left = deadline.remaining().unwrap_or_default();
            match sys::poll(self.socket.as_fd(), true, left) {
                Ok(true) => break,
                Ok(false) => return Ok(Attempt::Pending(self)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match self.socket.take_error()? {
            None => connected(self.socket),
            Some(error) => Err(error),
        }
    }
}

/// What came of trying one address.
enum Attempt {
    Connected(Socket),
    Pending(Handshake),
}

/// Opens a connection to `config.endpoint` by `deadline`. Takes up a handshake that lies in `aside` and is younger
/// than `connect_timeout`; puts its own there if it has to leave before that is over.
pub(crate) fn connect(
    config: &PoolConfig,
    deadline: &Deadline,
    connect_timeout: Duration,
    aside: &ArrayQueue<Handshake>,
) -> Result<Connection, Error> {
    let socket = match &config.endpoint {
        Endpoint::Tcp { host, port } => {
            let attempt = match take_up(deadline, connect_timeout, aside) {
                Some(attempt) => attempt,
                None => {
                    let addresses = resolve(host, *port, config, deadline)?;
                    connect_any(&addresses, config, deadline)?
                }
            };
            match attempt {
                Attempt::Connected(socket) => socket,
                Attempt::Pending(handshake) => {
                    if handshake.begun.elapsed() < connect_timeout {
                        // Full only if drained or forked meanwhile; then it is dropped.
                        let _ = aside.push(handshake);
                    }
                    return Err(timed_out(Phase::Connect, config, deadline));
                }
            }
        }
        Endpoint::Unix(path) => connect_unix(path, config, deadline)?,
    };
    Ok(Connection::new(socket))
}

/// Goes on with a handshake that somebody else began. One that has failed, is too old, or has had [`ANSWER_DUE`]
/// for an answer is dropped: the caller begins anew, and does not have to wait for the kernel to repeat the lost
/// packet of another.
fn take_up(
    deadline: &Deadline,
    connect_timeout: Duration,
    aside: &ArrayQueue<Handshake>,
) -> Option<Attempt> {
    while let Some(handshake) = aside.pop() {
        let age = handshake.begun.elapsed();
        if age >= connect_timeout {
            continue;
        }
        let patience = connect_timeout.min(ANSWER_DUE).saturating_sub(age);
        let left = deadline.remaining().unwrap_or_default().min(patience);
        match handshake.wait(left) {
            Ok(Attempt::Pending(_)) if deadline.remaining().is_some() => {}
            Ok(attempt) => return Some(attempt),
            Err(_) => {}
        }
    }
    None
}

fn timed_out(phase: Phase, config: &PoolConfig, deadline: &Deadline) -> Error {
    Error::Timeout {
        phase,
        endpoint: config.endpoint.to_string(),
        limit: deadline.limit(),
        elapsed: deadline.elapsed(),
    }
}

fn failed(config: &PoolConfig, source: io::Error) -> Error {
    Error::Connect {
        endpoint: config.endpoint.to_string(),
        source,
    }
}

/// Returns the addresses of `host`. Literals cost nothing. A name is looked up in a thread of its own, because
/// libc's look-up can't be given a deadline: one that does not answer in time is left to end by itself.
fn resolve(
    host: &str,
    port: u16,
    config: &PoolConfig,
    deadline: &Deadline,
) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let unresolved = |source| Error::Resolve {
        host: host.to_owned(),
        source,
    };
    let Some(left) = deadline.remaining() else {
        return Err(timed_out(Phase::LookUp, config, deadline));
    };
    let slot = LookupSlot::take().ok_or_else(|| {
        unresolved(io::Error::other(format!(
            "{MAX_LOOKUPS} look-ups are waiting for the name server"
        )))
    })?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = host.to_owned();
    let look_up = move || {
        // libc, short of descriptors, says that there is no such name.
        let found = (name.as_str(), port)
            .to_socket_addrs()
            .map(Vec::from_iter)
            .map_err(|error| {
                Socket::new(Domain::UNIX, Type::STREAM, None)
                    .err()
                    .unwrap_or(error)
            });
        drop(slot);
        // The caller may have gone at its deadline: then nobody wants the answer.
        let _ = sender.send(found);
    };
    let thread = thread::Builder::new()
        .name("tagcache-resolve".to_owned())
        .stack_size(256 << 10);
    sys::without_signals(|| thread.spawn(look_up)).map_err(unresolved)?;
    match receiver.recv_timeout(left) {
        Ok(Ok(addresses)) if addresses.is_empty() => Err(unresolved(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        ))),
        Ok(found) => found.map_err(unresolved),
        Err(_) => Err(timed_out(Phase::LookUp, config, deadline)),
    }
}

/// One of the look-ups that may be under way.
struct LookupSlot {
    generation: u64,
}

impl LookupSlot {
    fn take() -> Option<Self> {
        let generation = fork::generation();
        // Relaxed: a bound on a number, publishes nothing.
        LOOKUPS
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let ours = word >> COUNT_BITS == generation;
                let under_way = if ours {
                    word & ((1 << COUNT_BITS) - 1)
                } else {
                    0
                };
                (under_way < MAX_LOOKUPS).then_some((generation << COUNT_BITS) | (under_way + 1))
            })
            .ok()
            // Made only where one was taken: its drop gives one back.
            .map(|_| Self { generation })
    }
}

impl Drop for LookupSlot {
    fn drop(&mut self) {
        // Relaxed: see `take`. Where a child has begun to count anew, there is nothing to take off.
        let _ = LOOKUPS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            (word >> COUNT_BITS == self.generation).then(|| word - 1)
        });
    }
}

/// Tries the addresses in the order of the resolver. Each may use an equal share of what is left, so that one that
/// swallows packets leaves time for the next.
fn connect_any(
    addresses: &[SocketAddr],
    config: &PoolConfig,
    deadline: &Deadline,
) -> Result<Attempt, Error> {
    let mut last = None;
    for (tried, address) in addresses.iter().enumerate() {
        let Some(left) = deadline.remaining() else {
            break;
        };
        let share = left / (addresses.len() - tried) as u32;
        match connect_tcp(*address, share.max(Duration::from_millis(1)), config) {
            Ok(Attempt::Pending(_)) if tried + 1 < addresses.len() => {}
            Ok(attempt) => return Ok(attempt),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) if error.kind() != io::ErrorKind::TimedOut => failed(config, error),
        _ => timed_out(Phase::Connect, config, deadline),
    })
}

fn connect_tcp(address: SocketAddr, limit: Duration, config: &PoolConfig) -> io::Result<Attempt> {
    // `Socket::new` sets CLOEXEC: programs that PHP starts don't inherit the connection.
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_tcp_nodelay(true)?;
    if let Some(KeepAlive {
        idle,
        interval,
        count,
    }) = config.keep_alive
    {
        let keep_alive = TcpKeepalive::new()
            .with_time(idle)
            .with_interval(interval)
            .with_retries(count);
        socket.set_tcp_keepalive(&keep_alive)?;
    }
    let begun = Instant::now();
    match socket.connect_timeout(&SockAddr::from(address), limit) {
        Ok(()) => connected(socket),
        // The limit is over, not the kernel's patience (ETIMEDOUT).
        Err(error) if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() => {
            Ok(Attempt::Pending(Handshake { socket, begun }))
        }
        Err(error) => Err(error),
    }
}

/// Accepts a socket that says it is connected. With nobody listening on a port of the ephemeral range, TCP's
/// simultaneous open can connect a socket to itself, and every command would be read back as its own reply.
fn connected(socket: Socket) -> io::Result<Attempt> {
    if socket.local_addr()?.as_socket() == socket.peer_addr()?.as_socket() {
        return Err(io::Error::from(io::ErrorKind::ConnectionRefused));
    }
    Ok(Attempt::Connected(socket))
}

fn connect_unix(path: &Path, config: &PoolConfig, deadline: &Deadline) -> Result<Socket, Error> {
    let open = || {
        let address = SockAddr::unix(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        loop {
            let left = deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
            // A Unix socket's connect waits for room in the server's backlog, bounded by the send timeout.
            socket.set_write_timeout(Some(left.max(Duration::from_millis(1))))?;
            match socket.connect(&address) {
                // A signal: nothing of it is under way then, so it can be asked again.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        }
        socket.set_write_timeout(None)?;
        Ok(socket)
    };
    open().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            timed_out(Phase::Connect, config, deadline)
        }
        _ => failed(config, error),
    })
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::fork::pretended::Child;

    /// One test, as there is one count.
    #[test]
    fn a_child_has_all_its_look_ups() {
        let take_all = || Vec::from_iter((0..3 * MAX_LOOKUPS).filter_map(|_| LookupSlot::take()));
        // A refusal is no slot, whose drop would let the next one in.
        let of_the_parent = take_all();
        assert_eq!(of_the_parent.len() as u64, MAX_LOOKUPS);
        // The threads of a parent's look-ups do not exist in its child, so nobody would ever take them off there.
        let child = Child::new();
        let own = take_all();
        assert_eq!(own.len() as u64, MAX_LOOKUPS);
        drop(of_the_parent);
        assert!(LookupSlot::take().is_none(), "of no concern to the child");
        drop(own);
        assert!(LookupSlot::take().is_some());
        drop(child);
    }
}
