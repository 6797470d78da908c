//! What is seen and what is chosen: pure. An event goes in; what it changes is here, and what it asks of the world comes
//! out.
//!
//! ```text
//! model.rs (Model: every event) ─► commands.rs (every key's command)   answers.rs (what was read)   mouse.rs
//!   ├─► browse.rs (which page of the Web UI is meant)
//!   ├─► tasks.rs, screens.rs (what each screen holds)
//!   ├─► changes.rs (what is to be changed, and the question before)
//!   └─► line.rs (the line at the bottom: question, filter, palette)
//! ```

mod answers;
mod browse;
mod changes;
mod commands;
mod line;
#[expect(clippy::module_inception, reason = "`model/model.rs` holds `Model`")]
mod model;
mod mouse;
mod palette;
mod screens;
mod tasks;

pub(super) use changes::Changing;
pub(super) use line::{Line, Purpose, Writing};
pub(super) use model::{Link, Model, Note, Now, Options};
pub(super) use palette::Palette;
pub(super) use tasks::{Paging, STATES, TasksScreen};
