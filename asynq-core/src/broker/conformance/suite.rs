//! [`Case`] and [`cases`]: one behavior, and all of them.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{
    Fixture, admission, audit, care, changes, enqueue, exchange, forward, groups, inspection, leases,
    priority, recovery, schedules, settle, state, timetable, unique, wait, waits,
};

/// One behavior that every broker must show.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Topic and claim, such as `enqueue::stores_a_pending_task`.
    pub name: &'static str,
    /// Checks it on a fixture whose store is empty; panics when the broker does not show it. Needs a tokio
    /// runtime with timers; runs with real and with paused time.
    pub run: fn(Arc<dyn Fixture>) -> BoxFuture<'static, ()>,
}

/// Every behavior, topic by topic.
pub fn cases() -> Vec<Case> {
    [
        enqueue::CASES,
        unique::CASES,
        exchange::CASES,
        priority::CASES,
        settle::CASES,
        leases::CASES,
        forward::CASES,
        groups::CASES,
        recovery::CASES,
        wait::CASES,
        waits::CASES,
        state::CASES,
        schedules::CASES,
        timetable::CASES,
        inspection::CASES,
        changes::CASES,
        care::CASES,
        admission::CASES,
        audit::CASES,
    ]
    .concat()
}

/// Lists the async functions of a topic as its `CASES`; each takes a [`World`](super::world::World).
macro_rules! case_list {
    ($topic:literal: $($claim:ident,)*) => {
        /// The behaviors of this topic.
        pub(super) const CASES: &[$crate::broker::conformance::Case] = &[$($crate::broker::conformance::Case {
            name: concat!($topic, "::", stringify!($claim)),
            run: |fixture| Box::pin($claim($crate::broker::conformance::world::World::new(fixture))),
        },)*];
    };
}
pub(super) use case_list;
