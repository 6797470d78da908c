//! [`Audited`]: who changed what, read part by part.

use super::Inspector;
use crate::broker::{AuditEntry, AuditId};
use crate::error::Result;

/// As many are looked at for one part.
const LOOKED_AT: usize = 5_000;

/// As many in one call.
const CHUNK: usize = 500;

/// Some of the changes, the latest first.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Audited {
    /// Those that fit.
    pub entries: Vec<(AuditId, AuditEntry)>,
    /// Before which to read on; `None` at the end.
    pub next: Option<AuditId>,
    /// Whether the store keeps any: Redis does from 5.0 on.
    pub is_kept: bool,
}

impl Inspector {
    /// Notes who changed what, beside the tasks: the last 10,000 changes are kept. `false` when the store cannot keep
    /// any, as Redis before 5.0. Nothing notes its changes by itself; the Web UI does.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, it may or may not have been noted.
    ///
    /// # Examples
    ///
    /// ```
    /// use asynq_core::client::Client;
    /// use asynq_core::inspector::{AuditEntry, Inspector};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let inspector = Inspector::new(&Client::in_memory());
    /// let entry = AuditEntry { actor: "ann".into(), action: "pause".into(), ..AuditEntry::default() };
    /// inspector.note_change(&entry).await?;
    /// let of_ann = inspector.changes_noted(None, 30, |entry| entry.actor == "ann").await?;
    /// assert_eq!(of_ann.entries[0].1.action, "pause");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn note_change(&self, entry: &AuditEntry) -> Result<bool> {
        Ok(self.broker.note_change(entry).await?)
    }

    /// Who changed what: at most `limit` changes that fit, the latest first, of all or of those before one. It looks at
    /// 5,000 at most, so there may be fewer although more follow.
    ///
    /// # Errors
    ///
    /// [`Error::Broker`](crate::Error::Broker).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn changes_noted(
        &self,
        before: Option<AuditId>,
        limit: usize,
        fits: impl Fn(&AuditEntry) -> bool,
    ) -> Result<Audited> {
        let mut found = Audited { next: before, is_kept: true, ..Audited::default() };
        for _ in 0..LOOKED_AT / CHUNK {
            let Some(part) = self.broker.changes_noted(found.next, CHUNK).await? else {
                return Ok(Audited::default());
            };
            let is_last = part.len() < CHUNK;
            for (id, entry) in part {
                if found.entries.len() == limit {
                    return Ok(found);
                }
                found.next = Some(id);
                if fits(&entry) {
                    found.entries.push((id, entry));
                }
            }
            if is_last {
                found.next = None;
                break;
            }
        }
        Ok(found)
    }
}
