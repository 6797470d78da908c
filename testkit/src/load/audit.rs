//! [`Audit`]: what became of every task that was acknowledged.

use std::fmt;
use std::time::{Duration, Instant};

use asynq_core::client::Client;
use asynq_core::task::{QueueName, TaskId, TaskState};

use super::ledger::Ledger;
use super::producers::Sent;

/// For how long nothing must happen before what has not come counts as lost. What a dead worker held comes back after
/// its lease, at the latest.
const QUIET: Duration = Duration::from_secs(40);

/// What became of every task. Each that was acknowledged is in one of four places.
#[derive(Debug, Default)]
pub struct Audit {
    /// Tasks of which the broker said that it has them.
    pub acknowledged: usize,
    /// Those that were run and are gone, or completed.
    pub done: usize,
    /// Those in the archive.
    pub archived: usize,
    /// Those that are neither, but still stored.
    pub stored: Vec<String>,
    /// Those that are nowhere, and never ended well.
    pub lost: Vec<String>,
    /// Tasks that were deleted by order, and are counted nowhere else.
    pub deleted: usize,
    /// Runs that nobody asked for: neither the first nor one after a failure.
    pub ran_again: usize,
    /// Calls of producers that failed.
    pub failures: usize,
    /// The longest time that one task took to be stored.
    pub longest: Duration,
    /// The longest time from the end of a fault until work went on.
    pub resumed: Duration,
}

impl Audit {
    /// Waits until every task has come to its end, or none does for a while, and counts.
    pub(super) async fn take(
        client: &Client,
        ledger: &Ledger,
        sent: Sent,
        deleted_until: Option<Instant>,
        mut look: impl FnMut(),
    ) -> Self {
        let mut audit = Self { failures: sent.failures, longest: sent.longest, ..Self::default() };
        let mut open = Vec::new();
        for (id, sent_at) in sent.acknowledged {
            if deleted_until.is_some_and(|until| sent_at <= until) {
                audit.deleted += 1;
            } else {
                open.push(id);
            }
        }
        audit.acknowledged = open.len();
        let all = open.clone();
        let (mut ended, mut since) = (ledger.ended(), Instant::now());
        loop {
            look();
            let before = open.len();
            let is_quiet = since.elapsed() > QUIET;
            let mut still_open = Vec::new();
            for id in open {
                if !is_quiet && !ledger.runs(&id).is_over() {
                    still_open.push(id);
                    continue;
                }
                match state(client, &id).await {
                    Ok(Some(TaskState::Archived)) => audit.archived += 1,
                    Ok(Some(TaskState::Completed)) => audit.done += 1,
                    Ok(None) if ledger.runs(&id).done > 0 => audit.done += 1,
                    Ok(None) if is_quiet => audit.lost.push(id),
                    Ok(Some(_)) if is_quiet => audit.stored.push(id),
                    _ => still_open.push(id),
                }
            }
            open = still_open;
            if open.is_empty() {
                break;
            }
            if open.len() != before || ledger.ended() != ended {
                (ended, since) = (ledger.ended(), Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        audit.ran_again = all.iter().map(|id| ledger.runs(id).repeated()).sum();
        audit
    }

    /// Adds what another run came to.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.done += other.done;
        self.archived += other.archived;
        self.stored.extend(other.stored);
        self.lost.extend(other.lost);
        self.deleted += other.deleted;
        self.ran_again += other.ran_again;
        self.failures += other.failures;
        self.longest = self.longest.max(other.longest);
        self.resumed = self.resumed.max(other.resumed);
    }

    /// Whether each task came to its end.
    pub fn is_complete(&self) -> bool {
        self.lost.is_empty() && self.stored.is_empty()
    }
}

/// Where a task is; its ID names its queue behind the producer's number.
async fn state(client: &Client, id: &str) -> Result<Option<TaskState>, asynq_core::broker::BrokerError> {
    let queue = id.split('-').nth(1).and_then(|name| QueueName::new(name).ok()).unwrap();
    let id = TaskId::new(id).unwrap();
    Ok(client.broker().task_info(&queue, &id).await?.map(|info| info.state))
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            acknowledged,
            done,
            archived,
            stored,
            lost,
            deleted,
            ran_again,
            failures,
            longest,
            resumed,
        } = self;
        write!(
            f,
            "{acknowledged} acknowledged = {done} done + {archived} archived + {} stored + {} lost; {ran_again} ran \
             again, {deleted} deleted by order, {failures} calls failed, longest enqueue {longest:.1?}, work resumed \
             after {resumed:.1?}",
            stored.len(),
            lost.len()
        )
    }
}
