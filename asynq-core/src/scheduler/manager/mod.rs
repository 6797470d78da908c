//! [`PeriodicTaskManager`]: a scheduler whose entries come from a provider, and are kept in step with it.

mod builder;
mod manager;
mod provider;
mod sync;

pub use builder::ManagerBuilder;
pub use manager::PeriodicTaskManager;
pub use provider::PeriodicTaskProvider;
pub use sync::{Rejected, SyncReport};
