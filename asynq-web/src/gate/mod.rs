//! What every request passes before anything else looks at it, and every answer afterwards.
//!
//! ```text
//! request ─► hosts (DNS rebinding) ─► origin (changes come from our own pages) ─► mount (where we are) ─► routes
//! answer  ◄─ headers (content policy, no caching, no frames) ◄────────────────────────────────────────────┘
//! ```

mod headers;
mod hosts;
mod mount;
mod origin;

pub(crate) use headers::protect;
pub(crate) use hosts::Hosts;
pub(crate) use mount::{Mount, mounted};
pub(crate) use origin::check_origin;
