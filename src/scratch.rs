//! Buffers for one call, kept by the thread for the next.

use std::sync::Arc;

use tagcache_client::{Commands, Replies, TagList};

use crate::ffi::{Lendable, Lent, Shelf};
use crate::value::Rules;

/// How much of a buffer is kept between calls: enough for a thousand small values. With 64 KB, memory was mapped and
/// unmapped at each mSet of 1000, which took half as long again.
const KEEP_BYTES: usize = 256 << 10;
/// What a call needs to ask and to be answered.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// The commands to send.
    pub(crate) commands: Commands,
    /// What came back.
    pub(crate) replies: Replies,
    /// The tags of the commands.
    pub(crate) tags: TagList,
    /// How names and values are written and read; `commands` follow it.
    pub(crate) rules: Arc<Rules>,
}

impl Buffers {
    /// Makes what is encoded from now on follow `rules`.
    fn follow(&mut self, rules: &Arc<Rules>) {
        rules.apply(&mut self.commands);
        // Counting costs more than looking, and a thread mostly uses one handle.
        if !Arc::ptr_eq(&self.rules, rules) {
            self.rules = Arc::clone(rules);
        }
    }
}

thread_local! {
    static SHELF: Shelf<Buffers> = const { Shelf::new() };
}

impl Lendable for Buffers {
    fn shelf() -> &'static std::thread::LocalKey<Shelf<Self>> {
        &SHELF
    }

    fn tidy(&mut self) {
        self.commands.clear(KEEP_BYTES);
        self.replies.clear(KEEP_BYTES);
        self.tags.clear();
    }
}

/// A set of buffers that one call has to itself.
pub(crate) type Scratch = Lent<Buffers>;

/// Takes a set that follows `rules`.
pub(crate) fn take(rules: &Arc<Rules>) -> Scratch {
    let mut buffers = Scratch::take();
    buffers.follow(rules);
    buffers
}
