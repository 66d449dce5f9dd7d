//! The pools, behind one trait: each lends a connection for the time of a closure.

use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use crossbeam_queue::ArrayQueue;
use tagcache_client::Deadline;
use tagcache_client::bench::{BarePool, Maker};

/// Longer than any bench.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// A pool that lends connections.
pub(crate) trait Lender<L>: Sync {
    /// Waits for a connection and runs `work` with it.
    fn lend<R>(&self, work: impl FnOnce(&mut L) -> R) -> R;
}

/// Ours. Each loan has its own deadline and looks at the connection first, as a real call does.
impl<M: Maker> Lender<M::Link> for BarePool<M> {
    fn lend<R>(&self, work: impl FnOnce(&mut M::Link) -> R) -> R {
        let mut guard = self
            .check_out(&Deadline::after(FOR_EVER))
            .expect("the bench ends before its deadline");
        work(&mut guard)
    }
}

/// r2d2 as cheap as it gets: connections are not tested at the check-out.
pub(crate) struct R2d2<M: Maker + 'static>(r2d2::Pool<Manager<M>>);

struct Manager<M>(M);

impl<M: Maker + 'static> r2d2::ManageConnection for Manager<M> {
    type Connection = M::Link;
    type Error = Never;

    fn connect(&self) -> Result<M::Link, Never> {
        Ok(self.0.open())
    }

    fn is_valid(&self, _: &mut M::Link) -> Result<(), Never> {
        Ok(())
    }

    fn has_broken(&self, _: &mut M::Link) -> bool {
        false
    }
}

/// The error of what can't fail, in the form that r2d2 wants.
#[derive(Debug)]
pub(crate) struct Never(Infallible);

impl std::fmt::Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {}
    }
}

impl std::error::Error for Never {}

impl<M: Maker + 'static> R2d2<M> {
    pub(crate) fn new(size: u32, maker: M) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .test_on_check_out(false)
            .connection_timeout(FOR_EVER)
            .idle_timeout(None)
            .max_lifetime(None)
            .build(Manager(maker));
        Self(pool.expect("connections that can be opened"))
    }
}

impl<M: Maker + 'static> Lender<M::Link> for R2d2<M> {
    fn lend<R>(&self, work: impl FnOnce(&mut M::Link) -> R) -> R {
        let mut connection = self.0.get().expect("the bench ends before its deadline");
        work(&mut connection)
    }
}

/// What one writes first: a vector behind a mutex, and a condition variable for those who find it empty.
pub(crate) struct Locked<L> {
    idle: Mutex<Vec<L>>,
    freed: Condvar,
}

impl<L> Locked<L> {
    pub(crate) fn new(links: Vec<L>) -> Self {
        Self {
            idle: Mutex::new(links),
            freed: Condvar::new(),
        }
    }
}

impl<L: Send> Lender<L> for Locked<L> {
    fn lend<R>(&self, work: impl FnOnce(&mut L) -> R) -> R {
        let poisoned = "no thread of the bench panics";
        let idle = self.idle.lock().expect(poisoned);
        let mut idle = self
            .freed
            .wait_while(idle, |idle| idle.is_empty())
            .expect(poisoned);
        let mut link = idle.pop().expect("waited until there was one");
        drop(idle);
        let result = work(&mut link);
        self.idle.lock().expect(poisoned).push(link);
        self.freed.notify_one();
        result
    }
}

/// A channel that the connections travel through.
pub(crate) struct Channel<L> {
    give: Sender<L>,
    take: Receiver<L>,
}

impl<L> Channel<L> {
    pub(crate) fn new(links: Vec<L>) -> Self {
        let (give, take) = crossbeam_channel::bounded(links.len());
        for link in links {
            give.send(link).expect("there is room for all");
        }
        Self { give, take }
    }
}

impl<L: Send> Lender<L> for Channel<L> {
    fn lend<R>(&self, work: impl FnOnce(&mut L) -> R) -> R {
        let mut link = self.take.recv().expect("this owns both ends");
        let result = work(&mut link);
        self.give.send(link).expect("this owns both ends");
        result
    }
}

/// The queue that is inside of ours, and nothing else: no limit, no deadline, no line. Who finds it empty tries again.
/// No pool that keeps its connections in it gets past this.
pub(crate) struct Queue<L>(ArrayQueue<Box<L>>);

impl<L> Queue<L> {
    pub(crate) fn new(links: Vec<L>) -> Self {
        let queue = ArrayQueue::new(links.len());
        for link in links {
            assert!(queue.push(Box::new(link)).is_ok(), "there is room for all");
        }
        Self(queue)
    }
}

impl<L: Send> Lender<L> for Queue<L> {
    fn lend<R>(&self, work: impl FnOnce(&mut L) -> R) -> R {
        let mut link = loop {
            match self.0.pop() {
                Some(link) => break link,
                None => std::thread::yield_now(),
            }
        };
        let result = work(&mut link);
        assert!(self.0.push(link).is_ok(), "it came from here");
        result
    }
}

/// A maker that several pools share.
impl<M: Maker> Maker for Shared<M> {
    type Link = M::Link;

    fn open(&self) -> M::Link {
        self.0.open()
    }

    fn is_quiet(link: &M::Link) -> bool {
        M::is_quiet(link)
    }
}

#[derive(Debug)]
pub(crate) struct Shared<M>(pub(crate) Arc<M>);

impl<M> Clone for Shared<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
