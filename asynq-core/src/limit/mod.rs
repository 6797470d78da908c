//! Limits that hold over all servers: [`RateLimit`], how many tasks run in a period, and [`Semaphore`], how many at a
//! time. Both are tower layers; a task that may not run yet is put back and has not failed.

mod rate_limit;
mod semaphore;

pub(crate) use rate_limit::rate_limited;
pub use rate_limit::{RateLimit, RateLimited, RateLimitedService};
pub use semaphore::{NoPermit, Permit, Semaphore, SemaphoreService};
