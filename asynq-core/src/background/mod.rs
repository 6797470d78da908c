//! What everything that runs in the background shares: how it waits while the broker is away, how it is told to end,
//! how it calls the user's functions, and what it calls the machine it runs on.

mod backoff;
mod guard;
mod host;
mod signals;

pub(crate) use backoff::Backoff;
pub(crate) use guard::guarded;
pub(crate) use host::host_name;
pub(crate) use signals::{Request, Signals};
