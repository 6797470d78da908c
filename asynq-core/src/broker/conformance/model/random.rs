//! [`random_ops`]: sequences of operations from a seed.

use super::{care, groups};
use crate::broker::Change;
use crate::task::UniqueUntil;

use super::op::{BreakOp, Op, PlacementOp, SettleOp, TICK, TaskOp, TokenOp, TransitionOp};

/// A sequence of `n` operations; the same for the same seed.
pub fn random_ops(seed: u64, n: usize) -> Vec<Op> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| random_op(&mut rng)).collect()
}

fn random_op(rng: &mut fastrand::Rng) -> Op {
    let queue = rng.u8(..);
    match rng.u8(..161) {
        0..24 => Op::Enqueue(some(rng, 4, random_task)),
        120..123 => Op::Tick { entry: rng.u8(..), at: rng.i8(-20..20), task: random_task(rng) },
        123 => Op::TickMark { queue, entry: rng.u8(..) },
        24..58 => Op::Exchange {
            settle: some(rng, 4, random_settle),
            server: rng.u8(..),
            queues: if rng.u8(..4) == 0 { vec![queue] } else { vec![queue, queue.wrapping_add(1)] },
            slots: rng.u8(..6),
        },
        140 => Op::TakeTurn { id: rng.u8(..) },
        141 => Op::AcquireToken { id: rng.u8(..) },
        143..147 => Op::Watch { queue, id: rng.u8(..) },
        147..155 => Op::Care(care::random(rng)),
        142 => Op::ReleaseToken { id: rng.u8(..) },
        58..62 => Op::ExtendLeases { queue, runs: some(rng, 4, |rng| rng.u8(..8)), seconds: rng.u8(..90) },
        62..70 => Op::Forward { queue },
        70..72 => Op::Beat { server: rng.u8(..), queues: some(rng, 3, |rng| rng.u8(..)) },
        72 => Op::Retire { servers: some(rng, 3, |rng| rng.u8(..)), queues: some(rng, 3, |rng| rng.u8(..)) },
        73 => Op::Occupied { place: rng.u8(..), queues: some(rng, 3, |rng| rng.u8(..)) },
        74..76 => Op::ExpiringLeases { queue, seconds: rng.u8(..60) },
        76..78 => Op::OwnedBy { queue, server: rng.u8(..), offset: rng.u8(..3), limit: rng.u8(1..6) },
        78..80 => Op::MendActive { queue, offset: rng.u8(..3) },
        80..82 => Op::WriteResult { queue, id: rng.u8(..), byte: rng.u8(..) },
        82..84 => Op::DeleteExpiredCompleted { queue, limit: rng.u8(..5) },
        84 => Op::WriteServerState { server: rng.u8(..), ids: some(rng, 3, |rng| rng.u8(..)) },
        155 => Op::WriteRunTimes { server: rng.u8(..), byte: rng.u8(..) },
        156 => Op::RunTimes,
        157..160 => Op::ChangeTimetable { entry: rng.u8(..), expected: rng.u8(..3), new: rng.u8(..3) },
        160 => Op::Timetable { seen: rng.bool().then(|| rng.u8(..5)) },
        85 => Op::ClearServerState { server: rng.u8(..) },
        86 => Op::Pause { queue },
        87..89 => Op::Resume { queue },
        89..91 => Op::TaskInfo { queue, id: rng.u8(..) },
        91..93 => random_inspection(rng, queue),
        93..95 | 128..131 => Op::Advance { ticks: random_ticks(rng), quarter: rng.bool() },
        95..115 | 131..140 => Op::Group(groups::random(rng)),
        _ => Op::Break { queue, id: rng.u8(..), how: random_break(rng) },
    }
}

/// What an operator does.
fn random_inspection(rng: &mut fastrand::Rng, queue: u8) -> Op {
    let change = match rng.u8(..5) {
        0..2 => Change::Run,
        2..4 => Change::Archive,
        _ => Change::Delete,
    };
    let collection = rng.u8(..);
    match rng.u8(..20) {
        0..8 => Op::Change { queue, id: rng.u8(..), change },
        8..11 => Op::ChangeFirst { queue, collection, change, limit: rng.u8(..5) },
        11..15 => {
            Op::Edit { queue, id: rng.u8(..), byte: rng.u8(..), due: rng.bool().then(|| rng.i8(-10..60)) }
        }
        15..17 => Op::Scan { queue, collection, offset: rng.u8(..3), limit: rng.u8(..6) },
        17..19 => Op::QueueInfo { queue },
        _ => Op::DeleteQueue { queue, force: rng.bool() },
    }
}

/// Up to `limit` of these.
pub(super) fn some<T>(
    rng: &mut fastrand::Rng,
    limit: usize,
    one: impl Fn(&mut fastrand::Rng) -> T,
) -> Vec<T> {
    (0..rng.usize(..=limit)).map(|_| one(rng)).collect()
}

/// Mostly a step over a lease or a delay, at times over a day or over what is kept longest.
fn random_ticks(rng: &mut fastrand::Rng) -> u32 {
    const DAY: u32 = 24 * 3600 / TICK;
    match rng.u8(..20) {
        0 => 91 * DAY,
        1..3 => DAY,
        _ => rng.u32(1..4),
    }
}

fn random_task(rng: &mut fastrand::Rng) -> TaskOp {
    TaskOp {
        queue: rng.u8(..),
        id: rng.u8(..),
        placement: match rng.u8(..12) {
            0..6 => PlacementOp::Pending,
            6..9 => PlacementOp::Scheduled(rng.i8(-10..60)),
            9 => PlacementOp::Delayed(rng.i8(-10..60), rng.u8(..)),
            _ => PlacementOp::Group(rng.u8(..)),
        },
        unique: random_lock(rng),
    }
}

/// A lock, now and then.
pub(super) fn random_lock(rng: &mut fastrand::Rng) -> Option<(u8, u8, UniqueUntil)> {
    let until = match rng.u8(..6) {
        0 => UniqueUntil::Ttl,
        1..3 => UniqueUntil::Start,
        _ => UniqueUntil::Success,
    };
    (rng.u8(..3) == 0).then(|| (rng.u8(..), rng.u8(1..6), until))
}

fn random_settle(rng: &mut fastrand::Rng) -> SettleOp {
    SettleOp {
        run: rng.u8(..6),
        token: match rng.u8(..10) {
            0 => TokenOp::Foreign,
            1 => TokenOp::None,
            _ => TokenOp::Own,
        },
        lease_off: if rng.u8(..5) == 0 { rng.i8(-2..90) } else { 0 },
        transition: match rng.u8(..12) {
            11 => TransitionOp::Revoke,
            0..2 => TransitionOp::Done,
            2..4 => TransitionOp::Complete(rng.u8(..60), rng.bool().then(|| rng.u8(..))),
            4..7 => TransitionOp::Retry(rng.u8(..60), rng.bool()),
            10 => TransitionOp::PutBack(rng.u8(0..4)),
            7 => TransitionOp::Archive { with_message: rng.bool(), release: rng.bool() },
            _ => TransitionOp::Requeue(rng.u8(..8) > 0),
        },
    }
}

fn random_break(rng: &mut fastrand::Rng) -> BreakOp {
    match rng.u8(..9) {
        0 => BreakOp::Delete,
        1 => BreakOp::Garble,
        2 => BreakOp::ForgetRun,
        3 => BreakOp::StrayRun,
        4 => BreakOp::SetGroup(rng.u8(..)),
        5 => BreakOp::RemoveLease,
        6 => BreakOp::SetLease(rng.i8(-40..60)),
        7 => BreakOp::PushDangling,
        _ => BreakOp::PushDanglingActive,
    }
}
