//! A list of nodes by number, in the order in which they were last used.
//!
//! The links are in the nodes, wherever those are kept, so that a node moves to the front in
//! a few steps and takes no memory of its own.

/// No node: the end of the list.
const NIL: u32 = u32::MAX;

/// A node's neighbours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links {
    newer: u32,
    older: u32,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            newer: NIL,
            older: NIL,
        }
    }
}

/// Where the nodes are.
pub(crate) trait Nodes {
    /// The links of a node that exists.
    fn links(&mut self, id: u32) -> &mut Links;
}

/// The ends of the list.
#[derive(Debug)]
pub(crate) struct Order {
    newest: u32,
    oldest: u32,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            newest: NIL,
            oldest: NIL,
        }
    }
}

impl Order {
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NIL).then_some(self.oldest)
    }

    /// Puts `id`, which is not in the list, in front.
    pub(crate) fn push(&mut self, nodes: &mut impl Nodes, id: u32) {
        *nodes.links(id) = Links {
            newer: NIL,
            older: self.newest,
        };
        match self.newest {
            NIL => self.oldest = id,
            next => nodes.links(next).newer = id,
        }
        self.newest = id;
    }

    /// Takes `id` out of the list.
    pub(crate) fn unlink(&mut self, nodes: &mut impl Nodes, id: u32) {
        let Links { newer, older } = *nodes.links(id);
        match newer {
            NIL => self.newest = older,
            newer => nodes.links(newer).older = older,
        }
        match older {
            NIL => self.oldest = newer,
            older => nodes.links(older).newer = newer,
        }
    }

    /// Moves `id` to the front.
    pub(crate) fn touch(&mut self, nodes: &mut impl Nodes, id: u32) {
        if self.newest != id {
            self.unlink(nodes, id);
            self.push(nodes, id);
        }
    }

    /// Number of nodes found by walking from the oldest, at most `limit`, if the links agree.
    pub(crate) fn count(&self, nodes: &mut impl Nodes, limit: usize) -> usize {
        let (mut at, mut before, mut count) = (self.oldest, NIL, 0);
        while at != NIL && count < limit && nodes.links(at).older == before {
            count += 1;
            before = at;
            at = nodes.links(at).newer;
        }
        if at == NIL && before == self.newest {
            count
        } else {
            limit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Nodes for [Links; 4] {
        fn links(&mut self, id: u32) -> &mut Links {
            &mut self[id as usize]
        }
    }

    #[test]
    fn the_oldest_is_who_was_not_touched() {
        let mut nodes = [Links::default(); 4];
        let mut order = Order::default();
        for id in 0..4 {
            order.push(&mut nodes, id);
        }
        order.touch(&mut nodes, 0);
        order.touch(&mut nodes, 3);
        order.touch(&mut nodes, 3);
        assert_eq!(order.count(&mut nodes, 9), 4);
        let mut oldest = Vec::new();
        while let Some(id) = order.oldest() {
            oldest.push(id);
            order.unlink(&mut nodes, id);
        }
        assert_eq!(oldest, [1, 2, 0, 3]);
        assert_eq!(order.count(&mut nodes, 9), 0);
    }

    #[test]
    fn links_that_disagree_are_noticed() {
        let mut nodes = [Links::default(); 4];
        let mut order = Order::default();
        for id in 0..3 {
            order.push(&mut nodes, id);
        }
        nodes[1].older = 2;
        assert_eq!(order.count(&mut nodes, 9), 9);
    }
}
