//! Option strings: how a scheduler entry lists its options.

/// A Go `time.Duration`: signed nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub i64);

/// One option.
#[derive(Clone, Debug, PartialEq)]
pub enum EnqueueOption {
    /// How often to retry.
    MaxRetry(i64),
}

/// Not an option string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an option string: {0:?}")]
pub struct InvalidOptionString(pub String);
