//! What became of the commands of a fan-out.

use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;

use super::{Lanes, State};
use crate::error::Error;
use crate::proto::{Replies, Timing};

/// What became of one command.
#[derive(Clone, Copy, Debug)]
enum Outcome<'a> {
    /// Its reply is not in yet.
    Pending,
    /// Its reply is in.
    Replied,
    /// Its lane failed before its reply could be trusted.
    Failed(&'a Rc<Error>),
}

impl Lanes {
    pub(in crate::fanout) fn timing(&self) -> Timing {
        self.timing
    }

    pub(in crate::fanout) fn failure(&self) -> Option<Rc<Error>> {
        self.lanes.iter().find_map(|lane| match &lane.state {
            State::Failed(error) => Some(Rc::clone(error)),
            _ => None,
        })
    }

    pub(in crate::fanout) fn first(&self) -> Option<(&'static str, Vec<u8>)> {
        let (lane, _) = self.places.first()?;
        let (verb, name) = self.lanes[*lane as usize].commands.first()?;
        Some((verb, name.to_vec()))
    }

    pub(in crate::fanout) fn refusals(&self) -> Option<(usize, Vec<u8>)> {
        let refused = self.lanes.iter().filter_map(|lane| lane.replies.refusals());
        refused.fold(None, |sum, (count, text)| {
            let (before, first) = sum.unwrap_or_else(|| (0, text.to_vec()));
            Some((before + count, first))
        })
    }

    /// Returns what became of command `n`.
    fn outcome(&self, n: usize) -> Outcome<'_> {
        let (lane, place) = self.places[n];
        let lane = &self.lanes[lane as usize];
        let place = place as usize;
        match &lane.state {
            // Until its seal has come, a batch of reads is not known to be in step.
            State::Open { .. } if lane.commands.wants_seal() => Outcome::Pending,
            State::Failed(error) if place >= lane.replies.len() => Outcome::Failed(error),
            _ if place < lane.replies.len() => Outcome::Replied,
            _ => Outcome::Pending,
        }
    }

    pub(in crate::fanout) fn is_settled(&self, mut commands: Range<usize>) -> bool {
        !commands.any(|n| matches!(self.outcome(n), Outcome::Pending))
    }

    pub(in crate::fanout) fn copy_replies(
        &self,
        commands: Range<usize>,
        into: &mut Replies,
    ) -> Poll<Result<(), Rc<Error>>> {
        let mut pending = false;
        for n in commands.clone() {
            match self.outcome(n) {
                Outcome::Replied => {}
                Outcome::Pending => pending = true,
                Outcome::Failed(error) => return Poll::Ready(Err(Rc::clone(error))),
            }
        }
        if pending {
            return Poll::Pending;
        }
        for &(lane, place) in &self.places[commands] {
            into.copy_from(&self.lanes[lane as usize].replies, place as usize);
        }
        Poll::Ready(Ok(()))
    }

    pub(in crate::fanout) fn answered(&self) -> usize {
        self.lanes
            .iter()
            .map(|lane| match lane.state {
                State::Open { .. } if lane.commands.wants_seal() => 0,
                _ => lane.replies.len(),
            })
            .sum()
    }
}
