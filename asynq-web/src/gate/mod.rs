//! What every request passes before anything else looks at it, and every answer afterwards.
//!
//! ```text
//! request ─► hosts (DNS rebinding) ─► origin (changes come from our own pages) ─► caller (from where, through which
//!            proxies) ─► mount (where we are) ─► routes
//! answer  ◄─ headers (content policy, no caching, no frames) ◄────────────────────────────────────────────┘
//! ```

mod caller;
mod headers;
mod hosts;
mod mount;
mod origin;
mod pace;

pub(crate) use caller::{Caller, Proxies, network_of};
pub use caller::{InvalidNetwork, Network};
pub(crate) use headers::protect;
pub(crate) use hosts::Hosts;
pub(crate) use mount::{Mount, mounted, set_path};
pub(crate) use origin::check_origin;
pub(crate) use pace::{Pace, REQUESTS};
