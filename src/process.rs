//! What belongs to one process: a forked child begins with an empty one, and never touches that of its
//! parent, whose locks may be held by threads that do not exist there.

use tagcache_client::fork;

use crate::ffi::Leaked;

/// A value of the process, made at its first use. What a parent made is leaked in its children.
pub(crate) struct PerProcess<T: 'static>(Leaked<Made<T>>);

struct Made<T> {
    generation: u64,
    value: T,
}

impl<T: Default + Sync> PerProcess<T> {
    /// Returns one that is not made yet.
    pub(crate) const fn new() -> Self {
        Self(Leaked::empty())
    }

    /// Returns the value of this process.
    pub(crate) fn get(&self) -> &'static T {
        let generation = fork::generation();
        match self.0.get() {
            Some(made) if made.generation == generation => &made.value,
            old => {
                let value = T::default();
                &self.0.replace(old, Made { generation, value }).value
            }
        }
    }
}
