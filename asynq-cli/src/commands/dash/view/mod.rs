//! How the model looks: pure. One file for each screen, and for what screens share: tables, curves, popups, the line at the
//! bottom.

mod curves;
mod foot;
mod metrics;
mod overview;
mod popup;
mod processes;
mod queues;
mod states;
mod store;
mod table;
mod tasks;
mod theme;
#[expect(clippy::module_inception, reason = "`view/view.rs` draws the view")]
mod view;

pub(super) use foot::address;
pub(super) use popup::{help_lines, inside, task_lines};
pub(super) use theme::Theme;
pub(super) use view::draw;
