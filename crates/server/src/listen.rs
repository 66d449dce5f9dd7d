//! The listening sockets: TCP, and a Unix socket with its file.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::own_file::OwnFile;
use crate::stream::Stream;

/// Connections that may wait to be accepted; the kernel lowers it to its own limit.
const BACKLOG: i32 = 1024;

/// One listening socket; a Unix one with its file, which goes with it.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(
        UnixListener,
        #[expect(dead_code, reason = "dropped with it")] OwnFile,
    ),
}

impl Listener {
    /// Listens on a TCP address.
    pub(crate) fn tcp(addr: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM.nonblocking(), None)?;
        socket.set_reuse_address(true)?;
        socket
            .bind(&addr.into())
            .map_err(|e| named(&e, &addr.to_string()))?;
        socket.listen(BACKLOG)?;
        Ok(Self::Tcp(TcpListener::from_std(socket.into())))
    }

    /// Listens on a Unix socket. A socket file that nobody listens on is replaced; any other file
    /// is left alone.
    pub(crate) fn unix(path: &Path) -> io::Result<Self> {
        remove_stale(path).map_err(|e| named(&e, &path.display().to_string()))?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        socket
            .bind(&SockAddr::unix(path)?)
            .map_err(|e| named(&e, &path.display().to_string()))?;
        let file = OwnFile::adopt(path)?;
        socket.listen(BACKLOG)?;
        Ok(Self::Unix(UnixListener::from_std(socket.into()), file))
    }

    /// The bound TCP address; None for a Unix socket.
    pub(crate) fn tcp_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(tcp) => tcp.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    /// Takes the next connection; `WouldBlock` when none waits.
    pub(crate) fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(tcp) => tcp.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Self::Unix(unix, _) => unix.accept().map(|(stream, _)| Stream::Unix(stream)),
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.register(registry, token, Interest::READABLE),
            Self::Unix(unix, _) => unix.register(registry, token, Interest::READABLE),
        }
    }
}

/// Removes the file of a socket whose server is gone.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    let kind = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta.file_type(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !kind.is_socket() {
        let what = "a file that is not a socket is in the way; give another path";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
    }
    match UnixStream::connect(path) {
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another server listens there",
        )),
    }
}

fn named(error: &io::Error, place: &str) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {place}: {error}"))
}
