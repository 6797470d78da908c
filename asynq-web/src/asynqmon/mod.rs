//! The routes of asynqmon, below `/api`, for scripts that were written for it: the same addresses, shapes and statuses on
//! the same inspector.
//!
//! ```text
//! call.rs (Call: what a method and an address ask for; pure) ─► answer.rs (it is done) ─► shapes.rs (as asynqmon has it)
//! ```
//!
//! Kept are its plain-text errors, that most of what fails is a 500, and that the state in the address of one task is not
//! looked at. Not kept are the page that it gives with a 200 for addresses it does not know, that it lets pages of
//! anybody change tasks, and pages of more than a thousand tasks.

mod answer;
mod call;
mod shapes;

pub(crate) use answer::answer;
