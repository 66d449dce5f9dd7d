//! [`Seen`]: what a walk through a value has met, by address.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// How many are noted without an allocation.
const FEW: usize = 8;

/// Notes by the address of what they are about, which is alive meanwhile.
#[derive(Debug)]
pub(crate) struct Seen<T> {
    few: [(usize, T); FEW],
    noted: usize,
    /// All of them, once they are more than a few.
    many: HashMap<usize, T, BuildHasherDefault<Address>>,
}

impl<T: Copy + Default> Default for Seen<T> {
    fn default() -> Self {
        Self {
            few: [(0, T::default()); FEW],
            noted: 0,
            many: HashMap::default(),
        }
    }
}

impl<T: Copy> Seen<T> {
    /// Returns the note about `what`.
    pub(crate) fn get<U>(&self, what: *const U) -> Option<T> {
        let address = what.addr();
        if !self.many.is_empty() {
            return self.many.get(&address).copied();
        }
        let mut few = self.few[..self.noted].iter();
        few.find(|(one, _)| *one == address).map(|(_, note)| *note)
    }

    /// Notes `note` about `what`, in place of an earlier one.
    pub(crate) fn set<U>(&mut self, what: *const U, note: T) {
        let address = what.addr();
        if self.many.is_empty() {
            let mut few = self.few[..self.noted].iter_mut();
            if let Some((_, old)) = few.find(|(one, _)| *one == address) {
                *old = note;
                return;
            }
            if self.noted < FEW {
                self.few[self.noted] = (address, note);
                self.noted += 1;
                return;
            }
            self.many.extend(self.few);
        }
        self.many.insert(address, note);
    }
}

/// Spreads addresses, whose lowest bits are all alike, over the table.
#[derive(Debug, Default)]
struct Address(u64);

impl Hasher for Address {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // An odd number with its bits well mixed, 2^64 divided by the golden ratio.
        let mixed = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed.rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
