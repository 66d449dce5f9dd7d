//! The whole pool against a reference model: random scripts of everything that can happen to it, on one thread, and
//! after each step the pool has to be exactly where the model is.

use std::sync::Arc;

use proptest::prelude::*;

use super::pair::Pair;
use super::reference::Place;
use super::script::{Connect, Op, scripts};

impl Pair {
    /// Compares the two; `elsewhere` connections belong to others.
    pub(super) fn check(&self, elsewhere: u64) {
        let model = &self.model;
        let (free, waiters, closed) = self.core.gate.observe();
        assert_eq!(
            (free, waiters, closed),
            (model.free, model.line.len() as u32, model.closed)
        );
        let granted = model.settled.iter().filter(|(_, p)| *p == Place::Granted);
        let (out, granted) = (self.out.len() as u32, granted.count() as u32);
        assert_eq!(
            free + out + granted + model.lost,
            model.size,
            "P3: a permit is lost or won"
        );
        assert_eq!(self.core.idle.len(), model.idle.len());
        let linked = self.out.iter().filter(|out| out.link.is_some()).count();
        let live = model.idle.len() + linked;
        assert!(live <= model.size as usize, "P5: {live} connections");
        assert_eq!(
            self.world.live(),
            live as u64 + elsewhere,
            "a connection leaks, or two guards share one"
        );
        let woken = model.line.iter().filter(|(_, p)| *p == Place::Woken);
        let asleep = model.line.iter().any(|(_, p)| *p == Place::Asleep);
        assert!(
            free as usize <= woken.count() || !asleep,
            "P1: a permit lies free beside a sleeper"
        );
    }

    /// Lets everything come home and asks for full capacity once more.
    fn wind_up(mut self) {
        while !self.out.is_empty() || !self.waiters.is_empty() {
            self.step(Op::Return { guard: 0 });
            self.step(Op::GiveUp { waiter: 0 });
            self.check(0);
        }
        if !self.model.closed {
            for _ in 0..self.model.size {
                self.step(Op::TryCheckOut {
                    connect: Connect::Ok,
                    probe: true,
                });
            }
            assert_eq!(
                self.out.len() as u32 + self.model.lost,
                self.model.size,
                "capacity is lost"
            );
            self.out.clear();
        }
        let world = Arc::clone(&self.world);
        drop(self);
        assert_eq!(world.live(), 0, "a connection outlived its pool");
    }
}

fn cases() -> u32 {
    if std::env::var_os("TAGCACHE_DEEP").is_some() {
        20_000
    } else {
        400
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_pool_is_where_the_model_is(
        size in 1..4u32,
        hand_over in any::<bool>(),
        min_idle in 0..3u32,
        script in scripts(),
    ) {
        let mut pair = Pair::new(&Arc::default(), size, hand_over, min_idle);
        for op in script {
            pair.step(op);
            pair.check(0);
        }
        pair.wind_up();
    }
}

/// With no patience, permits go to those who wait in the order in which they came, whoever asks meanwhile.
#[test]
fn without_patience_the_line_is_served_in_order() {
    let mut pair = Pair::new(&Arc::default(), 1, true, 0);
    let take = Op::TryCheckOut {
        connect: Connect::Ok,
        probe: true,
    };
    pair.step(take);
    for _ in 0..5 {
        pair.step(Op::Join);
    }
    for _ in 0..5 {
        pair.step(Op::Return { guard: 0 });
        pair.step(take);
        let granted = pair.model.settled[0].0;
        let first = pair.waiters[0].0;
        assert_eq!(granted, first, "overtaken");
        pair.step(Op::Resume {
            waiter: 0,
            connect: Connect::Ok,
        });
        pair.check(0);
    }
    pair.wind_up();
}
