//! [`OnCancel`]: what becomes of a task whose run was cancelled.

/// What becomes of a task whose run was cancelled, where its handler leaves that open.
///
/// A cancelled handler is told ([`Ctx::cancelled`](super::Ctx::cancelled)) and has a while to come to an end, the
/// server's `cancel_grace`. What it returns then counts as ever: success, [`SkipRetry`](super::SkipRetry),
/// [`Revoke`](super::Revoke), or a failure of its own. This says what happens when it returns
/// [`Cancelled`](crate::router::Cancelled), or does not end in time and is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnCancel {
    /// A failed attempt, as in Go: it is retried while there are retries left.
    #[default]
    Retry,
    /// It is archived at once.
    Archive,
    /// It is deleted, as if it had succeeded.
    Delete,
}

impl OnCancel {
    /// As `#[job(on_cancel = …)]` writes it: `retry`, `archive` or `delete`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Archive => "archive",
            Self::Delete => "delete",
        }
    }
}
