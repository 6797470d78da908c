//! The jobs, and what the worker gives them.

mod report;
mod resize;
mod webhook;
mod welcome;
mod worker;

pub use report::{NightlyReport, nightly_report};
pub use resize::{ResizeImage, Size, resize_image};
pub use webhook::{DeliverWebhook, deliver_webhook};
pub use welcome::{SendWelcome, send_welcome};
pub use worker::worker;
