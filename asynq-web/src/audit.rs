//! Every change is noted: who did what, to what, and how it ended. In the log, and where the tasks are.

use asynq_core::inspector::AuditEntry;

use crate::problem::Problem;
use crate::shared::Shared;
use crate::visit::Visit;

/// No text of an entry is longer, in characters: names and filters can have any length.
const LONGEST: usize = 1_000;

/// How a change that went well has ended.
pub(crate) const DONE: &str = "done";

/// Who asks for something, as it is noted.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// Empty where nobody logs in.
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) request: String,
}

impl Author {
    /// The beginning of an entry: who does what.
    pub(crate) fn does(&self, action: &str) -> AuditEntry {
        AuditEntry {
            actor: self.name.clone(),
            action: action.to_owned(),
            outcome: DONE.to_owned(),
            address: self.address.clone(),
            request: self.request.clone(),
            ..AuditEntry::default()
        }
    }
}

impl Visit {
    /// Who asks, as it is noted.
    pub(crate) fn author(&self) -> Author {
        Author {
            name: self.visitor.name().to_owned(),
            address: self.caller.address.map(|address| address.to_string()).unwrap_or_default(),
            request: self.request.to_string(),
        }
    }

    /// Notes what became of a change, and hands it back.
    pub(crate) async fn audited<T, E: Into<Problem>>(
        &self,
        action: &str,
        queue: &str,
        subject: &str,
        result: Result<T, E>,
    ) -> Result<T, Problem> {
        let result = result.map_err(Into::into);
        let outcome = result.as_ref().map_or_else(|problem| problem.code, |_| DONE);
        let entry = AuditEntry {
            queue: queue.to_owned(),
            subject: subject.to_owned(),
            outcome: outcome.to_owned(),
            ..self.author().does(action)
        };
        self.shared.note(entry).await;
        result
    }
}

impl Shared {
    /// Notes a change. Whether it can be kept is no matter to who made it.
    pub(crate) async fn note(&self, entry: AuditEntry) {
        let cut = |text: String| text.chars().take(LONGEST).collect::<String>();
        let entry = AuditEntry {
            at: self.client.broker().clock().now(),
            actor: cut(entry.actor),
            queue: cut(entry.queue),
            subject: cut(entry.subject),
            ..entry
        };
        tracing::info!(
            target: "asynq_web::audit",
            instance = &*self.name, visitor = entry.actor, action = entry.action, queue = entry.queue, subject = entry.subject,
            outcome = entry.outcome, changed = entry.changed, failed = entry.failed,
            address = entry.address, request = entry.request,
            "changed"
        );
        if let Err(error) = self.inspector.note_change(&entry).await {
            let request = entry.request;
            tracing::error!(target: "asynq_web::audit", ?error, request, "this change could not be kept where the tasks are");
        }
    }
}
