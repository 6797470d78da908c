//! Running the scripts that store new tasks: what a single server's script does by itself, and what may be waited for.
//!
//! The set of queues, which Go's programs and every inspector list, is a script's to add to on a single server. In a
//! cluster the set has a slot of its own, and another command adds to it at the same time. Each time: a cache of what
//! is there, as Go has it, hides a queue that somebody has deleted in the meantime.

use futures_util::future::join;
use redis::Value;

use super::RedisBroker;
use super::script::Call;
use crate::broker::BrokerError;
use crate::task::QueueName;

impl RedisBroker {
    /// The set of queues, where a script can name it.
    pub(super) fn known_queues_key(&self) -> Option<String> {
        (!self.store.is_cluster()).then(|| self.keyspace.queues())
    }

    /// What a script adds to the set; nothing where it cannot name it.
    pub(super) fn name_to_make_known<'a>(&self, queue: &'a QueueName) -> &'a str {
        if self.store.is_cluster() { "" } else { queue.as_str() }
    }

    /// Runs a script that stores tasks of a queue, and waits for replicas if that is wanted.
    pub(super) async fn run_storing(
        &self,
        queue: &QueueName,
        call: Call,
        doing: &'static str,
    ) -> Result<Value, BrokerError> {
        let (link, call) = match (&self.replicated, self.options.replicas) {
            (Some(link), Some(replicas)) => (link, call.replicated_to(replicas)),
            _ => (&self.shared, call),
        };
        if !self.store.is_cluster() {
            return call.run(link, doing).await;
        }
        let mut add = redis::cmd("SADD");
        add.arg(self.keyspace.queues()).arg(queue.as_str());
        let (answer, known) = join(call.run(link, doing), self.shared.query::<Value>(doing, &add)).await;
        if let (Ok(_), Err(error)) = (&answer, known) {
            // The task is stored, and is run; to say otherwise would have it stored twice.
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(%queue, error, "the queue may not be listed until the next task is enqueued");
        }
        answer
    }
}
