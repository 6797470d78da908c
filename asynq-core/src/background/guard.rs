//! [`guarded`]: calls into the user's code that must not end a loop of ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a function of the user's returns; `None`, and a line in the log, when it panics.
pub(crate) fn guarded<T>(name: &'static str, call: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(call));
    if result.is_err() {
        tracing::error!("{name} panicked");
    }
    result.ok()
}
