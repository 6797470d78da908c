//! [`Audit`] on Redis: a stream.

use std::error::Error;

use async_trait::async_trait;
use redis::Value;

use super::RedisBroker;
use super::reply::Reader;
use crate::broker::{AUDIT_LIMIT, Audit, AuditEntry, AuditId, BrokerError, BrokerErrorKind};

#[async_trait]
impl Audit for RedisBroker {
    async fn note_change(&self, entry: &AuditEntry) -> Result<bool, BrokerError> {
        // A server that does not know a command may answer with a part of what it was given, cut within a character,
        // and what is no text breaks the connection. So it is asked without the entry first.
        if self.changes_noted(None, 1).await?.is_none() {
            return Ok(false);
        }
        let mut command = redis::cmd("XADD");
        command.arg(self.keyspace.audit()).arg("MAXLEN").arg("~").arg(AUDIT_LIMIT).arg("*");
        for (name, value) in fields_of(entry) {
            command.arg(name).arg(value);
        }
        self.shared.query::<Value>("note a change", &command).await?;
        Ok(true)
    }

    async fn changes_noted(
        &self,
        before: Option<AuditId>,
        limit: usize,
    ) -> Result<Option<Vec<(AuditId, AuditEntry)>>, BrokerError> {
        const DOING: &str = "read who changed what";
        let last = match before.map(just_before) {
            None => "+".to_owned(),
            Some(Some(last)) => last.to_string(),
            Some(None) => return Ok(Some(Vec::new())),
        };
        let mut command = redis::cmd("XREVRANGE");
        command.arg(self.keyspace.audit()).arg(last).arg("-").arg("COUNT").arg(limit);
        let answer = self.shared.query::<Value>(DOING, &command).await;
        let Some(answer) = unless_unknown(answer)? else { return Ok(None) };
        let mut rows = Reader::new(answer, DOING)?;
        let mut entries = Vec::new();
        while !rows.is_empty() {
            let mut row = rows.list()?;
            let id = row.text()?.parse().or(Err(BrokerError::protocol(DOING)))?;
            let mut values = row.list()?;
            let mut fields = Vec::new();
            while !values.is_empty() {
                // Others may have written what is no text.
                let mut text = || values.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                fields.push((text()?, text()?));
            }
            entries.push((id, entry_of(fields)));
        }
        Ok(Some(entries))
    }
}

/// The answer; `None` when the server does not know the command: before 5.0 there are no streams.
fn unless_unknown(answer: Result<Value, BrokerError>) -> Result<Option<Value>, BrokerError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == BrokerErrorKind::Refused && says_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn says_unknown(error: &BrokerError) -> bool {
    error.source().is_some_and(|source| source.to_string().to_lowercase().contains("unknown command"))
}

/// The place before this one, if there is any: that a range ends *before* a place can be said from Redis 6.2 on.
fn just_before(id: AuditId) -> Option<AuditId> {
    match (id.millis, id.sequence) {
        (millis, sequence @ 1..) => Some(AuditId { millis, sequence: sequence - 1 }),
        (millis @ 1.., 0) => Some(AuditId { millis: millis - 1, sequence: u64::MAX }),
        (0, 0) => None,
    }
}

/// How an entry is stored: fields by these names, those that are empty left out.
fn fields_of(entry: &AuditEntry) -> Vec<(&'static str, String)> {
    let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let mut fields = vec![
        ("at", entry.at.to_string()),
        ("actor", entry.actor.clone()),
        ("action", entry.action.clone()),
        ("queue", entry.queue.clone()),
        ("subject", entry.subject.clone()),
        ("outcome", entry.outcome.clone()),
        ("changed", number(entry.changed)),
        ("failed", number(entry.failed)),
        ("address", entry.address.clone()),
        ("request", entry.request.clone()),
    ];
    fields.retain(|(_, value)| !value.is_empty());
    fields
}

/// What cannot be read is empty, and what is not known is left out: others may write here, too.
fn entry_of(fields: impl IntoIterator<Item = (String, String)>) -> AuditEntry {
    let mut entry = AuditEntry::default();
    for (name, value) in fields {
        match name.as_str() {
            "at" => entry.at = value.parse().unwrap_or_default(),
            "actor" => entry.actor = value,
            "action" => entry.action = value,
            "queue" => entry.queue = value,
            "subject" => entry.subject = value,
            "outcome" => entry.outcome = value,
            "changed" => entry.changed = value.parse().unwrap_or_default(),
            "failed" => entry.failed = value.parse().unwrap_or_default(),
            "address" => entry.address = value,
            "request" => entry.request = value,
            _ => {}
        }
    }
    entry
}
