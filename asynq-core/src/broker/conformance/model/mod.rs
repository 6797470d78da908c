//! Random operations: the same sequence on two brokers must tell the same and leave the same behind.
//!
//! ```text
//! random_ops(seed, n) ─► apply to fixture A ─► observations, dumps ─┐
//!                     └► apply to fixture B ─► observations, dumps ─┴► compare
//! ```
//!
//! Numbers in an [`Op`] are taken modulo the few names there are, so that any numbers make a valid operation and
//! operations meet. Choices that a broker is free in are left out: queues are served strictly, and limits are
//! either far off or a matter of the contract.

mod apply;
mod care;
mod groups;
mod invariants;
mod known;
mod op;
mod operate;
mod random;

pub use apply::apply;
pub use care::CareOp;
pub use groups::GroupOp;
pub use invariants::broken_invariants;
pub use known::{Known, Observation, SeenActive, SeenLease};
pub use op::{BreakOp, Op, PlacementOp, SettleOp, TaskOp, TokenOp, TransitionOp};
pub use random::random_ops;
