//! The seal: a last command whose reply nobody can foresee, so that a batch of reads is known to be in step.
//!
//! Order is all that ties a reply to its command. A stored value that contains a line feed (the server's HTTP port
//! lets one in) comes back as two lines, and from there on every command of the batch gets its neighbour's reply.
//! Waiting for the surplus line is no defence: the batch looks complete before that line has arrived.
//!
//! So a batch in which stored text comes before the last reply ends with `INCR key nonce 0`: a counter that is
//! expired at birth always answers with its own increment. If the line in that place is not our nonce, the batch
//! is out of step and all of it is thrown away. The key is drawn once a connection and the nonce for each batch, so
//! that no stored value can have been made to match and no two batches meet on one key. Costs one command a batch;
//! the server keeps at most one expired entry for each connection, until its next sweep.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

/// The closing command of one batch and the line that has to answer it.
#[derive(Debug)]
pub(crate) struct Seal {
    bytes: [u8; CAPACITY],
    command: usize,
    reply: usize,
}

/// Enough for the command (at most 59 bytes) and the reply (at most 25).
const CAPACITY: usize = 96;

thread_local! {
    static DRAWN: (RandomState, Cell<u64>) = (RandomState::new(), const { Cell::new(0) });
}

/// Draws a number that nobody outside the process can foresee: SipHash of a counter, keyed by the system.
pub(crate) fn draw() -> u64 {
    DRAWN.with(|(keys, counter)| {
        counter.set(counter.get().wrapping_add(1));
        keys.hash_one(counter.get())
    })
}

impl Seal {
    /// Makes a seal on `key`, which was drawn for the connection.
    pub(crate) fn new(key: u64) -> Self {
        let nonce = draw() >> 1;
        let mut bytes = [0; CAPACITY];
        let mut rest = &mut bytes[..];
        let fits = "BUG: CAPACITY is the length of the longest seal";
        writeln!(rest, "INCR\t__tc_seal:{key:016x}\t{nonce}\t0").expect(fits);
        let command = CAPACITY - rest.len();
        write!(rest, "VALUE\t{nonce}").expect(fits);
        let reply = CAPACITY - command - rest.len();
        Self {
            bytes,
            command,
            reply,
        }
    }

    /// Returns the request line, with its LF.
    pub(crate) fn command(&self) -> &[u8] {
        &self.bytes[..self.command]
    }

    /// Returns the reply line, without its LF.
    pub(crate) fn reply(&self) -> &[u8] {
        &self.bytes[self.command..self.command + self.reply]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_one_line_and_never_the_same() {
        let (first, second) = (Seal::new(1), Seal::new(u64::MAX));
        assert_ne!(first.reply(), second.reply());
        for seal in [first, second] {
            let command = std::str::from_utf8(seal.command()).unwrap();
            let nonce = std::str::from_utf8(seal.reply())
                .unwrap()
                .strip_prefix("VALUE\t")
                .unwrap();
            assert!(nonce.parse::<i64>().is_ok());
            let fields: Vec<_> = command.strip_suffix('\n').unwrap().split('\t').collect();
            assert_eq!(
                (fields.len(), fields[0], fields[2], fields[3]),
                (4, "INCR", nonce, "0")
            );
        }
    }
}
