//! Tasks that are enqueued and run all the time while something breaks, and what became of each of them.
//!
//! [`Producers`] enqueue, [`Worker`]s run, the [`Ledger`] counts runs, [`Load`] is all of them at once, and an [`Audit`] is
//! what came of it.

mod audit;
mod ledger;
mod load;
mod producers;
mod worker;

pub use audit::Audit;
pub use ledger::{Ledger, Runs};
pub use load::Load;
pub use producers::Producers;
pub use worker::{Worker, router};
