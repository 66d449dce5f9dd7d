//! The listening socket of a fault server: open, refusing, or a black hole.
//!
//! A change of state has happened when the call returns. While it refuses, the address stays
//! bound, so that nobody else gets the port.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::listen::remove_stale;
use crate::own_file::OwnFile;

const BACKLOG: i32 = 1024;

/// Within this a connection on the same machine completes, if it ever does.
const SETTLE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Refusing,
    Blackhole,
}

/// Where a fault server listens.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

#[derive(Debug)]
pub(super) struct Door {
    place: Place,
    socket: Socket,
    /// The file of a Unix socket.
    file: Option<OwnFile>,
    state: State,
    registry: Registry,
    token: Token,
    /// Connections of our own that fill the queue of a black hole.
    fillers: Vec<Socket>,
    /// Refuses by call, whatever the rules say.
    pub(super) barred: bool,
}

impl Door {
    /// Binds and listens.
    pub(super) fn open(place: Place, registry: Registry, token: Token) -> io::Result<Self> {
        if let Place::Unix(path) = &place {
            remove_stale(path)?;
        }
        let socket = bind(&place)?;
        let place = match place {
            Place::Tcp(_) => Place::Tcp(tcp_addr(&socket)?),
            unix => unix,
        };
        let file = adopt(&place)?;
        let mut door = Self {
            place,
            socket,
            file,
            state: State::Refusing,
            registry,
            token,
            fillers: Vec::new(),
            barred: false,
        };
        door.set(State::Open)?;
        Ok(door)
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Goes to another state.
    pub(super) fn set(&mut self, state: State) -> io::Result<()> {
        if state == self.state {
            return Ok(());
        }
        match self.state {
            State::Open => {}
            State::Refusing => {
                self.socket.listen(BACKLOG)?;
                let fd = self.socket.as_raw_fd();
                self.registry
                    .register(&mut SourceFd(&fd), self.token, Interest::READABLE)?;
            }
            State::Blackhole => self.unfill()?,
        }
        self.state = State::Open;
        match state {
            State::Open => {}
            State::Refusing => {
                // The old socket must be gone before its address can be bound again.
                self.socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                self.file = None;
                self.socket = bind(&self.place)?;
                self.file = adopt(&self.place)?;
            }
            State::Blackhole => self.fill()?,
        }
        self.state = state;
        Ok(())
    }

    /// Takes the next connection; `WouldBlock` when none waits or none is to be taken.
    pub(super) fn accept(&self) -> io::Result<Socket> {
        match self.state {
            State::Open => self.socket.accept().map(|(socket, _)| socket),
            State::Refusing | State::Blackhole => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Fills the queue of connections to accept, until one more does not get in.
    fn fill(&mut self) -> io::Result<()> {
        self.socket.listen(0)?;
        let (domain, addr) = self.target()?;
        loop {
            let filler = Socket::new(domain, Type::STREAM.nonblocking(), None)?;
            // A connection that does not complete at once says so; that is what is wanted.
            let _ = filler.connect(&addr);
            let start = std::time::Instant::now();
            while filler.peer_addr().is_err() && start.elapsed() < SETTLE {
                std::thread::sleep(Duration::from_millis(2));
            }
            let got_in = filler.peer_addr().is_ok();
            self.fillers.push(filler);
            if !got_in {
                return Ok(());
            }
        }
    }

    /// Takes the fillers out of the queue again; they were the first in it.
    fn unfill(&mut self) -> io::Result<()> {
        for filler in self.fillers.drain(..) {
            if filler.peer_addr().is_ok() {
                drop(self.socket.accept()?);
            }
        }
        self.socket.listen(BACKLOG)
    }

    fn target(&self) -> io::Result<(Domain, SockAddr)> {
        match &self.place {
            Place::Tcp(addr) => Ok((Domain::for_address(*addr), (*addr).into())),
            Place::Unix(path) => Ok((Domain::UNIX, SockAddr::unix(path)?)),
        }
    }
}

fn adopt(place: &Place) -> io::Result<Option<OwnFile>> {
    match place {
        Place::Tcp(_) => Ok(None),
        Place::Unix(path) => OwnFile::adopt(path).map(Some),
    }
}

fn bind(place: &Place) -> io::Result<Socket> {
    let (domain, addr) = match place {
        Place::Tcp(addr) => (Domain::for_address(*addr), (*addr).into()),
        Place::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?),
    };
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), None)?;
    if matches!(place, Place::Tcp(_)) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&addr)?;
    Ok(socket)
}

fn tcp_addr(socket: &Socket) -> io::Result<SocketAddr> {
    let unexpected = || io::Error::other("BUG: a TCP socket without a TCP address");
    socket.local_addr()?.as_socket().ok_or_else(unexpected)
}
