//! `asynq dash`: the dashboard in the terminal.
//!
//! ```text
//! terminal (raw mode, put back on every way out)   signals
//!     keys, mouse │                                  │
//!                 ▼                                  ▼
//! dash (the loop) ── event ──► model (pure: what is seen and chosen) ──► view (pure: a frame)
//!        ▲                       │ requests                layout (which place is what)
//!        └── answers ── fetcher ◄┘                         keys (what each key does, and the help)
//! ```

mod browser;
mod columns;
#[expect(clippy::module_inception, reason = "`dash/dash.rs` holds `Dash`")]
mod dash;
mod event;
mod fetcher;
mod keys;
mod layout;
mod list;
mod model;
mod request;
mod samples;
mod signals;
mod tab;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod view;

pub(crate) use dash::Dash;
