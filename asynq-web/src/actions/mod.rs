//! What visitors do to tasks: which of them, what, and how far it is.
//!
//! ```text
//! form, JSON ─► ask.rs (Ask: a verb and its target) ─► bulk.rs (Run: it is done, and tells how far it is)
//! ```

mod ask;
mod task_key;
mod verb;

pub(crate) use ask::{Ask, Count, Matching, Target};
pub(crate) use task_key::TaskKey;
pub(crate) use verb::Verb;
