//! The server as a whole: its threads, from start to stop.
//!
//! One thread accepts, `threads` workers serve, one sweeps. The store outlives them all.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

use crate::accept::{Acceptor, Bell};
use crate::config::Config;
use crate::listen::Listener;
use crate::own_file::OwnFile;
use crate::store::{Store, Sweeper};
use crate::worker::{Desk, Worker};

/// Time that one sweep may take.
const SWEEP_BUDGET: Duration = Duration::from_millis(2);

/// A running server. Dropping it stops it.
///
/// # Examples
///
/// ```
/// use tagcached::{Config, Server};
///
/// let server = Server::start(Config::default())?;
/// assert_ne!(server.addr().port(), 0);
/// server.stop();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    store: Arc<Store>,
    desks: Vec<Arc<Desk>>,
    running: Mutex<Option<Running>>,
}

/// What is there between start and stop.
#[derive(Debug)]
struct Running {
    bell: Arc<Bell>,
    desks: Vec<Arc<Desk>>,
    store: Arc<Store>,
    /// Ends the sweeper, which is woken to see it.
    stop_sweep: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// Removed when dropped, after the threads have ended.
    port_file: Option<OwnFile>,
}

impl Server {
    /// Listens and starts all threads. When this returns, connections are taken.
    ///
    /// # Errors
    ///
    /// `InvalidInput` names an option out of range; otherwise what the system said when
    /// listening, polling or starting a thread, with the address in the text.
    pub fn start(config: Config) -> io::Result<Self> {
        config.check()?;
        let mut listeners = Vec::new();
        if let Some(addr) = config.listen {
            listeners.push(Listener::tcp(addr)?);
        }
        if let Some(path) = &config.unix {
            listeners.push(Listener::unix(path)?);
        }
        let addr = listeners
            .iter()
            .find_map(Listener::tcp_addr)
            .unwrap_or(UNSPECIFIED);
        let store = Arc::new(Store::new(config.max_memory_bytes, config.on_full));
        let made: Vec<(Worker, Arc<Desk>)> = (0..config.worker_count())
            .map(|_| Worker::new())
            .collect::<io::Result<_>>()?;
        let desks: Vec<Arc<Desk>> = made.iter().map(|(_, desk)| Arc::clone(desk)).collect();
        let (acceptor, bell) = Acceptor::new(listeners, desks.clone(), config.max_connections)?;

        // From here on an error drops `running`, which ends the threads that were started.
        let mut running = Running {
            bell,
            desks: desks.clone(),
            store: Arc::clone(&store),
            stop_sweep: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
            port_file: None,
        };
        let interval = config.sweep_interval;
        for (id, (worker, _)) in made.into_iter().enumerate() {
            let (store, config) = (Arc::clone(&store), config.clone());
            running.spawn(format!("tagcached-io-{id}"), move || {
                worker.run(&store, &config)
            })?;
        }
        let (swept, stop) = (Arc::clone(&store), Arc::clone(&running.stop_sweep));
        running.spawn("tagcached-sweep".into(), move || {
            swept.employ_sweeper();
            let mut sweeper = Sweeper::default();
            let mut pause = interval;
            // Acquire: pairs with the Release in `Running::drop`.
            while !stop.load(Ordering::Acquire) {
                thread::park_timeout(pause);
                let much_left = sweeper.run(&swept, SWEEP_BUDGET);
                pause = if much_left {
                    SWEEP_BUDGET.min(interval)
                } else {
                    interval
                };
            }
        })?;
        running.spawn("tagcached-accept".into(), move || acceptor.run())?;
        if let Some(path) = &config.port_file {
            let written = OwnFile::write(path, &format!("{}\n", addr.port()));
            let file = written.map_err(|e| {
                let text = format!("cannot write the port file {}: {e}", path.display());
                io::Error::new(e.kind(), text)
            })?;
            running.port_file = Some(file);
        }
        Ok(Self {
            addr,
            store,
            desks,
            running: Mutex::new(Some(running)),
        })
    }

    /// The TCP address it listens on, with the real port; `0.0.0.0:0` if it listens on a Unix
    /// socket only.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The entries.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.desks.iter().map(|desk| desk.load()).sum()
    }

    /// Stops listening, closes every connection and waits for the threads. Once is enough.
    pub fn stop(&self) {
        let running = self.running.lock().take();
        drop(running);
    }
}

const UNSPECIFIED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl Running {
    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(Builder::new().name(name).spawn(run)?);
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.bell.stop();
        for desk in &self.desks {
            desk.stop();
        }
        // Release: pairs with the Acquire in the sweeper.
        self.stop_sweep.store(true, Ordering::Release);
        self.store.wake_sweeper();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on stderr; there is nothing to hand on.
            let _ = thread.join();
        }
    }
}
