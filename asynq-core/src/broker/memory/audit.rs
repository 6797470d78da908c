//! [`Log`]: who changed what. [`Audit`] in this process.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::MemoryBroker;
use crate::broker::{AUDIT_LIMIT, Audit, AuditEntry, AuditId, BrokerError};

/// Who changed what, the latest last.
#[derive(Debug, Default)]
pub(super) struct Log(VecDeque<(AuditId, AuditEntry)>);

#[async_trait]
impl Audit for MemoryBroker {
    async fn note_change(&self, entry: &AuditEntry) -> Result<bool, BrokerError> {
        let millis = u64::try_from(self.shared.clock.now().as_millisecond()).unwrap_or(0);
        let log = &mut self.shared().lock().log.0;
        let next = match log.back() {
            // As Redis numbers them: never back, whatever the clock does.
            Some((last, _)) if last.millis >= millis => AuditId { sequence: last.sequence + 1, ..*last },
            _ => AuditId { millis, sequence: 0 },
        };
        log.push_back((next, entry.clone()));
        while log.len() > AUDIT_LIMIT {
            log.pop_front();
        }
        Ok(true)
    }

    async fn changes_noted(
        &self,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Option<Vec<(AuditId, AuditEntry)>>, BrokerError> {
        let store = self.shared().lock();
        let latest =
            store.log.0.iter().rev().skip_while(|(id, _)| before.is_some_and(|before| *id >= before));
        Ok(Some(latest.take(limit).cloned().collect()))
    }
}
