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

use crate::random::random;

/// The closing command of one batch and the line that has to answer it.
#[derive(Debug)]
pub(crate) struct Seal {
    bytes: [u8; CAPACITY],
    command: usize,
    reply: usize,
}

/// Enough for the command (at most 59 bytes) and the reply (at most 25).
const CAPACITY: usize = 96;

const COMMAND: &[u8] = b"INCR\t__tc_seal:";

fn hex(number: u64) -> [u8; 16] {
    std::array::from_fn(|at| b"0123456789abcdef"[(number >> (60 - 4 * at)) as usize & 15])
}

impl Seal {
    /// Makes a seal on `key`, which was drawn for the connection.
    pub(crate) fn new(key: u64) -> Self {
        let mut nonce = itoa::Buffer::new();
        let nonce = nonce.format(random() >> 1).as_bytes();
        let mut this = Self {
            bytes: [0; CAPACITY],
            command: 0,
            reply: 0,
        };
        this.command = this.write(0, &[COMMAND, &hex(key), b"\t", nonce, b"\t0\n"]);
        this.reply = this.write(this.command, &[b"VALUE\t", nonce]) - this.command;
        this
    }

    /// Puts `parts` behind one another from `at` on, returns where they end.
    fn write(&mut self, at: usize, parts: &[&[u8]]) -> usize {
        parts.iter().fold(at, |at, part| {
            self.bytes[at..at + part.len()].copy_from_slice(part);
            at + part.len()
        })
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
    fn keys_have_sixteen_digits() {
        for key in [0, 1, 0xabc, 1 << 60, u64::MAX] {
            assert_eq!(&hex(key)[..], format!("{key:016x}").as_bytes());
        }
    }

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
            assert_eq!(nonce, nonce.parse::<i64>().unwrap().to_string());
            let fields: Vec<_> = command.strip_suffix('\n').unwrap().split('\t').collect();
            assert_eq!(
                (fields.len(), fields[0], fields[2], fields[3]),
                (4, "INCR", nonce, "0")
            );
        }
    }
}
