//! What everything that runs in the background shares: how it waits while the broker is away, how it is told to end,
//! and what it calls the machine it runs on.

mod backoff;
mod host;
mod signals;

pub(crate) use backoff::Backoff;
pub(crate) use host::host_name;
pub(crate) use signals::{Request, Signals};
