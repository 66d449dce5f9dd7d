//! The deadline holds while bytes keep coming or going: a peer that is quick enough gives no occasion to wait, and it
//! was only before waiting that the clock was looked at. Here the deadline is over before the first step, and what is
//! left undone tells how often it was looked at.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use socket2::Socket;

use super::{Cause, SEND_AT_ONCE, Step, Transfer};
use crate::codec::Value;
use crate::config::CallLimits;
use crate::conn::Connection;
use crate::deadline::Deadline;
use crate::pool::Managed;
use crate::proto::{Commands, Replies, Reply, TagList};

/// What lies in the socket, or is sent: far more than one receive or send takes.
const MUCH: usize = 8 << 20;

fn pair() -> (Connection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Connection::new(Socket::from(ours)), theirs)
}

fn puts(bytes: usize) -> Commands {
    let mut commands = Commands::new();
    let value = vec![b'x'; bytes];
    commands
        .put(b"k", None, &TagList::new(), Value::Str(&value))
        .unwrap();
    commands
}

fn limits() -> CallLimits {
    CallLimits {
        max_reply_bytes: 1 << 30,
        ..CallLimits::default()
    }
}

fn over() -> Deadline {
    let deadline = Deadline::after(Duration::from_nanos(1));
    thread::sleep(Duration::from_millis(1));
    deadline
}

/// The beginning of a reply without an end, as long as the socket takes it.
fn flood(mut peer: &UnixStream) -> usize {
    peer.set_nonblocking(true).unwrap();
    let mut all = 0;
    while let Ok(some) = peer.write(&[b'x'; 1 << 10]) {
        all += some;
    }
    all
}

#[test]
fn a_peer_that_floods_does_not_extend_a_call() {
    let (mut connection, peer) = pair();
    let lies_there = flood(&peer);
    let commands = puts(MUCH);
    let mut replies = Replies::new();
    let mut transfer = Transfer::begin(&mut connection, &commands, &replies, &limits());
    // What `run` takes afterwards is bounded by what lay there when the time was over.
    let end = transfer.finish_blocking(&mut connection, &commands, &over(), &mut replies);
    assert!(matches!(end, Err(Cause::TimedOut(_))), "{end:?}");
    let received = connection.take_traffic().received as usize;
    assert!(received * 2 < lies_there, "{received} of {lies_there}");
}

#[test]
fn a_peer_that_floods_does_not_extend_a_batch() {
    let (mut connection, peer) = pair();
    let lies_there = flood(&peer);
    let commands = puts(MUCH);
    let mut replies = Replies::new();
    let mut transfer = Transfer::begin(&mut connection, &commands, &replies, &limits());
    let step = transfer.pump(&mut connection, &commands, &over(), &mut replies);
    assert!(matches!(step, Err(Cause::TimedOut(_))), "{step:?}");
    let received = connection.take_traffic().received as usize;
    assert!(received * 2 < lies_there, "{received} of {lies_there}");
}

/// A step that finds the time to be over between two receives takes the rest of what has come.
#[test]
fn all_that_has_come_when_the_time_is_over_counts() {
    let (mut connection, mut peer) = pair();
    let mut commands = Commands::new();
    commands.get(b"k").unwrap();
    let mut replies = Replies::new();
    let mut transfer = Transfer::begin(&mut connection, &commands, &replies, &limits());
    let more = Deadline::after(Duration::from_secs(5));
    let step = transfer.step(&mut connection, &commands, &more, &mut replies);
    assert!(matches!(step, Ok(Step::Read)), "{step:?}");
    let value = vec![b'x'; 100 << 10];
    peer.write_all(&[&b"VALUE\t"[..], &value, b"\n"].concat())
        .unwrap();
    let step = transfer.step(&mut connection, &commands, &over(), &mut replies);
    assert!(matches!(step, Ok(Step::Done)), "{step:?}");
    assert_eq!(replies.get(0), Reply::Value(&value));
}

/// A peer that reads as fast as we send never lets a send block.
#[test]
fn a_peer_that_swallows_does_not_extend_a_call() {
    let commands = puts(MUCH);
    for _ in 0..20 {
        let (mut connection, mut peer) = pair();
        let reader = thread::spawn(move || {
            let mut scratch = vec![0; 1 << 20];
            while peer.read(&mut scratch).is_ok_and(|some| some > 0) {}
        });
        let mut replies = Replies::new();
        let failure = super::run(&mut connection, &commands, &limits(), &over(), &mut replies);
        let cause = failure.unwrap_err().cause;
        assert!(matches!(cause, Cause::TimedOut(_)), "{cause:?}");
        let sent = connection.take_traffic().sent as usize;
        assert!(sent <= SEND_AT_ONCE, "{sent} bytes after the deadline");
        drop(connection);
        reader.join().unwrap();
    }
}
