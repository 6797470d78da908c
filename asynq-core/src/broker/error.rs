//! [`BrokerError`]: the store did not do what it was asked.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What went wrong between us and the store, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokerErrorKind {
    /// No connection, or it broke: whether the request took effect is unknown. Trying again later may help.
    Unavailable,
    /// The server refuses us: wrong password, or a missing permission. Somebody must change the configuration.
    Denied,
    /// So many calls wait for an answer that no more are taken (`ConnectOptions::max_waiting`): nothing was sent. Try again
    /// later.
    Busy,
    /// The server answered with an error: out of memory, read-only replica, loading, a script that failed.
    Refused,
    /// The answer was not what the protocol promises.
    Protocol,
}

/// The store did not do what it was asked. The cause is its [`source`](Error::source).
#[derive(Clone, Debug)]
pub struct BrokerError {
    kind: BrokerErrorKind,
    context: &'static str,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl BrokerError {
    /// An error of this kind while doing `context`.
    pub fn new(
        kind: BrokerErrorKind,
        context: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { kind, context, source: Some(Arc::from(source.into())) }
    }

    /// An answer that makes no sense, while doing `context`.
    pub fn protocol(context: &'static str) -> Self {
        Self { kind: BrokerErrorKind::Protocol, context, source: None }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> BrokerErrorKind {
        self.kind
    }

    /// Whether the broker may do better the next time by itself: it did not answer, or was asked too much at once.
    pub fn may_pass(&self) -> bool {
        matches!(self.kind, BrokerErrorKind::Unavailable | BrokerErrorKind::Busy)
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            BrokerErrorKind::Unavailable => "broker unavailable",
            BrokerErrorKind::Busy => "too many calls wait for the broker",
            BrokerErrorKind::Denied => "broker denied access",
            BrokerErrorKind::Refused => "broker refused the request",
            BrokerErrorKind::Protocol => "unexpected answer from the broker",
        };
        write!(f, "{what} during {}", self.context)
    }
}

impl Error for BrokerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
