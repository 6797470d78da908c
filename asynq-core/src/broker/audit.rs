//! The [`Audit`] trait: who changed what, kept in the store.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::Timestamp;

use super::BrokerError;

/// As many changes are kept, and the store may keep a few more.
pub const AUDIT_LIMIT: usize = 10_000;

/// Keeps who changed what.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Adds a change; the oldest goes once there are more than [`AUDIT_LIMIT`]. `false` when the store cannot keep any,
    /// as Redis cannot before 5.0.
    async fn note_change(&self, entry: &AuditEntry) -> Result<bool, BrokerError>;

    /// At most `limit` changes, the latest first, of all or of those before one; `None` when the store cannot keep any.
    async fn changes_noted(
        &self,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Option<Vec<(AuditId, AuditEntry)>>, BrokerError>;
}

/// The place of an entry among all: later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditId {
    pub(super) millis: u64,
    pub(super) sequence: u64,
}

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

impl FromStr for AuditId {
    type Err = InvalidAuditId;

    fn from_str(text: &str) -> Result<Self, InvalidAuditId> {
        let read = || {
            let (millis, sequence) = text.split_once('-')?;
            Some(Self { millis: millis.parse().ok()?, sequence: sequence.parse().ok()? })
        };
        read().ok_or_else(|| InvalidAuditId { text: text.to_owned() })
    }
}

/// Not the place of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidAuditId {
    text: String,
}

impl fmt::Display for InvalidAuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no place among the changes, such as `1700000000000-0`", self.text)
    }
}

impl std::error::Error for InvalidAuditId {}

/// A change, and who made it. What does not apply is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it was done, by the clock of who did it.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What was done, such as `archive`.
    pub action: String,
    /// In which queue; empty for what belongs to none, or to several.
    pub queue: String,
    /// What it was done to: the ID of a task or of a schedule, a filter, in words.
    pub subject: String,
    /// How it ended: `done`, or why not.
    pub outcome: String,
    /// How many tasks were changed, of a change to many.
    pub changed: u64,
    /// And how many could not be.
    pub failed: u64,
    /// From where it was asked for.
    pub address: String,
    /// The request, as logs know it.
    pub request: String,
}
