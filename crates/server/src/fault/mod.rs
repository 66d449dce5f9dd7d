//! A server that answers like `tagcached`, from the same store, and goes wrong where a test tells
//! it to. One thread a connection: it is made to be understood, not to be quick.
//!
//! Rules act on replies ([`Rule::stall`], [`Rule::close`], ...), on reading ([`Rule::noread`]) or
//! on the listener ([`Rule::refuse`], [`Rule::blackhole`]). Several rules may act on one reply.
//! They apply from the moment they are added, also to connections that exist; one that connected
//! before a rule closes the listener is accepted before.
//!
//! Locks, in this order: `door`, `script`, `peers`; `log` alone.

mod door;
mod parse;
mod peer;
mod rule;
mod script;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};
use parking_lot::Mutex;

pub use self::parse::RuleError;
pub use self::rule::{Nth, Rule};

use self::door::{Door, Place, State};
use self::peer::{Peer, Talk};
use self::rule::Action;
use self::script::Script;
use crate::store::{OnFull, Store};

const LISTENER: Token = Token(0);
const WAKE: Token = Token(1);

/// Log entries kept; older ones go first.
const LOG_LIMIT: usize = 1 << 20;

/// Pause after an error when accepting, which would come back at once.
const PAUSE: Duration = Duration::from_millis(20);

/// Memory of the entries.
const MEMORY: usize = 1 << 30;

/// One request line that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The connection, counted from 0 in the order of acceptance.
    pub conn: u64,
    /// The line without its LF; what is not UTF-8 is replaced.
    pub line: String,
}

/// How a fault server listens.
#[derive(Debug, Clone)]
pub struct FaultConfig {
    /// TCP address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Path of a Unix socket to listen on instead of TCP.
    pub unix: Option<PathBuf>,
    /// Answer a GET of an absent key with the key itself as the value.
    pub echo_keys: bool,
}

impl Default for FaultConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            unix: None,
            echo_keys: false,
        }
    }
}

/// Connections by number, and how many there were.
#[derive(Debug, Default)]
struct Peers {
    live: HashMap<u64, Arc<Peer>>,
    most: usize,
    total: u64,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    echo_keys: bool,
    script: Mutex<Script>,
    peers: Mutex<Peers>,
    log: Mutex<VecDeque<LogEntry>>,
    replies: AtomicU64,
    door: Mutex<Door>,
    waker: Waker,
    stop: AtomicBool,
}

/// A running fault server. Dropping it closes everything and joins its threads.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
/// use tagcached::fault::{FaultServer, Rule};
///
/// let server = FaultServer::start([Rule::close(0).byte(2)])?;
/// let mut peer = std::net::TcpStream::connect(server.addr())?;
/// peer.write_all(b"PUT\tk\t-\t-\tv\n")?;
/// let mut reply = String::new();
/// peer.read_to_string(&mut reply)?;
/// assert_eq!(reply, "OK");
/// assert_eq!(server.log()[0].line, "PUT\tk\t-\t-\tv");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FaultServer {
    inner: Arc<Inner>,
    acceptor: Option<JoinHandle<()>>,
}

impl FaultServer {
    /// Starts on a free port of 127.0.0.1 with `rules`.
    ///
    /// # Errors
    ///
    /// What the system said when listening or starting the thread.
    pub fn start(rules: impl IntoIterator<Item = Rule>) -> io::Result<Self> {
        Self::start_with(FaultConfig::default(), rules)
    }

    /// Starts as `config` says with `rules`.
    ///
    /// # Errors
    ///
    /// What the system said when listening or starting the thread.
    pub fn start_with(
        config: FaultConfig,
        rules: impl IntoIterator<Item = Rule>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let place = config.unix.map_or(Place::Tcp(config.listen), Place::Unix);
        let door = Door::open(place, poll.registry().try_clone()?, LISTENER)?;
        let inner = Arc::new(Inner {
            store: Store::new(MEMORY, OnFull::Evict),
            echo_keys: config.echo_keys,
            script: Mutex::default(),
            peers: Mutex::default(),
            log: Mutex::default(),
            replies: AtomicU64::new(0),
            door: Mutex::new(door),
            waker: Waker::new(poll.registry(), WAKE)?,
            stop: AtomicBool::new(false),
        });
        for rule in rules {
            inner.script.lock().add(rule);
        }
        inner.settle(&mut inner.door.lock())?;
        let accepting = Arc::clone(&inner);
        let name = "fault-accept".into();
        let acceptor = Builder::new()
            .name(name)
            .spawn(move || accept(&accepting, poll))?;
        Ok(Self {
            inner,
            acceptor: Some(acceptor),
        })
    }

    /// The TCP address it listens on; `0.0.0.0:0` on a Unix socket.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        match self.inner.door.lock().place() {
            Place::Tcp(addr) => *addr,
            Place::Unix(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        }
    }

    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// What the system said when the listener changed; only for `refuse` and `blackhole`.
    pub fn try_add(&self, rule: Rule) -> io::Result<()> {
        let mut door = self.inner.door.lock();
        admit_waiting(&self.inner, &mut door)?;
        self.inner.script.lock().add(rule);
        self.inner.settle(&mut door)
    }

    /// Adds a rule.
    ///
    /// # Panics
    ///
    /// Where [`try_add`](Self::try_add) fails.
    pub fn add(&self, rule: Rule) {
        must(self.try_add(rule));
    }

    /// Removes all rules. A connection that a rule stalled stays stalled.
    ///
    /// # Panics
    ///
    /// When the listener cannot be changed back.
    pub fn clear(&self) {
        let mut door = self.inner.door.lock();
        self.inner.script.lock().clear();
        must(self.inner.settle(&mut door));
    }

    /// Closes the listener until [`accept`](Self::accept): connecting is refused.
    ///
    /// # Panics
    ///
    /// When the address cannot be bound again to keep it.
    pub fn refuse(&self) {
        let mut door = self.inner.door.lock();
        must(admit_waiting(&self.inner, &mut door));
        door.barred = true;
        must(self.inner.settle(&mut door));
    }

    /// Listens again on the same port, and removes the `refuse` rules.
    ///
    /// # Panics
    ///
    /// When the system does not let it listen.
    pub fn accept(&self) {
        let mut door = self.inner.door.lock();
        door.barred = false;
        self.inner.script.lock().remove_refusals();
        must(self.inner.settle(&mut door));
    }

    /// Closes all live connections.
    pub fn kick(&self) {
        self.inner.kick();
    }

    /// Number of live connections.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.inner.peers.lock().live.len()
    }

    /// The most connections that were live at once.
    #[must_use]
    pub fn peers_max(&self) -> usize {
        self.inner.peers.lock().most
    }

    /// Number of connections so far.
    #[must_use]
    pub fn peers_total(&self) -> u64 {
        self.inner.peers.lock().total
    }

    /// Number of replies so far, disturbed ones included, those swallowed by a stall not.
    #[must_use]
    pub fn replies(&self) -> u64 {
        // Relaxed: a count, paired with nothing.
        self.inner.replies.load(Ordering::Relaxed)
    }

    /// The request lines that arrived since the last call, in order; at most the last 1048576.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        std::mem::take(&mut *self.inner.log.lock()).into()
    }

    /// The entries, which rules do not touch.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in `accept`.
        self.inner.stop.store(true, Ordering::Release);
        // Fails only when the poll is gone, and the thread with it.
        let _ = self.inner.waker.wake();
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        self.inner.kick();
        let threads = std::mem::take(&mut self.inner.peers.lock().threads);
        for thread in threads {
            // A thread that panicked has said so on stderr.
            let _ = thread.join();
        }
    }
}

impl Inner {
    /// Brings the listener to the state that calls and rules ask for.
    fn settle(&self, door: &mut Door) -> io::Result<()> {
        let script = self.script.lock();
        let accepted = self.peers.lock().total;
        let state = if door.barred || script.wants(&Action::Refuse, accepted) {
            State::Refusing
        } else if script.wants(&Action::Blackhole, accepted) {
            State::Blackhole
        } else {
            State::Open
        };
        drop(script);
        door.set(state)
    }

    fn kick(&self) {
        for (_, peer) in self.peers.lock().live.drain() {
            peer.kick();
        }
    }

    fn note(&self, entry: LogEntry) {
        let mut log = self.log.lock();
        if log.len() == LOG_LIMIT {
            log.pop_front();
        }
        log.push_back(entry);
    }

    fn count_reply(&self) {
        // Relaxed: as in `FaultServer::replies`.
        self.replies.fetch_add(1, Ordering::Relaxed);
    }
}

/// The accepting thread.
fn accept(inner: &Arc<Inner>, mut poll: Poll) {
    let mut events = Events::with_capacity(4);
    loop {
        if let Err(error) = poll.poll(&mut events, None) {
            assert_eq!(
                error.kind(),
                io::ErrorKind::Interrupted,
                "BUG: poll: {error}"
            );
            continue;
        }
        // Acquire: pairs with the Release in `drop`.
        if inner.stop.load(Ordering::Acquire) {
            return;
        }
        loop {
            // Unlocked again before the pause.
            let admitted = admit_waiting(inner, &mut inner.door.lock());
            let Err(error) = admitted else { break };
            eprintln!("fault server: {error}");
            std::thread::sleep(PAUSE);
        }
    }
}

/// Takes the connections that are there already: what comes next is not about them.
fn admit_waiting(inner: &Arc<Inner>, door: &mut Door) -> io::Result<()> {
    loop {
        match door.accept() {
            Ok(socket) => welcome(inner, socket)?,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        }
        inner.settle(door)?;
    }
}

/// Starts the thread of a new connection.
fn welcome(inner: &Arc<Inner>, socket: socket2::Socket) -> io::Result<()> {
    socket.set_nonblocking(false)?;
    // Not there on a Unix socket; replies are not delayed there.
    let _ = socket.set_tcp_nodelay(true);
    let peer = Arc::new(Peer::new(socket));
    let mut peers = inner.peers.lock();
    let conn = peers.total;
    peers.total += 1;
    peers.live.insert(conn, Arc::clone(&peer));
    peers.most = peers.most.max(peers.live.len());
    let (ended, live): (Vec<_>, Vec<_>) = std::mem::take(&mut peers.threads)
        .into_iter()
        .partition(|thread: &JoinHandle<()>| thread.is_finished());
    peers.threads = live;
    // Joined rather than dropped: that is at once, and an order of events that ThreadSanitizer sees.
    for thread in ended {
        // One that panicked has said so on stderr.
        let _ = thread.join();
    }
    let talk = Talk::new(Arc::clone(inner), conn, peer);
    let thread = Builder::new()
        .name(format!("fault-{conn}"))
        .spawn(move || talk.run())?;
    peers.threads.push(thread);
    Ok(())
}

fn must(done: io::Result<()>) {
    if let Err(error) = done {
        panic!("fault server: {error}");
    }
}
