//! A fork with everything in flight: an idle connection, a guard that is out and a thread that waits. One test, so
//! that no other test's thread holds a lock at that moment (the allocator is safe to use after fork with glibc).

mod common;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use common::{assert_full_capacity, config, failed, get, limits, put, replied};
use tagcache_client::{Commands, Deadline, Error, Fanout, Pool, Reply, fork, random};
use tagcached::fault::{FaultServer, Rule};

/// A fan-out in flight: the child's copy fails, and the parent's goes on to its end.
fn a_fanout_stays_with_the_parent() {
    let rule = Rule::delay(Duration::from_millis(300), 0);
    let server = FaultServer::start([rule]).unwrap();
    let pool = Pool::new(config(server.addr(), 1));
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    let fanout = Fanout::start(&pool, &limits(5000), &commands, 1).unwrap();
    fanout.watch().unwrap();
    assert!(!fanout.drive(Duration::ZERO));
    assert!(!readable(&fanout));
    // SAFETY: as below.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let done = fanout.is_inherited() && fanout.drive(Duration::from_secs(5));
        let refused = matches!(failed(&fanout, 0).as_deref(), Some(Error::Forked { .. }));
        drop(fanout);
        // SAFETY: as below.
        unsafe { libc::_exit(libc::c_int::from(!done) + 2 * libc::c_int::from(!refused)) };
    }
    let mut status = 0;
    // SAFETY: as below.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child");
    assert!(!readable(&fanout), "the child has rung the parent's bell");
    // The parent is told by the same epoll instance that the child has left alone.
    assert!(fanout.drive(Duration::from_secs(2)));
    assert!(replied(&fanout, 0, Reply::NotFound));
    assert_full_capacity(&pool);
}

/// Numbers that are drawn after a fork, with keys that were drawn before it.
fn each_process_draws_its_own_numbers() {
    let _ = random();
    let (mut parent, mut child) = UnixStream::pair().unwrap();
    // SAFETY: as below.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let sent = child.write_all(&random().to_ne_bytes());
        // SAFETY: as below.
        unsafe { libc::_exit(libc::c_int::from(sent.is_err())) };
    }
    let mut status = 0;
    // SAFETY: as below.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child");
    let mut drawn = [0; 8];
    parent.read_exact(&mut drawn).unwrap();
    assert_ne!(u64::from_ne_bytes(drawn), random());
}

/// Returns whether the descriptor of `fanout` is readable.
fn readable(fanout: &Fanout) -> bool {
    let mut entry = libc::pollfd {
        fd: fanout.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid entry, whose descriptor the fan-out keeps open.
    unsafe { libc::poll(&mut entry, 1, 0) == 1 }
}

#[test]
fn parent_and_child_both_go_on() {
    each_process_draws_its_own_numbers();
    a_fanout_stays_with_the_parent();

    let server = FaultServer::start([]).unwrap();
    let pool = Pool::new(config(server.addr(), 2));
    put(&pool, "k", "parent");
    let deadline = Deadline::after(Duration::from_secs(20));
    let mut first = Some(pool.check_out(&limits(1000), &deadline).unwrap());
    let second = pool.check_out(&limits(1000), &deadline).unwrap();
    let generation = fork::generation();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| get(&pool, &limits(10_000), "k").unwrap());
        while pool.stats().waiters == 0 {
            std::thread::yield_now();
        }
        // SAFETY: the child below runs on its own copy of this thread, touches no lock that another thread can
        // hold but the allocator's (which glibc repairs), and leaves by `_exit`.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let code = child(&pool, first.take(), generation);
            // SAFETY: ends the process without running the parent's exit handlers.
            unsafe { libc::_exit(code) };
        }
        let mut status = 0;
        // SAFETY: `pid` is a child of this process and `status` a valid place for its result.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert!(libc::WIFEXITED(status), "the child died: {status:#x}");
        assert_eq!(
            libc::WEXITSTATUS(status),
            0,
            "the number of the step that failed in the child"
        );
        assert_eq!(fork::generation(), generation, "the parent did not fork");
        drop(second);
        assert_eq!(waiter.join().unwrap().as_deref(), Some("parent"));
    });
    drop(first);
    assert_eq!(
        get(&pool, &limits(1000), "k").unwrap().as_deref(),
        Some("parent")
    );
    assert_eq!(
        get(&pool, &limits(1000), "child").unwrap().as_deref(),
        Some("done")
    );
    assert_full_capacity(&pool);
    let stats = pool.stats();
    assert_eq!(
        (stats.opened, stats.closed_broken, stats.closed_stale),
        (2, 0, 0),
        "{stats:?}"
    );
    assert_eq!(
        server.peers_total(),
        4,
        "two of the parent, two of the child"
    );
}

/// Returns 0, or the number of the step that failed: a panic's message would get lost.
fn child(
    inherited: &Pool,
    guard: Option<tagcache_client::ConnectionGuard>,
    generation: u64,
) -> libc::c_int {
    if fork::generation() != generation + 1 || !inherited.is_inherited() {
        return 1;
    }
    // The inherited pool refuses before it touches anything: its mutex may be locked for ever here.
    if !matches!(
        get(inherited, &limits(1000), "k"),
        Err(Error::Forked { .. })
    ) {
        return 2;
    }
    drop(guard);
    inherited.housekeep();
    if inherited.drain() != 0 || !inherited.close(Duration::ZERO) {
        return 3;
    }
    let own = Pool::new(inherited.config().clone());
    for n in 0..100 {
        let value = n.to_string();
        let text = if n == 99 { "done" } else { &value };
        let stored = std::panic::catch_unwind(AssertUnwindSafe(|| put(&own, "child", text)));
        if stored.is_err() {
            return 4;
        }
        if !matches!(get(&own, &limits(1000), "k"), Ok(Some(text)) if text == "parent") {
            return 5;
        }
    }
    // A full pool in a child waits by sleeping and still ends at the deadline.
    let deadline = Deadline::after(Duration::from_secs(5));
    let held: Vec<_> = (0..2)
        .map(|_| own.check_out(&limits(1000), &deadline))
        .collect();
    if held.iter().any(Result::is_err) {
        return 6;
    }
    match get(&own, &limits(50), "k") {
        Err(Error::PoolExhausted { elapsed, .. }) if elapsed < Duration::from_millis(150) => 0,
        _ => 7,
    }
}
