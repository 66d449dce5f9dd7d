//! The scripts for the reference model: what can happen to a pool, drawn at random.

use proptest::collection::vec;
use proptest::prelude::*;

/// How a connect ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Connect {
    Ok,
    Refused,
    Panics,
}

/// One step. Indices are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    TryCheckOut { connect: Connect, probe: bool },
    CheckOut { connect: Connect, probe: bool },
    WarmUp { wanted: u32, connect: Connect },
    Join,
    Resume { waiter: usize, connect: Connect },
    GiveUp { waiter: usize },
    Return { guard: usize },
    LeaveHalfDone { guard: usize },
    PanicInUse { guard: usize },
    Replace { guard: usize, connect: Connect },
    PeerHangsUp { idle: usize },
    Grow { old: usize },
    Housekeep,
    Drain,
    Close,
    Fork,
}

fn connects() -> impl Strategy<Value = Connect> {
    prop_oneof![
        6 => Just(Connect::Ok),
        1 => Just(Connect::Refused),
        1 => Just(Connect::Panics),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    let n = 0..8usize;
    prop_oneof![
        4 => (connects(), any::<bool>()).prop_map(|(connect, probe)| Op::TryCheckOut { connect, probe }),
        4 => (connects(), any::<bool>()).prop_map(|(connect, probe)| Op::CheckOut { connect, probe }),
        1 => (0..4u32, connects()).prop_map(|(wanted, connect)| Op::WarmUp { wanted, connect }),
        6 => Just(Op::Join),
        6 => (n.clone(), connects()).prop_map(|(waiter, connect)| Op::Resume { waiter, connect }),
        3 => n.clone().prop_map(|waiter| Op::GiveUp { waiter }),
        8 => n.clone().prop_map(|guard| Op::Return { guard }),
        2 => n.clone().prop_map(|guard| Op::LeaveHalfDone { guard }),
        1 => n.clone().prop_map(|guard| Op::PanicInUse { guard }),
        1 => (n.clone(), connects()).prop_map(|(guard, connect)| Op::Replace { guard, connect }),
        2 => n.clone().prop_map(|idle| Op::PeerHangsUp { idle }),
        1 => n.prop_map(|old| Op::Grow { old }),
        1 => Just(Op::Housekeep),
        1 => Just(Op::Drain),
    ]
}

/// Scripts end with a close or a fork in some cases, and go on for a while after it.
pub(super) fn scripts() -> impl Strategy<Value = Vec<Op>> {
    let last = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Op::Close)),
        1 => Just(Some(Op::Fork)),
    ];
    (vec(ops(), 1..60), last, vec(ops(), 0..12)).prop_map(|(mut script, last, after)| {
        script.extend(last);
        script.extend(after);
        script
    })
}
