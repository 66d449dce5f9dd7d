//! Buffers for one call, kept by the thread for the next.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tagcache_client::{Commands, Replies, TagList};

use crate::ffi::Owned;
use crate::value::Rules;

/// How much of a buffer is kept between calls: enough for a thousand small values. With 64 KB, memory was mapped and
/// unmapped at each mSet of 1000, which took half as long again.
const KEEP_BYTES: usize = 256 << 10;
/// How many sets a thread keeps; more than one is out only when calls nest, as within
/// `__unserialize()`, or a Fiber is suspended in one.
const KEEP: usize = 4;

thread_local! {
    #[expect(clippy::vec_box, reason = "what is owned has an address of its own")]
    static KEPT: RefCell<Vec<Box<Buffers>>> = const { RefCell::new(Vec::new()) };
}

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

    fn tidy(&mut self) {
        self.commands.clear(KEEP_BYTES);
        self.replies.clear(KEEP_BYTES);
        self.tags.clear();
    }
}

/// A set of buffers that one call has to itself, so that a call of user code within it gets another.
/// It goes back to the thread when dropped. It costs no allocation a call.
#[derive(Debug)]
pub(crate) struct Scratch(Option<Owned<Buffers>>);

/// Takes a set that follows `rules`.
pub(crate) fn take(rules: &Arc<Rules>) -> Scratch {
    let mut buffers = KEPT.with_borrow_mut(Vec::pop).unwrap_or_default();
    buffers.follow(rules);
    Scratch(Some(Owned::of_box(buffers)))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut buffers) = self.0.take().and_then(Owned::into_box) else {
            return;
        };
        buffers.tidy();
        // At the end of a thread there may be no place for them.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEEP {
                kept.push(buffers);
            }
        });
    }
}

impl Deref for Scratch {
    type Target = Buffers;

    fn deref(&self) -> &Buffers {
        self.0.as_deref().expect(TAKEN)
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Buffers {
        self.0.as_deref_mut().expect(TAKEN)
    }
}

const TAKEN: &str = "BUG: the buffers are taken out only by drop";
