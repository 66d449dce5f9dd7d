//! Buffers for one call, kept by the thread for the next.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ext_php_rs::zend::BailoutGuard;
use tagcache_client::{Commands, Replies, TagList};

use crate::value::Rules;

/// How much of a buffer is kept between calls: enough for a thousand small values. With 64 KB, memory was mapped and
/// unmapped at each mSet of 1000, which took half as long again.
const KEEP_BYTES: usize = 256 << 10;
/// How many sets a thread keeps; more than one only when calls nest, as within `__unserialize()`.
const KEEP_SETS: usize = 4;

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
    pub(crate) fn follow(&mut self, rules: Arc<Rules>) {
        rules.apply(&mut self.commands);
        self.rules = rules;
    }
}

thread_local! {
    static FREE: RefCell<Vec<Buffers>> = const { RefCell::new(Vec::new()) };
}

/// A set of buffers, taken by value: a call that runs user code, which calls the cache again,
/// keeps its own. It goes back to the thread when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(Option<Buffers>);

impl Scratch {
    /// Takes a set that follows `rules`. The guard returns it even if PHP bails out while an answer becomes values.
    pub(crate) fn take(rules: Arc<Rules>) -> BailoutGuard<Self> {
        let mut buffers = FREE
            .with(|free| free.borrow_mut().pop())
            .unwrap_or_default();
        buffers.follow(rules);
        BailoutGuard::new(Self(Some(buffers)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(mut buffers) = self.0.take() {
            buffers.commands.clear(KEEP_BYTES);
            buffers.replies.clear(KEEP_BYTES);
            buffers.tags.clear();
            // At the end of a thread there may be nothing left to go back to.
            let _ = FREE.try_with(|free| {
                let mut free = free.borrow_mut();
                if free.len() < KEEP_SETS {
                    free.push(buffers);
                }
            });
        }
    }
}

impl Deref for Scratch {
    type Target = Buffers;

    fn deref(&self) -> &Buffers {
        self.0
            .as_ref()
            .expect("BUG: buffers are taken out only by drop")
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Buffers {
        self.0
            .as_mut()
            .expect("BUG: buffers are taken out only by drop")
    }
}
