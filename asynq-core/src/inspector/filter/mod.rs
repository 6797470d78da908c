//! [`Filter`]: which tasks are meant, in one line of text; the same language for the command line, the dashboard and
//! the Web UI.
//!
//! ```text
//! text ─► syntax.rs (words and where they stand) ─► term.rs (what each asks of a task) ─► filter.rs (all together)
//!                                                     └─ pattern.rs (texts and quantities)   error.rs (caret)
//! ```

mod error;
#[expect(clippy::module_inception, reason = "`filter/filter.rs` holds `Filter`")]
mod filter;
mod pattern;
mod syntax;
mod term;
#[cfg(test)]
mod tests;

pub use error::FilterError;
pub use filter::Filter;
pub(super) use pattern::Pattern;
