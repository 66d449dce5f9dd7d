//! Things by small number, in chunks that come and go one by one: nothing is copied when it
//! grows, and memory goes back when it shrinks.

use super::heap::class;

/// Things in a chunk.
pub(super) const CHUNK: usize = 256;

const NIL: u32 = u32::MAX;

#[derive(Debug)]
enum Slot<T> {
    /// With the next free slot of the chunk.
    Free(u32),
    Used(T),
}

#[derive(Debug)]
struct Chunk<T> {
    /// Without memory when none is used, or with all of it.
    slots: Vec<Slot<T>>,
    used: u32,
    /// The first free slot; slots that were never used follow those that are in `slots`.
    free: u32,
    /// It is among the open ones.
    listed: bool,
}

/// The things, each under the number that it got.
#[derive(Debug)]
pub(super) struct Arena<T> {
    chunks: Vec<Chunk<T>>,
    /// Chunks with room; some may have lost their memory since.
    open: Vec<u32>,
    /// Chunks without memory.
    bare: Vec<u32>,
    len: usize,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            open: Vec::new(),
            bare: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Arena<T> {
    /// Takes `thing` in and returns its number.
    pub(super) fn insert(&mut self, thing: T) -> u32 {
        let number = self.open_chunk();
        let chunk = &mut self.chunks[number as usize];
        let slot = match chunk.free {
            NIL => {
                chunk.slots.push(Slot::Used(thing));
                chunk.slots.len() as u32 - 1
            }
            slot => {
                if let Slot::Free(next) = chunk.slots[slot as usize] {
                    chunk.free = next;
                }
                chunk.slots[slot as usize] = Slot::Used(thing);
                slot
            }
        };
        chunk.used += 1;
        self.len += 1;
        number * CHUNK as u32 + slot
    }

    /// Takes the thing out.
    pub(super) fn remove(&mut self, id: u32) -> Option<T> {
        let number = id / CHUNK as u32;
        let slot = id % CHUNK as u32;
        let chunk = self.chunks.get_mut(number as usize)?;
        let place = chunk.slots.get_mut(slot as usize)?;
        if matches!(place, Slot::Free(_)) {
            return None;
        }
        let Slot::Used(thing) = std::mem::replace(place, Slot::Free(chunk.free)) else {
            return None;
        };
        chunk.free = slot;
        chunk.used -= 1;
        self.len -= 1;
        if !chunk.listed {
            chunk.listed = true;
            self.open.push(number);
        }
        // One with room stays, so that coming and going does not always ask the allocator.
        if chunk.used == 0 && self.open.len() > 1 {
            chunk.slots = Vec::new();
            chunk.free = NIL;
            self.bare.push(number);
        }
        Some(thing)
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<&T> {
        let chunk = self.chunks.get(id as usize / CHUNK)?;
        match chunk.slots.get(id as usize % CHUNK) {
            Some(Slot::Used(thing)) => Some(thing),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let chunk = self.chunks.get_mut(id as usize / CHUNK)?;
        match chunk.slots.get_mut(id as usize % CHUNK) {
            Some(Slot::Used(thing)) => Some(thing),
            _ => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.end()).filter_map(|id| Some((id, self.get(id)?)))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All numbers are below.
    pub(super) fn end(&self) -> u32 {
        (self.chunks.len() * CHUNK) as u32
    }

    /// Takes a chunk with all that is in it; None when there is none left.
    pub(super) fn take_chunk(&mut self) -> Option<impl Iterator<Item = T> + use<T>> {
        let chunk = self.chunks.pop()?;
        self.len -= chunk.used as usize;
        if chunk.used == 0 && chunk.slots.capacity() == 0 {
            self.bare
                .retain(|&number| (number as usize) < self.chunks.len());
        }
        self.open
            .retain(|&number| (number as usize) < self.chunks.len());
        Some(chunk.slots.into_iter().filter_map(|slot| match slot {
            Slot::Used(thing) => Some(thing),
            Slot::Free(_) => None,
        }))
    }

    /// Bytes it occupies. The first chunk counts as far as it is used: it is small, and a store
    /// has so many arenas that they would fill a small one.
    pub(super) fn bytes(&self) -> usize {
        match self.chunks.len() - self.bare.len() {
            0 | 1 => self.len * size_of::<Slot<T>>(),
            chunks => chunks * class(CHUNK * size_of::<Slot<T>>()),
        }
    }

    /// A chunk that has room.
    fn open_chunk(&mut self) -> u32 {
        while let Some(&number) = self.open.last() {
            let chunk = &mut self.chunks[number as usize];
            if chunk.slots.capacity() > 0 && (chunk.used as usize) < CHUNK {
                return number;
            }
            chunk.listed = false;
            self.open.pop();
        }
        let number = self.bare.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk {
                slots: Vec::new(),
                used: 0,
                free: NIL,
                listed: false,
            });
            self.chunks.len() as u32 - 1
        });
        let chunk = &mut self.chunks[number as usize];
        chunk.slots = Vec::with_capacity(CHUNK);
        chunk.listed = true;
        self.open.push(number);
        number
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, id: u32) -> &T {
        self.get(id).expect("BUG: S7, S8: a number that is in use")
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, id: u32) -> &mut T {
        self.get_mut(id)
            .expect("BUG: S7, S8: a number that is in use")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_memory_goes_back() {
        let mut arena = Arena::default();
        let ids: Vec<u32> = (0..5 * CHUNK).map(|n| arena.insert(n)).collect();
        assert_eq!(ids, (0..5 * CHUNK as u32).collect::<Vec<_>>());
        let full = arena.bytes();
        assert_eq!(arena.remove(7), Some(7));
        assert_eq!(arena.remove(7), None);
        assert_eq!(arena.insert(700), 7);
        for &id in &ids[CHUNK..] {
            assert!(arena.remove(id).is_some());
        }
        assert_eq!(arena.len(), CHUNK);
        assert!(arena.bytes() <= full / 2, "{} of {full}", arena.bytes());
        assert_eq!(arena.iter().count(), CHUNK);
        for n in 0..4 * CHUNK {
            arena.insert(n);
        }
        assert_eq!(arena.bytes(), full);
        assert_eq!(arena.end(), 5 * CHUNK as u32);
        let mut taken = 0;
        while let Some(chunk) = arena.take_chunk() {
            taken += chunk.count();
        }
        assert_eq!((taken, arena.len(), arena.bytes()), (5 * CHUNK, 0, 0));
        assert_eq!(arena.insert(1), 0);
    }
}
